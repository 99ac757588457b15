/** Metrics as published, of maps and counts. They know nothing of models, files and devices. */
export {
  type AttentionDistances,
  type AttentionMap,
  attentionDistance,
  attentionDistances,
} from "./attention-distance.ts";
export {
  type BinaryMetric,
  type BinaryScores,
  type BinarySummary,
  binaryMetrics,
  binaryScores,
  binarySummary,
} from "./binary.ts";
export {
  type ClassScores,
  type Confusion,
  type ConfusionScores,
  confusion,
  labelsOfLogits,
} from "./confusion.ts";
export {
  type DepthErrors,
  type DepthScores,
  depthErrors,
  type NormalErrors,
  type NormalScores,
  normalErrors,
} from "./dense.ts";
export { type Compared, improvement } from "./improvement.ts";
export type { BinaryMaps } from "./maps.ts";
export { type Mean, meanOf, type RunningMean, runningMean, type Score } from "./mean.ts";
export { type Nearest, nearestInside } from "./nearest.ts";
export { sMeasure } from "./structure-measure.ts";
export { adaptiveF, meanAbsoluteError, meanE } from "./threshold-measures.ts";
export { weightedF } from "./weighted-f.ts";
