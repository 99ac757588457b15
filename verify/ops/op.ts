/**
 * What is asked of every op, by its samples: a name, a derivative, the values that are known, kernels that
 * compute what the oracles say, and a derivative that differences confirm. All on the reference device.
 */
import type { Policy } from "../../compiler/fuse/region.ts";
import { graphOf } from "../../compiler/graph/graph.ts";
import { input } from "../../compiler/graph/sources.ts";
import { sameShape, type Tensor } from "../../compiler/graph/tensor.ts";
import { gradient } from "../../compiler/op-kit.ts";
import { defaultProfile, type Profile } from "../../compiler/profile.ts";
import { type Arrays, evaluate, randomNumbers, runOnReference } from "./evaluate.ts";
import { knownFault, unequal } from "./faults.ts";
import type { Example, Subject } from "./programs.ts";

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

/** What an op lacks, as what to add; undefined where it has all. */
export function lackOf({ op, examples }: Subject): string | undefined {
  if (op && !/^[a-z]\w*$/i.test(op.name))
    return `its name "${op.name}" is no name for a kernel: letters, digits and _ alone`;
  if (examples.length === 0)
    return "it has no samples: add tests: { samples: [{ inputs, call, outputs }] }";
  if (op && typeof op.vjp !== "function")
    return "it has no derivative: add vjp, which returns undefined for inputs without gradient";
  return undefined;
}

/**
 * Evaluates a program by oracles, then runs its kernels every way. Undefined where all agree, and give
 * what is known.
 */
export async function exampleFault(example: Example): Promise<string | undefined> {
  const wanted = await evaluate(example.graph, example.arrays);
  const known = knownFault(example, wanted);
  if (known !== undefined) return known;
  for (const [name, policy, profile] of runs) {
    const got = await runOnReference(example.graph, example.arrays, { policy, profile });
    const fault = unequal(example, got, wanted);
    if (fault !== undefined) return `${name}: ${fault}`;
  }
  return undefined;
}

/**
 * The derivative along one random direction, by vjp and by central differences in double precision:
 * <cotangent, J direction>. Undefined where both agree.
 */
export async function derivativeFault({
  inputs,
  outputs,
  graph,
  arrays,
}: Example): Promise<string | undefined> {
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
  for (const [name, g] of reached) {
    const { shape } = inputs[Number(name.slice(1))]!;
    if (!sameShape(g.shape, shape))
      return `the gradient of ${name} is [${g.shape}], not [${shape}]`;
  }
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
  if (Math.abs(numeric - exact) <= derivative * length + 1e-7) return undefined;
  return `the derivative is ${exact}, but differences give ${numeric}`;
}

const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, v, i) => sum + v * b[i]!, 0);
