/** SAM's host side: pictures and prompts in, masks out. It stands on the runtime alone. */
export { loadSamBundle } from "./bundle.ts";
export {
  createSamPredictor,
  type Prediction,
  type PredictOptions,
  type SamPlans,
  type SamPredictor,
  type SamPredictorOptions,
} from "./sam.ts";
export * from "./vision/index.ts";
