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
  type KernelSite,
  literal,
  lowerShared,
  single,
  span,
  type Threads,
  type TileProgram,
} from "../../../compiler/op-kit.ts";
import type { KernelMatrices, Plan } from "../../../compiler/plan.ts";
import { lowerFragments, type Units, wholeOf } from "../../../compiler/tile/fragments.ts";
import { lowerPlain } from "../../../compiler/tile/plain.ts";
import { usesOf } from "../../../compiler/tile/uses.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { createSession } from "../../../runtime/session.ts";
import { randomNumbers, relativeError, runOnReference } from "../../../verify/ops/evaluate.ts";
import { withoutBarriers } from "../../support/without-barriers.ts";

type Site = Pick<KernelSite<null>, "k" | "inputs" | "outputs">;
/** `m` rows and `n` columns of a workgroup. */
type Made = (site: Site, m: number, n: number) => TileProgram;

const [rows, deep, columns] = [13, 10, 21] as const;
const shapes = { a: [rows, deep], b: [deep, columns], c: [columns, deep] } as const;

/** Tiles over all of a result of `height` x `width`: a workgroup for each. */
const tiled =
  (height: number, width: number, body: (site: Site, at: Places) => TileProgram["body"]): Made =>
  (site, m, n) => {
    const groups = [Math.ceil(width / n), Math.ceil(height / m), 1] as const;
    const at = {
      ...{ m, n },
      rows: span(height, m, site.k.group(1, groups[1])),
      columns: span(width, n, site.k.group(0, groups[0])),
    };
    return { name: "small", groups, body: body(site, at) };
  };

interface Places {
  readonly m: number;
  readonly n: number;
  readonly rows: ReturnType<typeof span>;
  readonly columns: ReturnType<typeof span>;
}

