/** Places along a span, kept inside the axis, and whether they exist. */
import type { Builder } from "../kernel/builder.ts";
import { bounded, index, type Value } from "../kernel/value.ts";
import type { At, Put, Span } from "./program.ts";

export type Place = readonly [at: Value, exists: Value];

/** The place at an offset in the span's piece. */
export function placeIn(k: Builder, { block, size, extent }: Span, offset: Value): Place {
  const at = k.let("at", block.mul(size).add(offset));
  return [k.let("at", at.min(extent - 1)), k.let("inside", at.lt(extent))];
}

/** The element at offsets in the spans' pieces; beyond their ends that of the last one. */
export const elementIn =
  (rows: Span, columns: Span, at: At): At =>
  (row, column) =>
    at(lastIn(rows, row), lastIn(columns, column));

const lastIn = ({ block, size, extent }: Span, offset: Value): Value =>
  block
    .mul(size)
    .add(offset)
    .min(extent - 1);

/** Four neighbours of number `four`: clamped together where the axis is a multiple of four. */
export function foursIn(k: Builder, { block, size, extent }: Span, four: Value): Place[] {
  const first = k.let("at", block.mul(size / 4).add(four));
  if (extent % 4 !== 0)
    return [0, 1, 2, 3].map((i) => placeIn(k, { block: first, size: 4, extent }, index(i)));
  const at = k.let("at", first.min(extent / 4 - 1));
  const inside = k.let("inside", first.lt(extent / 4));
  return [0, 1, 2, 3].map((i) => [at.mul(4).add(i), inside]);
}

/** The place of each lane in vector number `v` of the span's piece: clamped together where vectors are whole. */
export function lanesIn(k: Builder, span: Span, v: Value, lane: Value, width: number): Place {
  const { block, size, extent } = span;
  if (extent % width !== 0) return placeIn(k, span, v.mul(width).add(lane));
  const first = k.let("at", block.mul(size).add(v.mul(width)));
  return [first.min(extent - width).add(lane), k.let("inside", first.lt(extent))];
}

/** Puts an element of a tile, at offsets in the spans' pieces, if there is such a place. */
export const putIn =
  (k: Builder, rows: Span, columns: Span, put: Put): Put =>
  (value, row, column) => {
    const r = k.let("r", rows.block.mul(rows.size).add(row));
    const c = k.let("c", columns.block.mul(columns.size).add(column));
    k.if(r.lt(rows.extent).and(c.lt(columns.extent)), () =>
      put(value, bounded(r, rows.extent - 1), bounded(c, columns.extent - 1)),
    );
  };

export const range = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));
