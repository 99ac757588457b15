/**
 * matmul's tile program: one thread computes what the oracle does, and so do threads that share its tiles,
 * whatever the segments, the batch and the slices of the depth; and they need every barrier.
 */
import { describe, expect, test } from "vitest";
import { compileStages } from "../../../compiler/compile.ts";
import { type Graph, graphOf, input } from "../../../compiler/index.ts";
import {
  apply,
  form,
  type Kernel,
  type KernelSite,
  lowerShared,
  type Threads,
} from "../../../compiler/op-kit.ts";
import { lowerPlain } from "../../../compiler/tile/plain.ts";
import { op as matmul } from "../../../ops/matmul/matmul.ts";
import { matmulProgram } from "../../../ops/matmul/program.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { createSession } from "../../../runtime/session.ts";
import {
  type Arrays,
  evaluate,
  randomNumbers,
  relativeError,
  runOnReference,
} from "../../../verify/ops/evaluate.ts";
import { withoutBarriers } from "../../support/without-barriers.ts";

/** Left and right operands of all segments. */
const products: Readonly<Record<string, readonly (readonly number[])[]>> = {
  "tails in every direction": [
    [19, 21],
    [21, 23],
  ],
  "a depth that fills no step": [
    [9, 3],
    [3, 12],
  ],
  "segments of different depths": [
    [9, 20],
    [20, 12],
    [9, 5],
    [5, 12],
    [9, 30],
    [30, 12],
  ],
  "a batch of two axes": [
    [2, 3, 5, 12],
    [2, 3, 12, 6],
  ],
};

const layouts: Readonly<Record<string, Threads>> = {
  "threads down and across": { down: 4, across: 2, rowsPerThread: 2, rolled: true },
  "four slices": { down: 2, across: 1, rowsPerThread: 4, slices: 4, rolled: true },
  "three slices, unrolled": { down: 4, across: 2, rowsPerThread: 1, slices: 3, rolled: false },
};

type Site = KernelSite<null>;

/** The product with a kernel of our own making. */
function graphFor(shapes: readonly (readonly number[])[], kernel: (site: Site) => Kernel): Graph {
  const only = { name: "only", fits: () => true, tiles: () => [{}], reads: () => 1, kernel };
  const op = { ...matmul, forms: [form<null, Record<string, never>>(only)] };
  const operands = shapes.map((shape, i) => input(`x${i}`, "f32", shape));
  return graphOf([{ name: "y", tensor: apply(op, operands, null)[0]! }]);
}

describe.each(Object.entries(products))("%s", (_, shapes) => {
  const arrays: Arrays = Object.fromEntries(
    shapes.map((shape, i) => [
      `x${i}`,
      randomNumbers(
        shape.reduce((a, b) => a * b),
        40 + i,
      ),
    ]),
  );
  const plain = graphFor(shapes, (site) =>
    lowerPlain(site.k, matmulProgram(site, { m: 5, n: 7, deep: 6 })),
  );

  test("by one thread", async () => {
    const [got, wanted] = [await runOnReference(plain, arrays, {}), await evaluate(plain, arrays)];
    expect(relativeError(got.y!, wanted.y!)).toBeLessThan(1e-6);
  });

  test.each(Object.entries(layouts))("in workgroup memory, %s", async (_, threads) => {
    const [m, n] = [threads.down * threads.rowsPerThread, 8];
    const shared = graphFor(shapes, (site) =>
      lowerShared(site.k, matmulProgram(site, { m, n, deep: 8 }), threads),
    );
    const wanted = await evaluate(plain, arrays);
    const got = await runOnReference(shared, arrays, {});
    expect(relativeError(got.y!, wanted.y!)).toBeLessThan(1e-6);

    const { kernels, plan } = compileStages(shared, { target: "reference" });
    const inputs = plan.inputs.map(({ name }) => [name, Float64Array.from(arrays[name]!)] as const);
    for (const [i, broken] of withoutBarriers(plan, 0, kernels[0]!.kernel).entries()) {
      const session = await createSession(broken, referenceDevice({ precision: "double" }));
      const run = session.run(Object.fromEntries(inputs));
      await expect(run, `without barrier ${i}`).rejects.toThrow(/E450/);
    }
  });
});

test.each([
  ["kept short, one row of an operand at a time", true, 2],
  ["not kept short, four rows", false, 8],
] as const)("where texts are %s is copied", (_, rolled, wanted) => {
  const threads = { down: 4, across: 4, rowsPerThread: 4, rolled };
  const graph = graphFor(
    [
      [64, 64],
      [64, 64],
    ],
    (site) => lowerShared(site.k, matmulProgram(site, { m: 16, n: 16, deep: 16 }), threads),
  );
  const { kernel } = compileStages(graph, { target: "wgsl" }).kernels[0]!;
  const stores = (body: Kernel["body"]): number =>
    body.reduce((count, s) => {
      if (s.kind === "for" || s.kind === "if") return count + stores(s.body);
      return count + Number(s.kind === "store4" && s.to.space === "shared");
    }, 0);
  expect(stores(kernel.body)).toBe(wanted);
});
