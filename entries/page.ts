/**
 * `inarch/page`: what only pages and their workers have. A device: a hardware GPU, else the processor; pictures as
 * pages have them; workers, and files that browsers keep.
 */
export * from "../predict/page/pictures.ts";
export * from "../runtime/page/index.ts";
