/** What the walker checks of one program. Tolerances come from the dtype and the device alone. */
import { expect } from "vitest";
import type { Policy } from "../../../compiler/fuse/region.ts";
import { graphOf } from "../../../compiler/graph/graph.ts";
import { input } from "../../../compiler/graph/sources.ts";
import type { Tensor } from "../../../compiler/graph/tensor.ts";
import { gradient } from "../../../compiler/op-kit.ts";
import { defaultProfile, type Profile } from "../../../compiler/profile.ts";
import {
  type Arrays,
  evaluate,
  type Results,
  randomNumbers,
  runOnReference,
} from "../../../verify/ops/evaluate.ts";
import { knownFault, unequal } from "../../../verify/ops/faults.ts";
import type { Example } from "../../../verify/ops/programs.ts";

/** Of a directional derivative, relative to the length of the gradient. */
const derivative = 1e-5;

/** A software device's profile: subgroups of eight instead of shared memory. */
const subgroups: Profile = { ...defaultProfile, name: "subgroups", subgroup: 8 };

/** Runs of the kernels that must all give what the oracles give. */
export const runs: readonly (readonly [name: string, policy: Policy, profile: Profile])[] = [
  ["fused", "fused", defaultProfile],
  ["unfused", "unfused", defaultProfile],
  ["fused for subgroups", "fused", subgroups],
  // Nothing is rewritten here: small kernels are kernels.
  ["unfused for subgroups", "unfused", subgroups],
];

/** Shapes, dtypes and values of a literal sample, in double precision. */
export function checkKnown(example: Example, results: Results): void {
  expect(knownFault(example, results)).toBe(undefined);
}

/** What kernels gave against the oracles' values. */
export function checkEqual(example: Example, got: Results, wanted: Results, run: string): void {
  expect(unequal(example, got, wanted), run).toBe(undefined);
}

/**
 * The derivative along one random direction, by vjp and by central differences in double precision:
 * <cotangent, J direction>.
 */
export async function checkDerivative({ inputs, outputs, graph, arrays }: Example): Promise<void> {
  const floats = (tensors: readonly Tensor[]) => tensors.filter((t) => t.dtype === "f32");
  const [wrt, of] = [floats(inputs), floats(outputs)];
  const nameOf = (x: Tensor) => `x${inputs.indexOf(x)}`;
  const resultOf = (y: Tensor) => `y${outputs.indexOf(y)}`;
  const directions = new Map(
    wrt.map((x, i) => [nameOf(x), randomNumbers(arrays[nameOf(x)]!.length, 7000 + i)]),
  );
  const cotangents = new Map(
    of.map((y, i) => [
      `g${i}`,
      randomNumbers(
        y.shape.reduce((a, b) => a * b, 1),
        9000 + i,
      ),
    ]),
  );

  const step = 1e-5;
  const along = async (by: number) => {
    const moved: Arrays = Object.fromEntries(
      Object.entries(arrays).map(([name, values]) => {
        const d = directions.get(name);
        return [name, d ? [...values].map((v, i) => v + by * d[i]!) : values];
      }),
    );
    const results = await evaluate(graph, moved);
    return of.reduce((sum, y, i) => sum + dot(results[resultOf(y)]!, cotangents.get(`g${i}`)!), 0);
  };
  const numeric = ((await along(step)) - (await along(-step))) / (2 * step);

  const given = of.map((y, i) => input(`g${i}`, "f32", y.shape) as Tensor);
  const gradients = gradient(of, given, wrt);
  const reached = wrt.flatMap((x, i) => (gradients[i] ? [[nameOf(x), gradients[i]] as const] : []));
  for (const [name, g] of reached)
    expect(g.shape, `gradient of ${name}`).toEqual(inputs[Number(name.slice(1))]!.shape);
  const results = reached.length
    ? await evaluate(graphOf(reached.map(([name, tensor]) => ({ name, tensor }))), {
        ...arrays,
        ...Object.fromEntries(cotangents),
      })
    : {};
  const exact = Object.entries(results).reduce(
    (sum, [name, g]) => sum + dot(g, directions.get(name)!),
    0,
  );
  const length = Math.hypot(...Object.values(results).map((g) => Math.hypot(...g)));
  if (!(Math.abs(numeric - exact) <= derivative * length + 1e-7))
    expect.fail(`the derivative is ${exact}, but differences give ${numeric}`);
}

const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, v, i) => sum + v * b[i]!, 0);

/** Evaluates by oracles, then runs the kernels every way. */
export async function checkExample(example: Example): Promise<void> {
  const wanted = await evaluate(example.graph, example.arrays);
  checkKnown(example, wanted);
  for (const [name, policy, profile] of runs) {
    const got = await runOnReference(example.graph, example.arrays, { policy, profile });
    checkEqual(example, got, wanted, name);
  }
}
