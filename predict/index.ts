/** SAM's host side: pictures and prompts in, masks out. It stands on the runtime alone. */
export {
  type AutomaticMask,
  type AutomaticOptions,
  automaticMasks,
} from "./automatic/automatic.ts";
export { loadSamBundle } from "./bundle.ts";
export {
  createSamPredictor,
  type Prediction,
  type PredictOptions,
  type SamPlans,
  type SamPredictor,
  type SamPredictorOptions,
  type SmallLogits,
} from "./sam.ts";
export * from "./vision/index.ts";
