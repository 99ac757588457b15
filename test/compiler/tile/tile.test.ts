/**
 * The tile layer by small programs of its own: every lowering computes what one thread does, on a device
 * that objects to races, to memory that nobody wrote and to barriers that not all reach; and it objects
 * once any barrier is gone.
 */
import { describe, expect, test } from "vitest";
import { compileStages } from "../../../compiler/compile.ts";
import { graphOf, input } from "../../../compiler/index.ts";
import {
  apply,
  type Builder,
  form,
  type Kernel,
  type KernelOp,
  lowerShared,
  type Threads,
  type TileProgram,
} from "../../../compiler/op-kit.ts";
import type { KernelMatrices, Plan } from "../../../compiler/plan.ts";
import { lowerFragments, type Units, wholeOf } from "../../../compiler/tile/fragments.ts";
import { lowerLanes } from "../../../compiler/tile/lanes.ts";
import { lowerPlain } from "../../../compiler/tile/plain.ts";
import { usesOf } from "../../../compiler/tile/uses.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { createSession } from "../../../runtime/session.ts";
import { randomNumbers, relativeError, runOnReference } from "../../../verify/ops/evaluate.ts";
import {
  columns,
  deep,
  type Made,
  programs,
  rows,
  shapes,
  tiled,
} from "../../support/tile-programs.ts";
import { withoutBarriers } from "../../support/without-barriers.ts";

/** An op whose kernel is a program, lowered in one way. */
function opOf(
  shape: readonly number[],
  lower: (k: Builder, of: (m: number, n: number) => TileProgram) => Kernel,
  of: Made,
): KernelOp<null> {
  return {
    name: "tileProgram",
    kind: "kernel",
    type: () => [{ dtype: "f32", shape }],
    forms: [
      form({
        name: "only",
        fits: () => true,
        tiles: () => [{}],
        reads: () => 1,
        kernel: (site) => lower(site.k, (m, n) => of(site, m, n)),
      }),
    ],
    oracle: () => [],
    work: () => 1,
    tests: { samples: [{ inputs: [], call: () => input("a", "f32", shape), outputs: [] }] },
  };
}

const graphOfOp = (op: KernelOp<null>) =>
  graphOf([
    {
      name: "y",
      tensor: apply(
        op,
        Object.entries(shapes).map(([name, shape]) => input(name, "f32", shape)),
        null,
      )[0]!,
    },
  ]);

const numbers = Object.fromEntries(
  Object.entries(shapes).map(([name, [p, q]], i) => [name, randomNumbers(p * q, 70 + i)]),
);

const layouts: Readonly<Record<string, Threads>> = {
  "one thread": { down: 1, across: 1, rowsPerThread: 4, rolled: true },
  "four by two": { down: 4, across: 2, rowsPerThread: 2, rolled: true },
  "two by four, unrolled": { down: 2, across: 4, rowsPerThread: 4, rolled: false },
  "two slices of the depth": { down: 2, across: 2, rowsPerThread: 2, slices: 2, rolled: true },
  "two slices, four rows a thread": {
    down: 2,
    across: 2,
    rowsPerThread: 4,
    slices: 2,
    rolled: true,
  },
  "three slices, unrolled": { down: 4, across: 1, rowsPerThread: 1, slices: 3, rolled: false },
  // What threads of a line fold goes through memory where these are not of one subgroup.
  "subgroups of eight, two of them": { ...passing(8), down: 4, across: 4 },
  "subgroups of eight that are one row each, unrolled": {
    ...{ ...passing(8), down: 4, across: 8, rolled: false },
  },
  "a subgroup of sixteen": { ...passing(16), down: 4, across: 4 },
  "subgroups of thirty-two, four of them": {
    ...passing(32),
    down: 16,
    across: 8,
    rowsPerThread: 1,
  },
  "a subgroup of sixty-four": { ...passing(64), down: 8, across: 8 },
  "fewer threads than a subgroup": { ...passing(64), down: 4, across: 2 },
  "a row of threads each": { down: 4, across: 1, rowsPerThread: 1, rolled: false },
};

function passing(subgroup: number) {
  return { subgroup, rowsPerThread: 2, rolled: true } as const;
}

/** Fragments of singles round nothing: subgroups down and across, and the threads that have elements. */
const teams: Readonly<Record<string, Units>> = {
  "a subgroup": units("fixed", [1, 1], [8, 2, 1]),
  "two by two, of at most so many threads": units("most", [2, 2], [16, 4, 1]),
  "two in a column, fragments stored by twos": { ...units("chosen", [2, 1], [16, 2, 2]), round: 2 },
};

const vectors = {
  "of one": { width: 1, rows: 4, registers: undefined },
  "of four": { width: 4, rows: 12, registers: undefined },
  "of eight, rows that are no fours": { width: 8, rows: 5, registers: 16 },
  "of sixteen, 32 registers": { width: 16, rows: 8, registers: 32 },
};

function units(
  widths: KernelMatrices["widths"],
  [down, across]: readonly [number, number],
  [threadsDown, threadsAcross, rowsPerThread]: readonly [number, number, number],
): Units {
  const product = { operand: "f32", rows: 8, columns: 8, depth: 8, width: 16, widths } as const;
  const threads = { down: threadsDown, across: threadsAcross, rowsPerThread, rolled: true };
  return { matrices: product, down, across, threads };
}

