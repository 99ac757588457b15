/** The SAM whose encoder is measured, and its programs. */
import {
  type Adapter,
  adapt,
  defineModel,
  type Graph,
  input,
  type Model,
  traceProgram,
} from "../../compiler/index.ts";
import { type SamConfig, samPresets } from "../../models/index.ts";
import { encodeImage } from "../../models/sam/image-encoder.ts";

/** An encoder small enough for a software device: half as wide and half as deep as ViT-B. */
export const smallSam = (imageSize: number): SamConfig => ({
  ...samPresets.vit_b,
  imageSize,
  embedDim: 384,
  depth: 6,
  numHeads: 6,
  globalAttnIndexes: [2, 5],
  windowSize: 14,
});

/** The image encoder alone, as the pass of the first of several tasks: every adapter fits it. */
export const encoderModel = (config: SamConfig): Model =>
  defineModel({
    name: "encoder",
    dims: { batch: 1 },
    programs: {
      encode(p) {
        const { imageSize } = config;
        const image = input("image", "f32", ["batch", 3, imageSize, imageSize]);
        const { embedding } = encodeImage(p.forTask(0).at("image_encoder"), image, config);
        return { embedding };
      },
    },
  });

/** Where the adapters are: the fused qkv of every block. */
export const everyQkv = "image_encoder.blocks.*.attn.qkv";

/** The encoder's graph, with an adapter on every qkv if one is given. */
export function encoderGraph(config: SamConfig, adapter?: Adapter): Graph {
  const model = encoderModel(config);
  const adapted = adapter ? adapt(model, adapter, { where: everyQkv }) : model;
  return traceProgram(adapted, "encode");
}
