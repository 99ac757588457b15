/**
 * The tiled kernel of matmul: tiles of both operands in workgroup memory, sums in registers.
 *
 * Threads copy blocks of four by four elements. Whichever way an operand lies in memory, four of a
 * block's elements are neighbours there, so both operands and their transposes are read in wide
 * loads. Workgroup memory is written and read by fours too: the left tile by rows, four places of
 * the depth together; the right one by places of the depth, four columns together.
 *
 * A tile of few rows or columns splits its depth among slices of threads; their sums meet in
 * workgroup memory.
 */
import {
  type Buffer,
  type Builder,
  bounded,
  elements,
  form,
  type In,
  type Kernel,
  type KernelSite,
  literal,
  unflatten,
  type Value,
  type Variable,
  workgroups,
} from "../../compiler/op-kit.ts";
import { range } from "../pairwise.ts";
import { leftRow, type SharedTile, shapeOf, sharedTiles, threadsOf, tileReads } from "./tiles.ts";

export const sharedProduct = form<null, SharedTile>({
  ...workgroups,
  tiles: ({ inputs, profile }) => sharedTiles(shapeOf(inputs), profile),
  reads: tileReads,
  kernel: sharedMatmul,
});

function sharedMatmul({ k, inputs, outputs, profile }: KernelSite<null>, tile: SharedTile): Kernel {
  const out = outputs[0]!;
  const [M, N] = [out.shape.at(-2)!, out.shape.at(-1)!];
  const batch = out.shape.slice(0, -2);
  const [across, down] = [tile.n / tile.rn, tile.m / tile.rm];
  const threads = threadsOf(tile);
  const groups: Kernel["groups"] = [Math.ceil(N / tile.n), Math.ceil(M / tile.m), elements(batch)];
  const id = k.thread(0, threads);
  const col = k.let("col", id.mod(across));
  const row = k.let("row", id.div(across).mod(down));
  const slice = k.let("slice", id.div(across * down));
  const m4 = k.let("m4", k.group(1, groups[1]).mul(tile.m / 4));
  const n4 = k.let("n4", k.group(0, groups[0]).mul(tile.n / 4));
  const lead = unflatten(batch, k.group(2, groups[2]));
  const left = k.sharedFours("left", tile.m * leftRow(tile));
  const right = k.sharedFours("right", tile.k * tile.n);
  const sums = range(tile.rm, () => range(tile.rn, () => k.var("sum", literal(0, "f32"))));
  const held: Held = { k, tile, lead, m4, n4, row, col, slice, left, right, sums };

  for (let s = 0; s < inputs.length; s += 2) {
    const [a, b] = [inputs[s]!, inputs[s + 1]!];
    const steps = Math.ceil(a.shape.at(-1)! / tile.k);
    k.for("step", steps, (step) => {
      stage(held, a, b, k.let("k4", step.mul(tile.k / 4)));
      k.barrier();
      k.for("quad", tile.k / 4 / tile.split, (quad) =>
        accumulate(held, k.let("quad", quad.mul(tile.split).add(slice))),
      );
      // Nothing overwrites the last tile of all.
      if (steps > 1 || s + 2 < inputs.length) k.barrier();
    });
  }

  const put = (value: Value, m: Value, n: Value) =>
    k.if(m.lt(M).and(n.lt(N)), () => out.put(value, ...lead, bounded(m, M - 1), bounded(n, N - 1)));
  if (tile.split > 1) putSlices(held, put);
  else if (profile.rolled || N % 4 !== 0) putEach(held, put);
  else
    putFours(held, (values, m, four) =>
      k.if(m.lt(M).and(four.lt(N / 4)), () => {
        const n = bounded(four, N / 4 - 1).mul(4);
        for (const [c, value] of values.entries())
          out.put(value, ...lead, bounded(m, M - 1), n.add(c));
      }),
    );
  return k.finish("matmul", [threads, 1, 1], groups);
}

/** What the parts of the kernel share. */
interface Held {
  readonly k: Builder;
  readonly tile: SharedTile;
  /** Coordinates of the batch. */
  readonly lead: readonly Value[];
  /** The tile's first row and column in fours; this thread's place in it; its slice of the depth. */
  readonly m4: Value;
  readonly n4: Value;
  readonly row: Value;
  readonly col: Value;
  readonly slice: Value;
  readonly left: Buffer;
  readonly right: Buffer;
  readonly sums: readonly (readonly Variable[])[];
}

/** All threads copy a tile of each operand: first the blocks of the left one, then of the right. */
function stage({ k, tile, lead, m4, n4, left, right }: Held, a: In, b: In, k4: Value): void {
  const [deep, columns] = [tile.k / 4, tile.n / 4];
  const lefts = (tile.m / 4) * deep;
  const threads = threadsOf(tile);
  const share = (count: number, skipped: number, copy: (r: Value, c: Value) => void, row: number) =>
    shares(k, count, threads, skipped, (e) => copy(k.let("r", e.div(row)), k.let("c", e.mod(row))));
  const copyLeft = (r: Value, c: Value) => {
    for (const [i, values] of blockOf(k, a, lead, [m4.add(r), k4.add(c)]).entries())
      k.store4(
        left,
        r
          .mul(4)
          .add(i)
          .mul(leftRow(tile) / 4)
          .add(c),
        values,
      );
  };
  const copyRight = (r: Value, c: Value) => {
    for (const [i, values] of blockOf(k, b, lead, [k4.add(r), n4.add(c)]).entries())
      k.store4(right, r.mul(4).add(i).mul(columns).add(c), values);
  };
  share(lefts, 0, copyLeft, deep);
  share(deep * columns, lefts % threads, copyRight, columns);
}