describe.each(Object.entries(programs))("%s", (_, { shape, of }) => {
  test.each(Object.entries(layouts))("in workgroup memory, %s", async (_, threads) => {
    const [m, n] = [threads.down * threads.rowsPerThread, 4 * threads.across];
    await checkLowering(shape, of, [m, n], (k, program) => lowerShared(k, program, threads));
  });

  test.each(Object.entries(teams))("in fragments, %s", async (_, units) => {
    const { down, rowsPerThread } = units.threads;
    const n = wholeOf(units, 1, "columns");
    const lower = (k: Builder, program: TileProgram) => lowerFragments(k, program, units);
    await checkLowering(shape, of, [down * rowsPerThread, n], lower);
  });

  test.each(Object.entries(vectors))("in lanes, %s", async (_, { width, rows, registers }) => {
    await checkLowering(shape, of, [rows, 2 * width], (k, program) =>
      lowerLanes(k, program, { width, registers }),
    );
  });
});

/** A lowering computes what one thread does, and all its barriers are needed. */
async function checkLowering(
  shape: readonly number[],
  of: Made,
  [m, n]: readonly [number, number],
  lower: (k: Builder, program: TileProgram) => Kernel,
): Promise<void> {
  const plain = graphOfOp(opOf(shape, (k, made) => lowerPlain(k, made(m, n)), of));
  const lowered = graphOfOp(opOf(shape, (k, made) => lower(k, made(m, n)), of));
  const wanted = await runOnReference(plain, numbers, {});
  const got = await runOnReference(lowered, numbers, {});
  expect(relativeError(got.y!, wanted.y!)).toBeLessThan(1e-6);

  const { kernels, plan } = compileStages(lowered, { target: "reference" });
  for (const [i, broken] of withoutBarriers(plan, 0, kernels[0]!.kernel).entries())
    await expect(run(broken), `without barrier ${i}`).rejects.toThrow(/E450/);
}

describe("rounds that change nothing are left out, but for the first,", () => {
  /** It breaks the rule: a round that is left out would have changed something. */
  const counting = tiled(rows, columns, ({ outputs: [y] }, { m, n, rows, columns }) => (t) => {
    const [count] = t.loop(
      3,
      [t.fill(m, n, 0)],
      (_, [x]) => [t.map([x], (v) => v!.add(1))],
      (i) => i.lt(rows.block),
    );
    t.store(count, rows, columns, (x, r, c) => y!.put(x, r, c));
  });
  const threads = { down: 2, across: 2, rowsPerThread: 2, rolled: true };
  const lowerings = {
    "in workgroup memory": (k: Builder, made: TileProgram) => lowerShared(k, made, threads),
    "in lanes": (k: Builder, made: TileProgram) => lowerLanes(k, made, { width: 4 }),
  };
  test.each(Object.entries(lowerings))("%s", async (_, lower) => {
    const [m, n] = [4, 8];
    const op = opOf([rows, columns], (k, made) => lower(k, made(m, n)), counting);
    const { y } = await runOnReference(graphOfOp(op), numbers, {});
    expect(y).toEqual(y!.map((_, i) => Math.max(1, Math.floor(i / columns / m))));
  });
});

test("one thread gives what the product of matrices is", async () => {
  const { shape, of } = programs["a product, its depth in steps"]!;
  const graph = graphOfOp(opOf(shape, (k, made) => lowerPlain(k, made(5, 4)), of));
  const [{ a, b }, { y }] = [numbers, await runOnReference(graph, numbers, {})];
  const wanted = Array.from({ length: rows * columns }, (_, i) => {
    const [r, c] = [Math.floor(i / columns), i % columns];
    let sum = 0;
    for (let d = 0; d < deep; d++) sum += a![r * deep + d]! * b![d * columns + c]!;
    return sum;
  });
  expect(relativeError(y!, wanted)).toBeLessThan(1e-6);
});

async function run(plan: Plan): Promise<void> {
  const session = await createSession(plan, referenceDevice());
  await session.run(
    Object.fromEntries(plan.inputs.map(({ name }) => [name, Float32Array.from(numbers[name]!)])),
  );
}

describe("what a program may not do is a bug of its author's", () => {
  const told = (body: TileProgram["body"]) => () =>
    usesOf({ name: "wrong", groups: [1, 1, 1], body }, (least) => least);

  test("tiles that do not fit are not multiplied", () => {
    expect(told((t) => void t.dot(t.fill(4, 4, 0), t.fill(4, 8, 1), t.fill(4, 4, 1)))).toThrow(
      /E900.*\[4, 8\] with \[4, 4\]/s,
    );
  });
  test("a sum that was read is not added to", () => {
    const twice: TileProgram["body"] = (t) => {
      const sum = t.fill(4, 4, 0);
      t.map([sum], (x) => x!);
      t.dot(sum, t.fill(4, 4, 1), t.fill(4, 4, 1));
    };
    expect(told(twice)).toThrow(/E900.*a sum twice/s);
  });
  test("what is carried on has the sizes of what was carried", () => {
    const grown: TileProgram["body"] = (t) =>
      void t.loop(2, [t.fill(4, 1, 0)], () => [t.fill(4, 4, 0)]);
    expect(told(grown)).toThrow(/E900.*\[4, 1\] on as \[4, 4\]/s);
  });
  test("tiles of other sizes are not mapped together", () => {
    expect(told((t) => void t.map([t.fill(4, 4, 0), t.fill(2, 4, 0)], (x) => x!))).toThrow(/E900/);
  });
});
