/** Runs graphs with hashed parameters of whatever names, and gives the same values to plain code. */
import { compile } from "../../compiler/compile.ts";
import type { Graph } from "../../compiler/graph/graph.ts";
import { elements } from "../../compiler/graph/tensor.ts";
import { hashedTensor } from "../../models/sam/hashed.ts";
import type { NamedShape } from "../../models/sam/tensors.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { createSession, type Inputs } from "../../runtime/session.ts";
import { makeWeights } from "../../runtime/weights/index.ts";
import type { Lookup, Rows } from "./sam-plain.ts";

const seed = "test";

/** Compiles a graph for the strict reference device and runs it there, in double precision. */
export async function runHashed(graph: Graph, inputs: Inputs) {
  const plan = compile(graph, { target: "reference" });
  const weights = makeWeights({
    source: "test",
    tensors: new Map(
      plan.parameters.map(({ name, shape }) => [
        name,
        { dtype: "f32", shape, bytes: 4 * elements(shape) },
      ]),
    ),
    metadata: {},
    async *stream(name, count) {
      const { shape } = plan.parameters.find((t) => t.name === name)!;
      for (let start = 0; start < elements(shape); start += count) {
        const length = Math.min(count, elements(shape) - start);
        yield new Uint8Array(hashedTensor(seed, name, shape, start, length).buffer);
      }
    },
    close: async () => {},
  });
  const session = await createSession(plan, referenceDevice({ precision: "double" }), { weights });
  const results = await session.run(inputs);
  session.close();
  return results;
}

/** The same parameters in double precision. */
export function hashedLookup(tensors: readonly NamedShape[]): Lookup {
  const shapes = new Map(tensors.map(({ name, shape }) => [name, shape]));
  return (name) => Float64Array.from(hashedTensor(seed, name, shapes.get(name)!));
}

type Size = readonly [height: number, width: number];

/** Bilinear resizing, pixels being areas and borders repeating. */
export function plainResize(map: ArrayLike<number>, from: Size, to: Size): number[] {
  const taps = (axis: 0 | 1) =>
    Array.from({ length: to[axis] }, (_, i) => {
      const at = Math.max(0, ((i + 0.5) * from[axis]) / to[axis] - 0.5);
      const low = Math.floor(at);
      return { low, high: Math.min(low + 1, from[axis] - 1), share: at - low };
    });
  const [down, across] = [taps(0), taps(1)];
  const along = (y: number, { low, high, share }: (typeof across)[number]) =>
    map[y * from[1] + low]! * (1 - share) + map[y * from[1] + high]! * share;
  return down.flatMap(({ low, high, share }) =>
    across.map((x) => along(low, x) * (1 - share) + along(high, x) * share),
  );
}

export const softmaxOf = (row: ArrayLike<number>): number[] => {
  const shares = Array.from(row, Math.exp);
  const total = shares.reduce((a, b) => a + b, 0);
  return shares.map((share) => share / total);
};

/** Rows of weights `[outputs, inputs]` and a bias, on one row. */
export const affine = (weight: Rows, bias: Float64Array, x: Float64Array): number[] =>
  weight.map((row, o) => row.reduce((sum, w, i) => sum + w * x[i]!, bias[o]!));