const programs: Readonly<Record<string, { readonly shape: readonly number[]; readonly of: Made }>> =
  {
    "a product, its depth in steps": {
      shape: [rows, columns],
      of: tiled(
        rows,
        columns,
        ({ inputs: [a, b], outputs: [y] }, { m, n, rows, columns }) =>
          (t) => {
            const size = t.whole(3, "depth");
            const [sum] = t.loop(Math.ceil(deep / size), [t.fill(m, n, 0)], (step, [sum]) => {
              const depth = span(deep, size, step);
              const left = t.load(rows, depth, (r, d) => a!.at(r, d));
              return [
                t.dot(
                  sum,
                  left,
                  t.load(depth, columns, (d, c) => b!.at(d, c)),
                ),
              ];
            });
            t.store(sum, rows, columns, (x, r, c) => y!.put(x, r, c));
          },
      ),
    },
    "a chain of products: what is computed is multiplied": {
      shape: [rows, deep],
      of: tiled(
        rows,
        deep,
        ({ inputs: [a, b, c], outputs: [y] }, { m, n, rows, columns: out }) =>
          (t) => {
            const inner = span(deep, t.whole(deep, "depth"));
            const middle = span(columns, t.whole(columns, "columns"));
            const first = t.dot(
              t.fill(m, middle.size, 0),
              t.load(rows, inner, (r, d) => a!.at(r, d)),
              t.load(inner, middle, (d, j) => b!.at(d, j)),
            );
            const bent = t.map([first], (x) => x!.mul(x!));
            const right = t.load(middle, out, (j, d) => c!.at(j, d));
            t.store(t.dot(t.fill(m, n, 1), bent, right), rows, out, (x, r, d) => y!.put(x, r, d));
          },
      ),
    },
    "folds both ways, and vectors that stand for all": {
      shape: [rows, deep],
      of: tiled(rows, deep, ({ inputs: [a], outputs: [y] }, { rows, columns }) => (t) => {
        const x = t.load(rows, columns, (r, c) => a!.at(r, c), -2);
        const high = t.fold("maxnum", x, "columns");
        const sums = t.fold("add", x, "rows");
        const all = t.fold("add", high, "rows");
        const mixed = t.map([x, high, sums, all], (p, q, r, s) => p!.sub(q!).add(r!.mul(s!)));
        t.store(mixed, rows, columns, (v, r, c) => y!.put(v, r, c));
      }),
    },
    "loops in loops, and carried tiles of several shapes that change places": {
      shape: [rows, columns],
      of: tiled(
        rows,
        columns,
        ({ inputs: [a, b], outputs: [y] }, { m, n, rows, columns }) =>
          (t) => {
            // In every lowering: what is done in each step depends on how many there are.
            const size = t.whole(8, "depth");
            // It is read in the loop further in, and stays as it is.
            const kept = t.load(rows, span(deep, t.whole(deep, "depth")), (r, d) => a!.at(r, d));
            const whole = t.load(span(deep, t.whole(deep, "depth")), columns, (d, c) =>
              b!.at(d, c),
            );
            const first = [t.fill(m, n, 0), t.fill(m, 1, 1), t.fill(m, n, 2)] as const;
            const [x, level, z] = t.loop(3, first, (i, [x, level, z]) => {
              const [next] = t.loop(Math.ceil(deep / size), [x], (step, [sum]) => {
                const depth = span(deep, size, step);
                const left = t.load(rows, depth, (r, d) => a!.at(r, d).add(i.cast("f32")));
                const right = t.load(depth, columns, (d, c) => b!.at(d, c));
                const twice = t.dot(
                  t.map([sum], (v) => v!.mul(0.5)),
                  left,
                  right,
                );
                return [t.dot(twice, kept, whole)];
              });
              const high = t.map([level, t.fold("maxnum", next, "columns")], (p, q) =>
                p!.maxnum(q!),
              );
              return [z, high, next] as const;
            });
            const out = t.map([x, level, z], (p, q, r) => p!.add(q!).sub(r!.mul(0.25)));
            t.store(out, rows, columns, (v, r, c) => y!.put(v, r, c));
          },
      ),
    },
    "a sum that others read is not written over": {
      shape: [rows, columns],
      of: tiled(
        rows,
        columns,
        ({ inputs: [a, b], outputs: [y] }, { m, n, rows, columns }) =>
          (t) => {
            const depth = span(deep, t.whole(deep, "depth"));
            const left = t.load(rows, depth, (r, d) => a!.at(r, d));
            const right = t.load(depth, columns, (d, c) => b!.at(d, c));
            const start = t.dot(t.fill(m, n, 0), left, right);
            const [end] = t.loop(2, [start], (_, [x]) => [t.map([x], (v) => v!.add(1))]);
            const [more] = t.loop(2, [t.fill(m, 1, 0)], (_, [x]) => {
              const again = t.dot(
                t.map([start], (v) => v!),
                left,
                right,
              );
              return [t.map([x, t.fold("add", again, "columns")], (p, q) => p!.add(q!))];
            });
            t.store(
              t.map([start, end, more], (p, q, r) => p!.sub(q!.mul(3)).add(r!)),
              rows,
              columns,
              (v, r, c) => y!.put(v, r, c),
            );
          },
      ),
    },
    "a sum that is read a round later": {
      shape: [rows, columns],
      of: tiled(
        rows,
        columns,
        ({ inputs: [a, b], outputs: [y] }, { m, n, rows, columns }) =>
          (t) => {
            const depth = span(deep, t.whole(deep, "depth"));
            const left = t.load(rows, depth, (r, d) => a!.at(r, d));
            const right = t.load(depth, columns, (d, c) => b!.at(d, c));
            const first = [t.fill(m, n, 1), t.fill(m, n, 2)] as const;
            const [last] = t.loop(3, first, (_, [x, before]) => {
              const half = t.map([before], (v) => v!.mul(0.5));
              return [t.dot(half, left, right), x] as const;
            });
            t.store(last, rows, columns, (v, r, c) => y!.put(v, r, c));
          },
      ),
    },
    "a product whose left side is lower triangular: rounds that change nothing": {
      shape: [rows, columns],
      of: tiled(
        rows,
        columns,
        ({ inputs: [a, b], outputs: [y] }, { m, n, rows, columns }) =>
          (t) => {
            const size = t.whole(2, "depth");
            const start = t.fill(m, n, 0);
            const [sum] = t.loop(
              Math.ceil(deep / size),
              [start],
              (step, [sum]) => {
                const depth = span(deep, size, step);
                const left = t.load(rows, depth, (r, d) => d.le(r).select(a!.at(r, d), 0));
                return [
                  t.dot(
                    sum,
                    left,
                    t.load(depth, columns, (d, c) => b!.at(d, c)),
                  ),
                ];
              },
              (step) => step.mul(size).lt(rows.block.add(1).mul(m)),
            );
            t.store(sum, rows, columns, (x, r, c) => y!.put(x, r, c));
          },
      ),
    },
    "vectors are stored once, from loops that carry nothing": {
      shape: [rows + deep],
      of: ({ inputs: [a], outputs: [y] }, m, n) => ({
        name: "vectors",
        groups: [1, 1, 1],
        body(t) {
          const across = span(deep, n * Math.ceil(deep / n));
          t.loop(Math.ceil(rows / m), [], (step) => {
            const down = span(rows, m, step);
            const x = t.load(down, across, (r, c) => a!.at(r, c));
            t.store(t.fold("add", x, "columns"), down, single, (v, r) => y!.put(v, r));
            return [];
          });
          const first = t.load(single, across, (_, c) => a!.at(literal(0, "u32"), c));
          const twice = t.map([first], (v) => v!.mul(2));
          t.store(twice, single, across, (v, _, c) => y!.put(v, c.add(rows)));
        },
      }),
    },
  };

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
  "three slices, unrolled": { down: 4, across: 1, rowsPerThread: 1, slices: 3, rolled: false },
  "a row of threads each": { down: 4, across: 1, rowsPerThread: 1, rolled: false },
};

/** Fragments of singles round nothing: subgroups down and across, and the threads that have elements. */
const teams: Readonly<Record<string, Units>> = {
  "a subgroup": units("fixed", [1, 1], [8, 2, 1]),
  "two by two, of at most so many threads": units("most", [2, 2], [16, 4, 1]),
  "two in a column, fragments stored by twos": { ...units("chosen", [2, 1], [16, 2, 2]), round: 2 },
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

test("rounds that change nothing are left out in workgroup memory", async () => {
  const threads = layouts["four by two"]!;
  const [m, n] = [threads.down * threads.rowsPerThread, 4 * threads.across];
  // It breaks the rule: a round that is left out would have changed something.
  const counting = tiled(rows, columns, ({ outputs: [y] }, { m, n, rows, columns }) => (t) => {
    const [count] = t.loop(
      3,
      [t.fill(m, n, 0)],
      (_, [x]) => [t.map([x], (v) => v!.add(1))],
      (i) => i.lt(rows.block),
    );
    t.store(count, rows, columns, (x, r, c) => y!.put(x, r, c));
  });
  const op = opOf([rows, columns], (k, made) => lowerShared(k, made(m, n), threads), counting);
  const { y } = await runOnReference(graphOfOp(op), numbers, {});
  const wanted = y!.map((_, i) => Math.max(1, Math.floor(i / columns / m)));
  expect(y).toEqual(wanted);
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
