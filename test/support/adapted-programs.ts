/** The small programs that adapters are tested on. */
import { input, type Parameters } from "../../compiler/index.ts";
import { linear } from "../../models/layers.ts";
import type { SamConfig } from "../../models/sam/config.ts";
import { encodeImage } from "../../models/sam/image-encoder.ts";

/** Two blocks, one with windows that do not divide the map, one without windows. */
export const tiny: SamConfig = {
  imageSize: 8,
  patchSize: 2,
  embedDim: 4,
  depth: 2,
  numHeads: 2,
  mlpRatio: 1.5,
  globalAttnIndexes: [1],
  windowSize: 3,
  outChans: 8,
  maskInChans: 4,
  decoderDepth: 1,
  decoderMlpDim: 4,
  decoderNumHeads: 1,
  iouHeadHiddenDim: 4,
  iouHeadDepth: 2,
  numMultimaskOutputs: 1,
};

export const encoder = (p: Parameters) => {
  const image = input("image", "f32", [1, 3, tiny.imageSize, tiny.imageSize]);
  return [encodeImage(p.at("image_encoder"), image, tiny).blocks.at(-1)!];
};

/** A fused qkv of width 4 on two maps of 2 x 3, of task 1. */
export const layer = (p: Parameters) => {
  const x = input("x", "f32", [2, 2, 3, 4]);
  return [linear(p.forTask(1), x, 4, 12)];
};
