/** The perceptron of examples/: its checkpoint of random numbers, and what it computes of them, for tests of bundles. */
import { join } from "node:path";
import { input, trace } from "../../compiler/index.ts";
import { add, gelu, matmul } from "../../ops/index.ts";
import { writeSafetensors } from "../../runtime/weights/index.ts";
import { evaluate, randomNumbers } from "../../verify/ops/evaluate.ts";
import { repository } from "./command-line.ts";

/** The file of the model. */
export const mlp = join(repository, "examples", "01-mlp.graph.ts");

export const mlpShapes = { "up.weight": [64, 256], "up.bias": [256], "down.weight": [256, 10] };

/** Of its parameters, and of its input `x`, `[4, 64]`. */
export const mlpNumbers = Object.fromEntries(
  Object.entries({ ...mlpShapes, x: [4, 64] }).map(([name, shape], seed) => [
    name,
    randomNumbers(
      shape.reduce((a, b) => a * b),
      seed,
    ).map(Math.fround),
  ]),
);

/** A checkpoint with tensors of these shapes; a change replaces one of the numbers. */
export function mlpCheckpoint(
  of: Readonly<Record<string, readonly number[]>> = mlpShapes,
  change: Readonly<Record<string, number>> = {},
): Uint8Array<ArrayBuffer> {
  const tensors = Object.entries(of).map(([name, shape]) => {
    const values = Float32Array.from(mlpNumbers[name] ?? [1]);
    if (name in change) values[3] = change[name]!;
    return [name, { dtype: "f32", shape, data: new Uint8Array(values.buffer) }] as const;
  });
  return writeSafetensors(new Map(tensors));
}

/** Its result `y`, in double precision. */
export async function mlpResult() {
  const graph = trace((p) => {
    const x = input("x", "f32", [4, 64]);
    const up = add(matmul(x, p.f32("up.weight", [64, 256])), p.f32("up.bias", [256]));
    return { y: matmul(gelu(up), p.f32("down.weight", [256, 10])) };
  }, {});
  return (await evaluate(graph, mlpNumbers)).y!;
}
