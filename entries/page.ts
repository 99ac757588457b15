/**
 * `inarch/page`: what only pages and their workers have. A device: a hardware GPU, else the processor.
 */
export * from "../runtime/page/index.ts";
