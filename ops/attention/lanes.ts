/**
 * What the attention kernels of subgroup devices are made of. Each lane owns a few rows; the rows
 * of a tile are walked by all lanes together: read by one lane each, broadcast from lane to lane.
 */
import {
  type Buffer,
  type Builder,
  index,
  literal,
  type Value,
  type Variable,
} from "../../compiler/op-kit.ts";
import { pairwise, range } from "../pairwise.ts";

export interface Lanes {
  readonly k: Builder;
  /** How many lanes there are, and which one this is. */
  readonly width: number;
  readonly lane: Value;
  /** How many rows each lane owns: `width` apart. */
  readonly count: number;
}

/** Channel d of a row. */
export type At = (row: Value, d: Value) => Value;
/** Channel d of this lane's row r. */
export type Own = (r: number, d: Value) => Value;

/** How many steps of equal size, at most sixteen rows each, walk over all rows; and that size. */
export function tilesOf(rows: number): { readonly steps: number; readonly tile: number } {
  const tile = Math.ceil(rows / Math.ceil(rows / 16));
  return { steps: Math.ceil(rows / tile), tile };
}

/** [j][r]: <own_r, row_j> for a tile of rows: row j is read by lane j % width and broadcast. */
export function products(
  { k, width, lane, count }: Lanes,
  tile: number,
  depth: number,
  own: Own,
  at: At,
): Variable[][] {
  const sums = range(tile, () => range(count, () => k.var("product", literal(0, "f32"))));
  const mine = range(Math.ceil(tile / width), (a) => lane.add(a * width).min(tile - 1));
  const step = (first: Value, size: number) => {
    const along = (read: (d: Value) => Value, name: string) =>
      range(size, (c) => k.let(name, read(first.add(c))));
    const mineOwn = range(count, (r) => along((d) => own(r, d), "own"));
    const rows = mine.map((row) => along((d) => at(row, d), "row"));
    sums.forEach((row, j) => {
      const held = rows[Math.floor(j / width)]!;
      const shared = held.map((x) => k.let("shared", k.broadcast(x, j % width)));
      row.forEach((sum, r) => {
        const terms = shared.map((x, c) => x.mul(mineOwn[r]![c]!));
        sum.set(sum.get.add(pairwise(terms)));
      });
    });
  };
  k.for("d", Math.floor(depth / 4), (d) => step(d.mul(4), 4));
  if (depth % 4 > 0) step(index(depth - (depth % 4)), depth % 4);
  return sums;
}

/** sums_r += sum over j of weight_{j, r} row_j; a row's channels are spread over the lanes. */
export function addRows(
  { k, width, lane, count }: Lanes,
  sums: readonly (readonly Variable[])[],
  weights: Buffer,
  tile: number,
  at: At,
): void {
  const out = sums[0]!.length;
  const unit = out % 4 === 0 ? 4 : 1;
  const blocks = out / unit;
  const pair = tile % 2 === 0 ? 2 : 1;
  k.for("j", tile / pair, (half) => {
    const keys = range(pair, (u) => k.let("j", half.mul(pair).add(u)));
    const spread = keys.map((j) =>
      range(Math.ceil(blocks / width), (h) => {
        const block = lane
          .add(h * width)
          .min(blocks - 1)
          .mul(unit);
        return range(unit, (c) => k.let("v", at(j, block.add(c))));
      }),
    );
    const weight = keys.map((j) =>
      range(count, (r) => k.let("weight", k.load(weights, j.mul(count).add(r)))),
    );
    for (let d = 0; d < out; d++) {
      const [block, c] = [Math.floor(d / unit), d % unit];
      const shared = spread.map((own) => {
        const held = own[Math.floor(block / width)]![c]!;
        return k.let("shared", k.broadcast(held, block % width));
      });
      sums.forEach((row, r) => {
        const terms = shared.map((x, u) => x.mul(weight[u]![r]!));
        row[d]!.set(row[d]!.get.add(pairwise(terms)));
      });
    }
  });
}

/** Sums of the lane's own rows, one per channel, from zero. */
export const ownSums = ({ k, count }: Lanes, channels: number): Variable[][] =>
  range(count, () => range(channels, () => k.var("sum", literal(0, "f32"))));

/** Calls `put` for every channel of every own row, in one loop: what melted behind stands there once. */
export function putRows(
  { k, width, count }: Lanes,
  values: readonly (readonly Value[])[],
  put: (offset: Value, d: Value, value: Value) => void,
): void {
  const channels = values[0]!.length;
  const held = k.local("held", count * channels);
  values.flat().forEach((value, i) => {
    k.store(held, i, value);
  });
  k.for("i", count * channels, (i) => {
    put(i.div(channels).mul(width), i.mod(channels), k.load(held, i));
  });
}
