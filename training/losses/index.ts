/** Losses: functions from tensors to a scalar tensor of shape `[]`. */

export { checkLabels, checkMask, type GivenTarget } from "../../runtime/training/targets.ts";
export { balancedBce, bce, dice, type FocalOptions, focal, iou } from "./binary.ts";
export { classDice, cosineNormals, crossEntropy, type LabelOptions, l1Depth } from "./dense.ts";
export {
  classMasks,
  matchSets,
  type SetPrediction,
  type SetTargets,
  type SetWeights,
  setLoss,
  setTerms,
} from "./set.ts";
export { structureLoss } from "./structure.ts";
export type { PixelWeights } from "./weights.ts";
