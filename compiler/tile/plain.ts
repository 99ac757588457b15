/**
 * A tile program's meaning: one thread a workgroup, tiles as arrays, every operation as loops over
 * rows and columns. What other lowerings are held against; it is for no device.
 */
import type { Builder } from "../kernel/builder.ts";
import type { Buffer, Kernel } from "../kernel/ir.ts";
import { literal, type Value } from "../kernel/value.ts";
import { placeIn, putIn } from "./places.ts";
import {
  type At,
  combine,
  neutral,
  type Put,
  type Span,
  sizesOf,
  type Tile,
  type TileFold,
  type TileProgram,
  type Tiles,
} from "./program.ts";

/** Row-major. */
interface Array2 extends Tile {
  readonly buffer: Buffer;
}

export function lowerPlain(k: Builder, program: TileProgram): Kernel {
  program.body(new Plain(k));
  return k.finish(program.name, [1, 1, 1], program.groups);
}

class Plain implements Tiles<Array2> {
  readonly #k: Builder;
  constructor(k: Builder) {
    this.#k = k;
  }

  whole = (least: number): number => least;

  fill(rows: number, columns: number, value: number): Array2 {
    return this.#made({ rows, columns }, () => literal(value, "f32"));
  }
  load(rows: Span, columns: Span, at: At, outside = 0): Array2 {
    return this.#made({ rows: rows.size, columns: columns.size }, (r, c) => {
      const [row, inRows] = placeIn(this.#k, rows, r);
      const [column, inColumns] = placeIn(this.#k, columns, c);
      return inRows.and(inColumns).select(at(row, column), literal(outside, "f32"));
    });
  }
  dot(sum: Array2, left: Array2, right: Array2): Array2 {
    const k = this.#k;
    return this.#made(sum, (r, c) => {
      const total = k.var("sum", this.#get(sum, r, c));
      k.for("d", left.columns, (d) =>
        total.set(this.#get(left, r, d).fma(this.#get(right, d, c), total.get)),
      );
      return total.get;
    });
  }
  map(args: readonly Array2[], f: (...x: Value[]) => Value): Array2 {
    return this.#made(sizesOf(args), (r, c) =>
      f(...args.map((a) => this.#k.let("x", this.#get(a, r, c)))),
    );
  }
  fold(how: TileFold, x: Array2, along: "columns" | "rows"): Array2 {
    const k = this.#k;
    const [rows, columns] = along === "columns" ? [x.rows, 1] : [1, x.columns];
    return this.#made({ rows, columns }, (r, c) => {
      const all = k.var("all", literal(neutral[how], "f32"));
      k.for("i", along === "columns" ? x.columns : x.rows, (i) => {
        const next = along === "columns" ? this.#get(x, r, i) : this.#get(x, i, c);
        all.set(combine[how](all.get, next));
      });
      return all.get;
    });
  }
  loop<C extends readonly Array2[]>(
    count: number,
    carried: readonly [...C],
    body: (i: Value, carried: C) => C,
  ): C {
    const held = carried.map((c) => this.#copy(c));
    this.#k.for("step", count, (i) => {
      // What is carried on may be made of what was carried: all of it is copied before any is overwritten.
      const next = body(i, held as readonly Array2[] as C).map((n) => this.#copy(n));
      for (const [n, h] of held.entries()) this.#set(h, (r, c) => this.#get(next[n]!, r, c));
    });
    return held as readonly Array2[] as C;
  }
  store(x: Array2, rows: Span, columns: Span, put: Put): void {
    const one = putIn(this.#k, rows, columns, put);
    this.#each(x, (i, j) => one(this.#get(x, i, j), i, j));
  }

  #made({ rows, columns }: Tile, value: (r: Value, c: Value) => Value): Array2 {
    const x = { rows, columns, buffer: this.#k.local("tile", rows * columns) };
    this.#set(x, value);
    return x;
  }
  #copy = (x: Array2): Array2 => this.#made(x, (r, c) => this.#get(x, r, c));
  #set(x: Array2, value: (r: Value, c: Value) => Value): void {
    this.#each(x, (r, c) => this.#k.store(x.buffer, r.mul(x.columns).add(c), value(r, c)));
  }
  #each(x: Tile, body: (r: Value, c: Value) => void): void {
    this.#k.for("r", x.rows, (r) => this.#k.for("c", x.columns, (c) => body(r, c)));
  }
  #get(x: Array2, r: Value, c: Value): Value {
    const row = x.rows === 1 ? literal(0, "u32") : r;
    return this.#k.load(x.buffer, row.mul(x.columns).add(x.columns === 1 ? 0 : c));
  }
}
