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
const layer = (p: Parameters, x: ReturnType<typeof input>, width: number) =>
  linear(p.forTask(1), x as ReturnType<typeof input<"f32", readonly number[]>>, width, width);

/** With so many channels. */
const bare = (width: number) =>
  defineModel({
    name: "halves",
    programs: {
      encode: (p) => ({ z: relu(layer(p.at("a"), input("x", "f32", [2, 2, 3, width]), width)) }),
      decode: (p) => ({ y: layer(p.at("b"), input("z", "f32", [2, 2, 3, width]), width) }),
      both(p) {
        const z = relu(layer(p.at("a"), input("x", "f32", [2, 2, 3, width]), width));
        return { y: reshape(layer(p.at("b"), z, width), [2, 2, 3, width]) };
      },
    },
  });

export const shape = [2, 2, 3, 6];

export const baseFile = (seed = 1, width = 6): Uint8Array<ArrayBuffer> => {
  const square = [width, width];
  const shapes = { "a.weight": square, "a.bias": [width], "b.weight": square, "b.bias": [width] };
  const tensors = Object.entries(shapes).map(([name, own], i) => {
    const count = own.reduce((n, size) => n * size, 1);
    return [name, floats(randomNumbers(count, seed + i), own)] as const;
  });
  return writeSafetensors(new Map(tensors));
};

export const base = (seed = 1, width = 6) => openBytes(baseFile(seed, width));

/** Of the input `x`. */
export const inputOf = (width: number) => randomNumbers(12 * width, 9);
export const x = inputOf(6);

export const adaptedModel = (adapter: Adapter, train: string[] = [], width = 6): Model =>
  adapt(bare(width), adapter, { where: "**", train });

/** The file after a few steps at a rate, and what the forward pass of `both` then gives. */
export async function trained(adapter: Adapter, rate: number, train: string[] = [], width = 6) {
  const x = inputOf(width);
  const plan = compileTraining(adaptedModel(adapter, train, width), {
    program: "both",
    target: "reference",
    loss: ({ y }) => ({ square: mean(mul(y!, y!)) }),
    optimiser: adamW(),
    programs: { both: {} },
  });
  const session = await createTrainingSession(plan, referenceDevice(), {
    weights: await base(1, width),
    rate,
  });
  for (let step = 0; step < 3; step++) await session.step({ x });
  const { y } = await session.run("both", { x });
  const bytes = await session.saveAdapter();
  return { y: y!, bytes, file: await openBytes(bytes) };
}
