/** Training: losses, optimisers, schedules, and sessions that take steps. */

export { type MergedWeights, type MergeOptions, mergeAdapters } from "../merge/merge.ts";
export { compileTraining, compileTrainingAsync, type TrainingOptions } from "./compile.ts";
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
export { rateAt, type Schedule } from "./schedules.ts";
export { createTrainer, type Target, type TrainerOptions } from "./trainer.ts";
export type { LossScaling } from "./update.ts";
