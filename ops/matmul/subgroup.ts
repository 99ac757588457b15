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
  form,
  type In,
  type Kernel,
  type KernelSite,
  literal,
  type Profile,
  unflatten,
  type Value,
  type Variable,
  wideSubgroups,
} from "../../compiler/op-kit.ts";
import { pairwise, range } from "../pairwise.ts";
import { type ProductShape, shapeOf, tileReads } from "./tiles.ts";

/** Rows and columns of a subgroup's tile, and the columns of one lane. */
export type SubgroupTile = {
  readonly m: number;
  readonly n: number;
  readonly rn: number;
};

export const subgroupProduct = form<null, SubgroupTile>({
  ...wideSubgroups,
  tiles: ({ inputs, profile }) => subgroupTiles(shapeOf(inputs), profile),
  reads: tileReads,
  kernel: subgroupMatmul,
});

const heights = [8, 16, 24, 32, 40];
const widths = [1, 2, 4];

/**
 * Every tile, the best first: the rows that waste least of the last tile, and four columns per lane.
 * Small products get small tiles, which compile sooner. The others follow by what they read.
 */
function subgroupTiles(shape: ProductShape, profile: Profile): readonly SubgroupTile[] {
  const { rows: m, columns: n } = shape;
  const isSmall = m * n * shape.depths.reduce((a, b) => a + b) < 2 ** 20;
  const waste = (rows: number) => Math.ceil(m / rows) * rows;
  const rows = (isSmall ? [8, 16] : heights).reduce((a, b) => (waste(b) <= waste(a) ? b : a));
  const tile = (m: number, rn: number): SubgroupTile => ({ m, n: rn * profile.subgroup, rn });
  const best = tile(rows, isSmall ? 2 : 4);
  // Each lane multiplies its tile, and reads both its sides.
  const cost = (t: SubgroupTile) =>
    waste(t.m) * Math.ceil(n / t.n) * t.n * (1 + 4 / t.m + 4 / (t.rn * profile.subgroup));
  const all = heights.flatMap((height) => widths.map((width) => tile(height, width)));
  const others = all.filter((t) => t.m !== best.m || t.rn !== best.rn);
  return [best, ...others.sort((a, b) => cost(a) - cost(b))];
}

function subgroupMatmul(
  { k, inputs, outputs, profile }: KernelSite<null>,
  tile: SubgroupTile,
): Kernel {
  const out = outputs[0]!;
  const [M, N] = [out.shape.at(-2)!, out.shape.at(-1)!];
  const width = profile.subgroup;
  const batch = out.shape.slice(0, -2);
  const groups: Kernel["groups"] = [Math.ceil(N / tile.n), Math.ceil(M / tile.m), elements(batch)];
  const lane = k.lane(width);
  const lead = unflatten(batch, k.group(2, groups[2]));
  const m0 = k.let("m0", k.group(1, groups[1]).mul(tile.m));
  const n0 = k.let("n0", k.group(0, groups[0]).mul(tile.n));
  const rows = range(Math.ceil(tile.m / width), (i) =>
    k.let(
      "row",
      m0
        .add(lane)
        .add(i * width)
        .min(M - 1),
    ),
  );
  // Four columns of a lane are neighbours where that is possible: an operand that lies along its
  // columns is then read in fours, as one that lies along its rows is anyway.
  const isBlocked = tile.rn === 4 && N % 4 === 0;
  const own = isBlocked ? n0.add(lane.mul(4)) : n0.add(lane);
  const first = k.let("first", isBlocked ? own.min(N - 4) : own);
  const columns = range(tile.rn, (j) =>
    isBlocked ? first.add(j) : k.let("column", first.add(j * width).min(N - 1)),
  );
  const sums = range(tile.m, () => range(tile.rn, () => k.var("sum", literal(0, "f32"))));

  for (let s = 0; s < inputs.length; s += 2) {
    const [a, b] = [inputs[s]!, inputs[s + 1]!];
    const K = a.shape.at(-1)!;
    const step = (first: Value, count: number) =>
      accumulate(k, a, b, lead, { rows, columns, sums, width, first, count });
    k.for("step", Math.floor(K / 4), (i) => step(i.mul(4), 4));
    if (K % 4 > 0) step(literal(K - (K % 4), "u32"), K % 4);
  }

  const held = k.local("held", tile.m * tile.rn);
  sums.flat().forEach((sum, i) => {
    k.store(held, i, sum.get);
  });
  k.for("r", tile.m * tile.rn, (r) => {
    const m = k.let("m", m0.add(r.div(tile.rn)));
    const column = r.mod(tile.rn);
    const n = k.let("n", own.add(isBlocked ? column : column.mul(width)));
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
