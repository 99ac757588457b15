/** Everything between a picture's bytes and the model's tensors, without a dependency. */
export {
  type CanvasPixels,
  checkImage,
  checkMask,
  type Image,
  image,
  type Mask,
  type Picture,
  type Size,
  splitMasks,
} from "./image.ts";
export {
  type Labels,
  type Levels,
  type LevelsOptions,
  levelsOf,
  type MaskValue,
} from "./levels.ts";
export { logitsOfPicture } from "./mask-prompt.ts";
export { decodeNpy, encodeNpy, type NumpyArray } from "./npy.ts";
export { contactSheet, drawCutout, drawOverlay } from "./overlay.ts";
export { classColour } from "./palette.ts";
export { type Logits, pickLogits, threshold, upsampleMasks } from "./postprocess.ts";
export { type Frame, frameOf, normalize, preprocess, toModelPixels } from "./preprocess.ts";
export {
  type Box,
  checkPrompts,
  type Label,
  type NumberArray,
  type Point,
  type PromptLists,
  type Prompts,
} from "./prompts.ts";
export { longestSideSize, resizeImage, resizeLongestSide } from "./resize.ts";
export { type Polygon, polygonsOf, type Ring, withCuts } from "./rings.ts";
export { decodeRuns, encodeRuns, fillPolygon, fillRuns, type Rle, runsOf } from "./rle.ts";
