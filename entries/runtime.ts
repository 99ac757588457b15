/**
 * `inarch/runtime`: runs plans, and predicts with SAM. It has no dependency, knows nothing of graphs and
 * ops, and works in browsers, workers and Node.
 */
export * from "../predict/index.ts";
export * from "../runtime/index.ts";
