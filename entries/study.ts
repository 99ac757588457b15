/** `inarch/study`: fine-tuning, in Node. Sets of pictures and targets in files, batches of them, and metrics. */
export * from "../study/data/index.ts";
export * from "../study/data/node/index.ts";
export * from "../study/metrics/index.ts";
