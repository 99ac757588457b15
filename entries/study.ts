/** `inarch/study`: fine-tuning, in Node. Sets of pictures and targets in files, batches of them, and metrics. */
export * from "../study/data/index.ts";
export * from "../study/data/node/index.ts";
export * from "../study/metrics/index.ts";
export {
  type PredictReport,
  type PredictRequest,
  predict,
  type StepLine,
  type TrainReport,
  type TrainRequest,
  train,
  type Validation,
} from "../study/train/node/index.ts";
export { type RunSettings, usualSettings } from "../study/train/settings.ts";
