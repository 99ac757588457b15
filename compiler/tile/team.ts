/**
 * How the threads of a workgroup share a computed tile: which rows and columns a thread has in its registers.
 */
import { bug } from "../../diagnostics/index.ts";
import { always, type Builder } from "../kernel/builder.ts";
import { index, type Value } from "../kernel/value.ts";
import { range } from "./places.ts";
import type { Tile } from "./program.ts";

export interface Threads {
  readonly down: number;
  readonly across: number;
  readonly rowsPerThread: number;
  /** The width of subgroups, where threads pass what they fold within them. */
  readonly subgroup?: number;
  /** So many times `down` x `across` threads, each with a part of every product's depth; else 1. */
  readonly slices?: number;
  /** Texts are kept short: what melted behind a result stands there once. */
  readonly rolled: boolean;
}

export const countOf = ({ down, across, slices = 1 }: Threads): number => down * across * slices;

/** The threads that fold a tile along columns, or along rows: how many, and how far apart their numbers are. */
export const lineOf = ({ down, across }: Threads, along: "columns" | "rows") =>
  along === "columns" ? { count: across, apart: 1 } : { count: down, apart: across };

/** Whether every such line lies in one subgroup. The width is a power of two, so that what divides it is one. */
export function isInSubgroup(threads: Threads, along: "columns" | "rows"): boolean {
  const { subgroup } = threads;
  const { count, apart } = lineOf(threads, along);
  if (!subgroup || count === 1) return false;
  return countOf(threads) % subgroup === 0 && subgroup % (count * apart) === 0;
}

/** Values of a thread, by its rows and its columns. */
export type Grid<T> = readonly (readonly T[])[];

/** A thread's place among those that share a tile. */
export class Team {
  readonly row: Value;
  readonly column: Value;
  readonly slice: Value;
  readonly slices: number;
  readonly #threads: Threads;

  constructor(k: Builder, threads: Threads) {
    const { down, across, slices = 1 } = threads;
    this.#threads = threads;
    this.slices = slices;
    const id = this.#number(k);
    this.column = k.let("column", id.mod(across));
    this.row = k.let("row", id.div(across).mod(down));
    this.slice = k.let("slice", id.div(across * down));
  }

  /** Lanes of a subgroup have numbers that follow each other: `thread` promises nothing of lanes. */
  #number(k: Builder): Value {
    const count = countOf(this.#threads);
    const { subgroup } = this.#threads;
    if (!subgroup) return k.thread(0, count);
    const first = k.subgroup(count / subgroup).mul(subgroup);
    return k.let("number", first.add(k.lane(subgroup)));
  }

  rows(rows: number): number {
    const { down, rowsPerThread } = this.#threads;
    if (rows !== 1 && rows !== down * rowsPerThread)
      bug(`a computed tile has ${rows} rows, not ${down * rowsPerThread}`);
    return rows === 1 ? 1 : rowsPerThread;
  }
  columns = (columns: number): number => (columns === 1 ? 1 : columns / this.#threads.across);
  grid = <T>({ rows, columns }: Tile, make: (i: number, j: number) => T): T[][] =>
    range(this.rows(rows), (i) => range(this.columns(columns), (j) => make(i, j)));

  /** Where the thread's row number `i` is in the tile. */
  rowAt = ({ rows }: Tile, i: Value | number): Value =>
    rows === 1 ? index(0) : this.row.mul(this.#threads.rowsPerThread).add(i);
  /** A thread's columns come in fours, as far apart as the threads are many. */
  columnAt({ columns }: Tile, j: Value | number): Value {
    if (columns === 1) return index(0);
    const at = typeof j === "number" ? index(j) : j;
    return at.div(4).mul(this.#threads.across).add(this.column).mul(4).add(at.mod(4));
  }
  /** The same as a place in the tile, row by row. */
  placeAt = (x: Tile, i: number, j: number): Value =>
    this.rowAt(x, i).mul(x.columns).add(this.columnAt(x, j));

  /** Of threads with the same elements, one: the first. */
  isOwner({ rows, columns }: Tile): Value {
    const isFirst = (is: boolean, at: Value) => (is ? at.eq(0) : always);
    return this.slice
      .eq(0)
      .and(isFirst(rows === 1, this.row))
      .and(isFirst(columns === 1, this.column));
  }
}
