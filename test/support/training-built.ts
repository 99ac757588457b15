/** A small model that says how it is trained, for tests of bundles of trainings: its file, its base and its batches. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeSafetensors } from "../../runtime/weights/index.ts";
import { file, inarch } from "./command-line.ts";

const text = `
import { adapt, defineModel, input } from "inarch";
import { lora } from "inarch/adapters";
import { gelu, matmul, mean, mul, sub } from "inarch/ops";
import { linear } from "inarch/models";
import { adamW } from "inarch/training";

const base = defineModel({
  name: "tuned-layers",
  build: (p) => ({ y: linear(p.at("b"), gelu(linear(p.at("a"), input("x", "f32", [3, 8]), 8, 16)), 16, 2) }),
});

export default adapt(base, lora({ rank: 2 }), { where: "*" });

export const training = {
  loss: ({ y }) => {
    const away = sub(y, input("target", "f32", y.shape));
    return { squares: mean(mul(away, away)) };
  },
  optimiser: adamW(),
  micro: 2,
  evaluate: {},
  programs: { forward: {} },
};
`;

/** The same numbers in tests and in what they run. */
export const numbers = (count: number, seed: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: count }, (_, i) => Math.fround(Math.sin(i * 1.7 + seed)));

/** Of a step: the inputs of its two micro-steps. */
export const batch = (step: number) =>
  [1, 2].map((part) => ({
    x: [...numbers(24, step + part / 3)],
    target: [...numbers(6, -step * part)],
  }));

const tensor = (shape: readonly number[], seed: number) => {
  const values = numbers(
    shape.reduce((a, b) => a * b, 1),
    seed,
  );
  return { dtype: "f32", shape, data: new Uint8Array(values.buffer) } as const;
};

export const base = () =>
  writeSafetensors(
    new Map([
      ["a.weight", tensor([16, 8], 1)],
      ["a.bias", tensor([16], 2)],
      ["b.weight", tensor([2, 16], 3)],
      ["b.bias", tensor([2], 4)],
      ["another", tensor([2], 5)],
    ]),
  );

/** Builds the training into `out`; the model's file and its base are written beside it. */
export function buildTraining(folder: string, out: string, ...flags: readonly string[]) {
  file(folder, "tuned.graph.ts", text);
  writeFileSync(join(folder, "base.safetensors"), base());
  const build = ["build", "tuned.graph.ts", "--train", "--out", out, ...flags];
  return inarch(build, folder);
}
