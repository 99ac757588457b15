/** `inarch/study`: fine-tuning, in Node. Sets of pictures and targets in files, batches of them, and metrics. */
export * from "../study/data/index.ts";
export * from "../study/data/node/index.ts";
export * from "../study/grid/node/index.ts";
export * from "../study/metrics/index.ts";
export * from "../study/predict/node/index.ts";
export type { LogLine, StepLine, ValidationLine } from "../study/train/log.ts";
export * from "../study/train/node/index.ts";
export { type Preset, presets } from "../study/train/presets.ts";
export type { Validation } from "../study/train/scores.ts";
export { type AskedSettings, type RunSettings, usualSettings } from "../study/train/settings.ts";
export { defineStudy, type Study } from "../study/train/study.ts";
export { keptPlans } from "../training/node/kept-plans.ts";
