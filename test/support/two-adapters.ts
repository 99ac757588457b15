/** A model of two programs with adapters on it, the files of two trainings, and what their forward passes give. */
import {
  type Adapter,
  adapt,
  defineModel,
  input,
  type Model,
  type Parameters,
} from "../../compiler/index.ts";
import { linear } from "../../models/layers.ts";
import { mean, mul, relu, reshape } from "../../ops/index.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { createTrainingSession } from "../../runtime/training/session.ts";
import { writeSafetensors } from "../../runtime/weights/index.ts";
import { adamW, compileTraining } from "../../training/index.ts";
import { randomNumbers } from "../../verify/ops/evaluate.ts";
import { floats } from "./training-file.ts";
import { openBytes } from "./weights-files.ts";

/** Rows that are two maps of 2 x 3, of task 1. */
const layer = (p: Parameters, x: ReturnType<typeof input>) =>
  linear(p.forTask(1), x as ReturnType<typeof input<"f32", readonly number[]>>, 6, 6);

const bare = defineModel({
  name: "halves",
  programs: {
    encode: (p) => ({ z: relu(layer(p.at("a"), input("x", "f32", [2, 2, 3, 6]))) }),
    decode: (p) => ({ y: layer(p.at("b"), input("z", "f32", [2, 2, 3, 6])) }),
    both(p) {
      const z = relu(layer(p.at("a"), input("x", "f32", [2, 2, 3, 6])));
      return { y: reshape(layer(p.at("b"), z), [2, 2, 3, 6]) };
    },
  },
});

export const shape = [2, 2, 3, 6];

export const baseFile = (seed = 1): Uint8Array<ArrayBuffer> => {
  const shapes = { "a.weight": [6, 6], "a.bias": [6], "b.weight": [6, 6], "b.bias": [6] };
  const tensors = Object.entries(shapes).map(([name, own], i) => {
    const count = own.reduce((n, size) => n * size, 1);
    return [name, floats(randomNumbers(count, seed + i), own)] as const;
  });
  return writeSafetensors(new Map(tensors));
};

export const base = (seed = 1) => openBytes(baseFile(seed));

/** Of the input `x`. */
export const x = randomNumbers(72, 9);

export const adaptedModel = (adapter: Adapter, train: string[] = []): Model =>
  adapt(bare, adapter, { where: "**", train });

/** The file after a few steps at a rate, and what the forward pass of `both` then gives. */
export async function trained(adapter: Adapter, rate: number, train: string[] = []) {
  const plan = compileTraining(adaptedModel(adapter, train), {
    program: "both",
    target: "reference",
    loss: ({ y }) => ({ square: mean(mul(y!, y!)) }),
    optimiser: adamW(),
    programs: { both: {} },
  });
  const session = await createTrainingSession(plan, referenceDevice(), {
    weights: await base(),
    rate,
  });
  for (let step = 0; step < 3; step++) await session.step({ x });
  const { y } = await session.run("both", { x });
  const bytes = await session.saveAdapter();
  return { y: y!, bytes, file: await openBytes(bytes) };
}
