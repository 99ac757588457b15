/** Sets as samples and batches, without their files: what a page can use too. */

export {
  decodeRuns,
  encodeRuns,
  fillPolygon,
  fillRuns,
  type Rle,
  runsOf,
} from "../../predict/vision/rle.ts";
export { batchesInTurn, keptInMemory, type Steps } from "./ahead.ts";
export {
  type Batch,
  type Batches,
  type BatchOptions,
  type BatchTarget,
  batchesOf,
  maskTargets,
  normalizedImages,
} from "./batch.ts";
export {
  type Order,
  plainOrder,
  positionsOf,
  type Share,
  shuffledOrder,
} from "./order.ts";
export {
  ignored,
  type Sample,
  type Samples,
  type Target,
  type TargetKind,
  type Task,
} from "./sample.ts";
export { colourOf, drawTarget, targetSheet } from "./sheet.ts";
export { foldsOf, holdOut, type Split, subsetOf } from "./split.ts";
export type { ClassCount, SetSummary, TaskSummary } from "./summary.ts";
export type {
  ClassFiles,
  ClassName,
  DepthFiles,
  MaskFiles,
  NormalFiles,
  TaskFiles,
} from "./task-files.ts";
export type { Augmentation, Fit } from "./view.ts";
