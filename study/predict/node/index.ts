/** What a run has learned, on other pictures: masks and scores. */
export { type Shard, shardOf } from "../shard.ts";
export {
  type EvaluateReport,
  type EvaluateRequest,
  evaluate,
  type LabelScores,
  type TaskScores,
} from "./evaluate.ts";
export { type PredictReport, type PredictRequest, predict } from "./predict.ts";
export type { Tiling } from "./tiled.ts";
export { type MaskFormat, maskFormats } from "./write-masks.ts";
