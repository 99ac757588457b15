/** `inarch/models`: the transformers that inarch knows, and the layers they are made of. */
export type { CrossStitchOptions } from "./cross-stitch.ts";
export { linear, norm, perceptron } from "./layers.ts";
export {
  type DenseFrame,
  type DenseTask,
  type MSamOptions,
  type MSamTasks,
  mSam,
  mSamTensors,
} from "./msam.ts";
export { type SizedSam, samAtSize } from "./sam/at-size.ts";
export { checkSamWeights, inferSamConfig } from "./sam/checkpoint.ts";
export {
  checkSamConfig,
  formatSamConfig,
  parseSamConfig,
  type SamConfig,
  type SamPreset,
  samPreset,
  samPresets,
} from "./sam/config.ts";
export { hashedImage, hashedTensor, hashedWeights } from "./sam/hashed.ts";
export { detectNaming, type Naming, toHuggingFace, toMeta, withMetaNames } from "./sam/names.ts";
export { type SamModelOptions, samModel } from "./sam/program.ts";
export { type PromptedSamOptions, type PromptSizes, promptedSam } from "./sam/prompted.ts";
export {
  compileSam,
  compileSamAsync,
  Sam,
  type SamCompileOptions,
  type SamLoadOptions,
} from "./sam/sam.ts";
export { type NamedShape, samTensors } from "./sam/tensors.ts";
export { type SemanticHead, type SemanticSamOptions, semanticSam } from "./semantic-sam.ts";
