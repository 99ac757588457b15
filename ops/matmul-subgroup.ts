/**
 * The matmul kernel of subgroup devices: a workgroup is one subgroup, and no memory is shared.
 *
 * Each lane reads four numbers of its own rows of `a` and of its own columns of `b`; the rows are
 * then broadcast from lane to lane, so that every lane multiplies all rows with its columns.
 */
import {
  type Builder,
  bounded,
  elements,
  type In,
  type Kernel,
  type KernelSite,
  literal,
  type Profile,
  unflatten,
  type Value,
  type Variable,
} from "../compiler/op.ts";
import type { Tile } from "./matmul-shared.ts";
import { pairwise, range } from "./pairwise.ts";

/**
 * Rows of the tile, and columns per lane: the rows that waste least of the last tile. Small products
 * get small tiles, which compile sooner.
 */
export function subgroupTile(m: number, n: number, k: number, profile: Profile): Tile {
  const isSmall = m * n * k < 2 ** 20;
  const columns = isSmall ? 2 : 4;
  const heights = isSmall ? [8, 16] : [8, 16, 24, 32, 40];
  const waste = (rows: number) => Math.ceil(m / rows) * rows;
  const rows = heights.reduce((a, b) => (waste(b) <= waste(a) ? b : a));
  return { m: rows, n: columns * profile.subgroup, k: 4, rm: rows, rn: columns };
}

export function subgroupMatmul({ k, inputs, outputs, profile }: KernelSite<null>): Kernel {
  const out = outputs[0]!;
  const [M, N] = [out.shape.at(-2)!, out.shape.at(-1)!];
  const depth = inputs.reduce((sum, x, i) => (i % 2 ? sum : sum + x.shape.at(-1)!), 0);
  const tile = subgroupTile(M, N, depth, profile);
  const width = profile.subgroup;
  const batch = out.shape.slice(0, -2);
  const groups: Kernel["groups"] = [Math.ceil(N / tile.n), Math.ceil(M / tile.m), elements(batch)];
  const lane = k.lane(width);
  const lead = unflatten(batch, k.group(2, groups[2]));
  const m0 = k.let("m0", k.group(1, groups[1]).mul(tile.m));
  const n0 = k.let("n0", k.group(0, groups[0]).mul(tile.n));
  const rows = range(Math.ceil(tile.rm / width), (i) =>
    k.let(
      "row",
      m0
        .add(lane)
        .add(i * width)
        .min(M - 1),
    ),
  );
  const columns = range(tile.rn, (j) =>
    k.let(
      "column",
      n0
        .add(lane)
        .add(j * width)
        .min(N - 1),
    ),
  );
  const sums = range(tile.rm, () => range(tile.rn, () => k.var("sum", literal(0, "f32"))));

  for (let s = 0; s < inputs.length; s += 2) {
    const [a, b] = [inputs[s]!, inputs[s + 1]!];
    const K = a.shape.at(-1)!;
    const step = (first: Value, count: number) =>
      accumulate(k, a, b, lead, { rows, columns, sums, width, first, count });
    k.for("step", Math.floor(K / 4), (i) => step(i.mul(4), 4));
    if (K % 4 > 0) step(literal(K - (K % 4), "u32"), K % 4);
  }

  const held = k.local("held", tile.rm * tile.rn);
  sums.flat().forEach((sum, i) => {
    k.store(held, i, sum.get);
  });
  k.for("r", tile.rm * tile.rn, (r) => {
    const m = k.let("m", m0.add(r.div(tile.rn)));
    const n = k.let("n", n0.add(lane).add(r.mod(tile.rn).mul(width)));
    k.if(m.lt(M).and(n.lt(N)), () => {
      out.put(k.load(held, r), ...lead, bounded(m, M - 1), bounded(n, N - 1));
    });
  });
  return k.finish("matmul", [width, 1, 1], groups);
}

interface Step {
  readonly rows: readonly Value[];
  readonly columns: readonly Value[];
  readonly sums: readonly (readonly Variable[])[];
  readonly width: number;
  /** The first of `count` (at most four) places along the depth. */
  readonly first: Value;
  readonly count: number;
}

function accumulate(
  k: Builder,
  a: In,
  b: In,
  lead: readonly Value[],
  { rows, columns, sums, width, first, count }: Step,
): void {
  const along = (at: (place: Value) => Value, name: string) =>
    range(count, (c) => k.let(name, at(first.add(c))));
  const left = rows.map((row) => along((place) => a.at(...lead, row, place), "a"));
  const right = columns.map((column) => along((place) => b.at(...lead, place, column), "b"));
  sums.forEach((row, i) => {
    const own = left[Math.floor(i / width)]!;
    const shared = own.map((v) => k.let("shared", k.broadcast(v, i % width)));
    row.forEach((sum, j) => {
      const products = shared.map((v, c) => v.mul(right[j]![c]!));
      sum.set(sum.get.add(pairwise(products)));
    });
  });
}
