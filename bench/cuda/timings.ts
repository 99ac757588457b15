/** What is timed on a GPU: whole plans on random numbers, some of whose results the processor computes here. */
import { compileStages } from "../../compiler/compile.ts";
import { compile, type Graph, type Plan, trace } from "../../compiler/index.ts";
import { countWork } from "../../compiler/inspect/count.ts";
import { deviceProfile } from "../../compiler/profile.ts";
import { samPresets } from "../../models/index.ts";
import { attention, matmul } from "../../ops/index.ts";
import { createSession } from "../../runtime/index.ts";
import { openDevice } from "../../runtime/node/index.ts";
import { product, weightsFor } from "../problems/numbers.ts";
import { encoderGraph } from "../problems/small-sam.ts";
import type { Case, CaseBuffer, RandomNumbers } from "./cases.ts";
import { randomAt } from "./cases.ts";

export interface Timing {
  readonly name: string;
  readonly graph: () => Graph;
  /** Of the random numbers: as large as keeps signals at their size. */
  readonly scale: number;
  /** Relative to the largest element. */
  readonly tolerance: number;
}

const productOf = (m: number, k: number, n: number): Timing => ({
  name: `matmul ${m} x ${k} x ${n}`,
  graph: () => trace((p) => ({ y: matmul(p.f32("x", [m, k]), p.f32("weight", [k, n])) }), {}),
  ...{ scale: 1, tolerance: 1e-5 },
});

const attentionOf = (heads: number, grid: number, depth: number): Timing => {
  const tokens = grid * grid;
  return {
    name: `attention, ${heads} heads, ${tokens} tokens, ${depth} channels, relative positions`,
    graph: () =>
      trace((p) => {
        const [q, k, v] = ["q", "k", "v"].map((name) => p.f32(name, [1, heads, tokens, depth]));
        const table = (name: string) => p.f32(name, [2 * grid - 1, depth]);
        const relative = { height: table("height"), width: table("width") };
        return { y: attention(q!, k!, v!, { relative: { ...relative, grid: [grid, grid] } }) };
      }, {}),
    ...{ scale: 1, tolerance: 1e-5 },
  };
};

const encoder: Timing = {
  name: "SAM ViT-B encoder at 1024 pixels",
  graph: () => encoderGraph(samPresets.vit_b),
  ...{ scale: 0.05, tolerance: 1e-4 },
};

export const timings: readonly Timing[] = [
  productOf(4096, 768, 3072),
  productOf(4096, 3072, 768),
  attentionOf(12, 64, 64),
  encoder,
];

/** A small one of each kind. */
export const smallTimings: readonly Timing[] = [productOf(61, 67, 71), attentionOf(2, 7, 16)];

/** How many of a result's elements are computed here. */
const known = 512;

export async function timedCase({ name, graph, scale, tolerance }: Timing): Promise<Case> {
  const compilation = compileStages(graph(), { target: "cuda" });
  const { plan } = compilation;
  // A multiplication and an addition each.
  const work = (2 * countWork(compilation).multiplications) / 1e9;
  const [output] = plan.outputs;
  const results = await onProcessor(graph(), plan, scale);
  const step = Math.max(1, Math.floor(results.length / known));
  const at = Array.from({ length: Math.ceil(results.length / step) }, (_, i) => i * step);
  const wanted = Float32Array.from(at, (i) => results[i]!);
  return {
    ...{ name, work, kernels: plan.kernels, steps: plan.steps, commits: plan.commits },
    buffers: plan.buffers.map(({ bytes, role }, i): CaseBuffer => {
      const isGiven = role === "weights" || role === "input";
      return { bytes, ...(isGiven ? { holds: numbersOf(i, scale) } : {}) };
    }),
    outputs: [{ name: output!.name, place: output!, wanted, tolerance, at }],
  };
}

const numbersOf = (buffer: number, scale: number): RandomNumbers => ({ seed: 977 * buffer, scale });

/** The first output, from the same numbers as lie in the plan's buffers. */
async function onProcessor(graph: Graph, plan: Plan, scale: number): Promise<Float32Array> {
  const values = new Map(
    [...plan.parameters, ...plan.inputs].map(({ name, buffer, offset, shape }) => [
      name,
      () => {
        const numbers = numbersOf(buffer, scale);
        return Float32Array.from({ length: product(shape) }, (_, i) =>
          randomAt(numbers, offset / 4 + i),
        );
      },
    ]),
  );
  const { device } = await openDevice({ kind: "cpu" });
  try {
    const profile = deviceProfile(device.capabilities);
    const own = compile(graph, { target: device.target, profile });
    const weights = weightsFor(own.parameters, (name) => values.get(name)!());
    const session = await createSession(own, device, { weights });
    const inputs = own.inputs.map(({ name }) => [name, values.get(name)!()] as const);
    const results = await session.run(Object.fromEntries(inputs));
    return results[own.outputs[0]!.name] as Float32Array;
  } finally {
    device.destroy();
  }
}
