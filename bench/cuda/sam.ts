/** A SAM that the strict reference device trains in seconds, and its training step. */
import { convLora } from "../../adapters/index.ts";
import { adapt, input } from "../../compiler/index.ts";
import type { Profile } from "../../compiler/profile.ts";
import { hashedImage, type SamConfig } from "../../models/index.ts";
import { hashedTensor } from "../../models/sam/hashed.ts";
import { samTensors } from "../../models/sam/tensors.ts";
import { semanticSam } from "../../models/semantic-sam.ts";
import { floatEntry, makeWeights, type Weights } from "../../runtime/weights/index.ts";
import { adamW, compileTraining, structureLoss } from "../../training/index.ts";
import { randomNumbers } from "../../verify/ops/evaluate.ts";

/** Windows of three do not divide the map of sixteen cells; of two blocks one is global. */
export const tiny: SamConfig = {
  ...{ imageSize: 32, patchSize: 8, embedDim: 12, depth: 2, numHeads: 2, mlpRatio: 2 },
  ...{ globalAttnIndexes: [1], windowSize: 3, outChans: 16, maskInChans: 8 },
  ...{ decoderDepth: 2, decoderMlpDim: 8, decoderNumHeads: 2 },
  ...{ iouHeadHiddenDim: 8, iouHeadDepth: 3, numMultimaskOutputs: 0 },
};

const classes = 1;

/** The encoder with Conv-LoRA on every qkv, and the whole decoder, learn a mask. */
export const trainingPlan = (target: string, profile: Profile) =>
  compileTraining(
    adapt(semanticSam(tiny, { classes }), convLora({ rank: 2, experts: [1, 2, 3] }), {
      where: "image_encoder.blocks.*.attn.qkv",
      train: ["mask_decoder.**"],
    }),
    {
      ...{ target, profile, clip: 1, optimiser: adamW({ decay: 1e-4 }) },
      loss: ({ logits }) => ({
        structure: structureLoss(logits!, input("target", "f32", logits!.shape)),
      }),
    },
  );

export const inputs = () => ({
  image: hashedImage("cuda", tiny.imageSize),
  target: Float32Array.from(randomNumbers(classes * tiny.imageSize ** 2, 1), (v) =>
    Number(v > 0.2),
  ),
});

export function weights(): Weights {
  const shapes = new Map(samTensors(tiny).map(({ name, shape }) => [name, shape] as const));
  return makeWeights({
    source: "hashed numbers",
    tensors: new Map([...shapes].map(([name, shape]) => [name, floatEntry(shape)] as const)),
    metadata: {},
    async *stream(name) {
      yield new Uint8Array(Float32Array.from(hashedTensor("cuda", name, shapes.get(name)!)).buffer);
    },
    close: async () => {},
  });
}
