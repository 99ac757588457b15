/**
 * The tile layer: what a workgroup of a heavy kernel computes, in tiles, without who computes it and
 * where it lies. A tile program is a function over `Tiles`; a lowering is an implementation of `Tiles`
 * that writes kernel IR as the program calls it.
 *
 * A program is run several times: once to learn how its tiles are used (`uses.ts`), then by the
 * lowering. So it is pure, and touches the builder inside `at`, `f`, `put` and `when` alone. Memory is reached
 * through ports, inside `at` and `put`: what melted in front of an operand or behind the result is
 * computed there.
 *
 * Tiles hold f32. A size of 1 stands for every row, or every column.
 */
import type { Builder } from "../kernel/builder.ts";
import type { Kernel } from "../kernel/ir.ts";
import { index, type Value } from "../kernel/value.ts";

/** Piece `block` of an axis that is cut in pieces of `size`. Places from `extent` on do not exist. */
export interface Span {
  readonly block: Value;
  readonly size: number;
  readonly extent: number;
}

export const span = (extent: number, size: number, block: Value = index(0)): Span => ({
  block,
  size,
  extent,
});

/** The axis of a row vector's row, and of a column vector's column. */
export const single: Span = span(1, 1);

/** What a lowering knows of it beyond its sizes is its own affair. */
export interface Tile {
  readonly rows: number;
  readonly columns: number;
}

/** The element at a place: row and column of the tensor, not of the tile. */
export type At = (row: Value, column: Value) => Value;
export type Put = (value: Value, row: Value, column: Value) => void;

/** `maxnum` may drop a NaN, as in kernel IR. */
export type TileFold = "add" | "maxnum";

export interface Tiles<T extends Tile = Tile> {
  /** A size that the lowering can have, `least` or more: of columns, or of a depth that `dot` sums over. */
  whole(least: number, of: "columns" | "depth"): number;
  /** Every element is `value`. */
  fill(rows: number, columns: number, value: number): T;
  /**
   * Elements of ports, or computed of their places; `outside` where there is no such place. They may lie in memory
   * in panels of `panel` columns.
   */
  load(rows: Span, columns: Span, at: At, outside?: number, panel?: number): T;
  /** sum + left right. The sum is used up: nothing else may use it. */
  dot(sum: T, left: T, right: T): T;
  /** Element by element. */
  map(args: readonly T[], f: (...x: Value[]) => Value): T;
  /** Along columns: one value for each row. Along rows: one for each column. */
  fold(how: TileFold, x: T, along: "columns" | "rows"): T;
  /**
   * The tiles that `body` makes of the carried ones, `count` times over. A round of which `when`, one value
   * for the workgroup, does not hold changes nothing, and a lowering may leave it out.
   */
  loop<C extends readonly T[]>(
    count: number,
    carried: readonly [...C],
    body: (i: Value, carried: C) => C,
    when?: (i: Value) => Value,
  ): C;
  /** Calls `put` for every element whose place exists, maybe in a loop. */
  store(x: T, rows: Span, columns: Span, put: Put): void;
}

export interface TileProgram {
  readonly name: string;
  readonly groups: Kernel["groups"];
  body<T extends Tile>(t: Tiles<T>): void;
}

/** Writes a program's kernel. A lowering is used for one kernel. */
export type Lower = (k: Builder, program: TileProgram) => Kernel;

export const combine: Readonly<Record<TileFold, (a: Value, b: Value) => Value>> = {
  add: (a, b) => a.add(b),
  maxnum: (a, b) => a.maxnum(b),
};

/** What changes no fold. */
export const neutral: Readonly<Record<TileFold, number>> = {
  add: 0,
  maxnum: Number.NEGATIVE_INFINITY,
};

/** The sizes that several tiles have together, where 1 stands for all. */
export const sizesOf = (tiles: readonly Tile[]): Tile => ({
  rows: Math.max(...tiles.map((t) => t.rows)),
  columns: Math.max(...tiles.map((t) => t.columns)),
});
