/** Training: losses, optimisers, schedules, and sessions that take steps. */

export { type MergedWeights, type MergeOptions, mergeAdapters } from "../merge/merge.ts";
export type { Reducer } from "../runtime/training/reducer.ts";
export type { Target } from "../runtime/training/targets.ts";
export { compileTraining, compileTrainingAsync } from "./compile.ts";
export * from "./losses/index.ts";
export type { GroupOptions } from "./memory.ts";
export {
  type AdamOptions,
  adam,
  adamW,
  type Optimiser,
  type SgdOptions,
  sgd,
} from "./optimisers/index.ts";
export type { EvaluationOptions, TrainingOptions } from "./options.ts";
export { rateAt, type Schedule } from "./schedules.ts";
export { createTrainer, type TrainerOptions } from "./trainer.ts";
export type { LossScaling } from "./update.ts";
export { partsOfStep, wholeBatch, wholeTotal } from "./whole-batch.ts";
