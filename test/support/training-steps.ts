/** Training steps of SAM ViT-B at 1024 pixels with published methods, compiled for the default profile. */
import { taLora } from "../../adapters/index.ts";
import { adapt, input, type Tensor } from "../../compiler/index.ts";
import { mSam, samModel, samPresets } from "../../models/index.ts";
import { decoderOnly, layerNormTuning } from "../../models/sam/presets/index.ts";
import type { TrainingPlan } from "../../runtime/training/plan.ts";
import { withMethod } from "../../training/forecast/method.ts";
import {
  adam,
  adamW,
  compileTraining,
  cosineNormals,
  crossEntropy,
  l1Depth,
  structureLoss,
} from "../../training/index.ts";

const config = samPresets.vit_b;

/** What `inarch plan sam-vit-b --train --method conv-lora` plans. */
export function convLoraStep(): TrainingPlan {
  const model = withMethod(samModel(config), "conv-lora");
  return compileTraining(model, {
    optimiser: adamW(),
    loss: ({ logits }) => ({
      structure: structureLoss(logits!, input("target", "f32", logits!.shape)),
    }),
  });
}

/** Classes, depth and normals at once. */
export function taLoraStep(): TrainingPlan {
  const tasks = Object.entries(losses).map(([name, { channels }]) => ({ name, channels }));
  const where = "image_encoder.blocks.*.attn.qkv";
  const adapted = adapt(mSam(config, { tasks }), taLora({ tasks: tasks.length }), { where });
  return compileTraining(adapt(adapt(adapted, layerNormTuning()), decoderOnly()), {
    program: "segment",
    optimiser: adam(),
    loss: (outputs) =>
      Object.fromEntries(
        Object.entries(losses).map(([name, { of }]) => [name, of(outputs[name]!, name)]),
      ),
  });
}

type F = Tensor<"f32">;

const losses = {
  classes: {
    channels: 13,
    of: (y: F, name: string) => {
      const [batch, , ...side] = y.shape as [number, number, number, number];
      return crossEntropy(y, input(name, "i32", [batch, ...side]));
    },
  },
  depth: { channels: 1, of: (y: F, name: string) => l1Depth(y, input(name, "f32", y.shape)) },
  normals: {
    channels: 3,
    of: (y: F, name: string) => cosineNormals(y, input(name, "f32", y.shape)),
  },
};
