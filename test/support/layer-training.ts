/** A layer with an adapter to train, its batches, and everything that can be seen of its session. */
import { defineAdapter } from "../../adapters/adapter.ts";
import { adapt, defineModel, input, kaiming, type Tensor, zeros } from "../../compiler/index.ts";
import { linear } from "../../models/layers.ts";
import { add, matmul, mean, mul, sub } from "../../ops/index.ts";
import type { Device } from "../../runtime/devices/device.ts";
import {
  createTrainingSession,
  type TrainingOptions as SessionOptions,
  type TrainingSession,
} from "../../runtime/training/session.ts";
import { compileTraining } from "../../training/compile.ts";
import { adamW } from "../../training/optimisers/index.ts";
import type { TrainingOptions } from "../../training/options.ts";
import { randomNumbers } from "../../verify/ops/evaluate.ts";
import { weightsOf } from "./weights-of.ts";

const model = defineModel({
  name: "layer",
  dims: { batch: 2 },
  build: (p) => ({ y: linear(p.at("layer"), input("x", "f32", ["batch", 4]), 4, 3) }),
});

const low = defineAdapter({
  name: "low",
  linear({ own, inputs, outputs }, x, base) {
    const down = own.f32("down", [inputs!, 2], { init: kaiming(inputs!) });
    return add(base(x), matmul(matmul(x, down), own.f32("up", [2, outputs!], { init: zeros })));
  },
});

export const adapted = adapt(model, low, { train: ["layer.bias"] });

export const loss = (outputs: Readonly<Record<string, Tensor<"f32">>>) => {
  const difference = sub(outputs.y!, input("target", "f32", ["batch", 3]));
  return { square: mean(mul(difference, difference)) };
};

export const weights = () => weightsOf({ "layer.weight": [3, 4], "layer.bias": [3] });

/** A session of it, with more for the session and for compiling. */
export const begin = async (
  device: Device,
  micro = 1,
  more: Partial<SessionOptions> = {},
  options: Partial<TrainingOptions> = {},
) => {
  const plan = compileTraining(adapted, {
    ...{ target: device.target, loss, optimiser: adamW(), micro },
    programs: { forward: {} },
    ...options,
  });
  return createTrainingSession(plan, device, { weights: await weights(), rate: 0.1, ...more });
};

export const batch = (seed: number) => ({
  x: Float32Array.from(randomNumbers(8, seed)),
  target: Float32Array.from(randomNumbers(6, seed + 50)),
});

/** All that can be seen of a session. */
export async function everything(session: TrainingSession) {
  const names = session.plan.tensors.map((t) => t.name);
  const gradients = [];
  for (const name of names) gradients.push([...(await session.gradient(name))]);
  const forward = await session.run("forward", { x: batch(0).x });
  const present = await session.present();
  return { file: await session.save(), gradients, present, forward, steps: session.steps };
}