/** Shares `count` pieces of work among all threads, but gives the first ones to the later threads. */
function shares(
  k: Builder,
  count: number,
  threads: number,
  skipped: number,
  work: (piece: Value) => void,
): void {
  const turned = k.let(
    "e",
    k
      .thread(0, threads)
      .add(threads - skipped)
      .mod(threads),
  );
  for (let first = 0; first < count; first += threads) {
    const e = k.let("e", turned.add(first));
    k.if(e.lt(count), () => work(bounded(e, count - 1)));
  }
}

/** Four by four elements of an operand, by rows. Zero outside of it. */
export function blockOf(
  k: Builder,
  x: In,
  lead: readonly Value[],
  block: readonly [Value, Value],
): Value[][] {
  const axes = block.map((at, i) => along(k, at, x.shape.at(i - 2)!));
  return axes[0]!.map((row) =>
    axes[1]!.map((column) => {
      const value = x.at(...lead, row.at, column.at);
      return row.inside.and(column.inside).select(value, literal(0, "f32"));
    }),
  );
}

/**
 * Four neighbouring places along an axis. A load must stay inside even where it is not used, so
 * places are clamped: all four together where the axis is a multiple of four, for wide loads.
 */
function along(k: Builder, block: Value, size: number) {
  const whole = k.let("at", block);
  if (size % 4 === 0) {
    const clamped = k.let("at", whole.min(size / 4 - 1));
    const inside = k.let("inside", whole.lt(size / 4));
    return range(4, (i) => ({ at: clamped.mul(4).add(i), inside }));
  }
  return range(4, (i) => {
    const at = whole.mul(4).add(i);
    return { at: k.let("at", at.min(size - 1)), inside: k.let("inside", at.lt(size)) };
  });
}

/** Four places of the depth: this thread's rows times its columns. */
function accumulate({ k, tile, row, col, left, right, sums }: Held, quad: Value): void {
  const across = tile.n / tile.rn;
  const rows = sums.map((_, i) =>
    k.load4(
      left,
      row
        .mul(tile.rm)
        .add(i)
        .mul(leftRow(tile) / 4)
        .add(quad),
    ),
  );
  for (let c = 0; c < 4; c++) {
    const at = quad
      .mul(4)
      .add(c)
      .mul(tile.n / 4);
    const columns = range(tile.rn / 4, (j) => k.load4(right, at.add(col).add(j * across))).flat();
    sums.forEach((own, i) => {
      own.forEach((sum, j) => {
        sum.set(rows[i]![c]!.fma(columns[j]!, sum.get));
      });
    });
  }
}

/** The thread's columns number 4j to 4j + 3, in fours: as far apart as there are threads across. */
const fourOf = ({ tile, col }: Held, j: Value | number): Value =>
  typeof j === "number" ? col.add((j * tile.n) / tile.rn) : j.mul(tile.n / tile.rn).add(col);

type Put = (value: Value, m: Value, n: Value) => void;

/** What melted behind is written once, in a loop, not once per sum. */
function putEach(held: Held, put: Put): void {
  const { k, tile, n4 } = held;
  const own = keepSums(held);
  k.for("i", tile.rm * tile.rn, (i) => {
    const j = i.mod(tile.rn);
    const n = k.let(
      "n",
      n4
        .add(fourOf(held, j.div(4)))
        .mul(4)
        .add(j.mod(4)),
    );
    put(k.load(own, i), rowOf(held, i.div(tile.rn)), n);
  });
}

/** The same, four neighbours at a time: what melted behind then reads them in wide loads. */
function putFours(held: Held, put: (values: readonly Value[], m: Value, four: Value) => void) {
  const { k, tile, n4 } = held;
  const own = keepSums(held);
  k.for("i", (tile.rm * tile.rn) / 4, (i) => {
    const four = k.let("four", n4.add(fourOf(held, i.mod(tile.rn / 4))));
    const values = range(4, (c) => k.let("value", k.load(own, i.mul(4).add(c))));
    put(values, rowOf(held, i.div(tile.rn / 4)), four);
  });
}

/** The thread's row `i` in the whole matrix. */
const rowOf = ({ k, tile, m4, row }: Held, i: Value): Value =>
  k.let("m", m4.mul(4).add(row.mul(tile.rm)).add(i));

/** The sums as an array of the thread's own. */
function keepSums({ k, tile, sums }: Held): Buffer {
  const own = k.local("held", tile.rm * tile.rn);
  sums.flat().forEach((sum, i) => {
    k.store(own, i, sum.get);
  });
  return own;
}

/** The slices' sums meet in workgroup memory; then neighbouring threads put neighbouring columns. */
function putSlices(held: Held, put: Put): void {
  const { k, tile, m4, n4, row, slice, sums } = held;
  const [size, threads] = [tile.m * tile.n, threadsOf(tile)];
  const parts = k.shared("parts", tile.split * size);
  sums.forEach((own, i) => {
    own.forEach((sum, j) => {
      const column = fourOf(held, Math.floor(j / 4))
        .mul(4)
        .add(j % 4);
      const at = row.mul(tile.rm).add(i).mul(tile.n).add(column);
      k.store(parts, slice.mul(size).add(at), sum.get);
    });
  });
  k.barrier();
  k.for("part", Math.ceil(size / threads), (part) => {
    const e = k.let("e", part.mul(threads).add(k.thread(0, threads)));
    k.if(e.lt(size), () => {
      const at = bounded(e, size - 1);
      const loads = range(tile.split, (s) => k.let("part", k.load(parts, at.add(s * size))));
      const total = loads.reduce((x, y) => x.add(y));
      const m = k.let("m", m4.mul(4).add(at.div(tile.n)));
      put(total, m, k.let("n", n4.mul(4).add(at.mod(tile.n))));
    });
  });
}
