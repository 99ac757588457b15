/**
 * A lowering as an author would begin one: a thread for each row of a tile, all tiles in workgroup memory of
 * their own, and a barrier behind every operation.
 */
import type { Builder } from "../../compiler/kernel/builder.ts";
import type { Buffer } from "../../compiler/kernel/ir.ts";
import { bounded, literal, type Value } from "../../compiler/kernel/value.ts";
import type { Lowering } from "../../compiler/tile/lowering.ts";
import { placeIn } from "../../compiler/tile/places.ts";
import {
  type At,
  combine,
  neutral,
  type Put,
  type Span,
  sizesOf,
  type Tile,
  type TileFold,
  type Tiles,
} from "../../compiler/tile/program.ts";

const threads = 5;
const sizes = { rows: threads, columns: 3, depth: 4 };

export const rowLowering: Lowering = {
  name: "rows",
  fits: () => true,
  blockings: () => [
    {
      ...{ tile: { ...sizes }, sizes },
      lower(k, program) {
        program.body(new Rows(k));
        return k.finish(program.name, [threads, 1, 1], program.groups);
      },
    },
  ],
};

interface Shared extends Tile {
  readonly buffer: Buffer;
}

class Rows implements Tiles<Shared> {
  readonly #k: Builder;
  constructor(k: Builder) {
    this.#k = k;
  }
  whole = (least: number): number => least;

  fill = (rows: number, columns: number, value: number): Shared =>
    this.#made({ rows, columns }, () => literal(value, "f32"));
  load = (rows: Span, columns: Span, at: At, outside = 0): Shared =>
    this.#made({ rows: rows.size, columns: columns.size }, (r, c) => {
      const [row, inRows] = placeIn(this.#k, rows, r);
      const [column, inColumns] = placeIn(this.#k, columns, c);
      return inRows.and(inColumns).select(at(row, column), literal(outside, "f32"));
    });
  dot = (sum: Shared, left: Shared, right: Shared): Shared =>
    this.#made(sum, (r, c) =>
      this.#folded("add", left.columns, this.#get(sum, r, c), (d) =>
        this.#get(left, r, d).mul(this.#get(right, d, c)),
      ),
    );
  map = (args: readonly Shared[], f: (...x: Value[]) => Value): Shared =>
    this.#made(sizesOf(args), (r, c) =>
      f(...args.map((a) => this.#k.let("x", this.#get(a, r, c)))),
    );
  fold(how: TileFold, x: Shared, along: "columns" | "rows"): Shared {
    const isAcross = along === "columns";
    const [rows, columns, count] = isAcross ? [x.rows, 1, x.columns] : [1, x.columns, x.rows];
    return this.#made({ rows, columns }, (r, c) =>
      this.#folded(how, count, literal(neutral[how], "f32"), (i) =>
        isAcross ? this.#get(x, r, i) : this.#get(x, i, c),
      ),
    );
  }
  loop<C extends readonly Shared[]>(
    count: number,
    carried: readonly [...C],
    body: (i: Value, carried: C) => C,
  ): C {
    const copy = (x: Shared) => this.#made(x, (r, c) => this.#get(x, r, c));
    const held = carried.map(copy);
    this.#k.for("step", count, (i) => {
      const next = body(i, held as readonly Shared[] as C).map(copy);
      for (const [n, to] of held.entries()) this.#set(to, (r, c) => this.#get(next[n]!, r, c));
    });
    return held as readonly Shared[] as C;
  }
  store(x: Shared, rows: Span, columns: Span, put: Put): void {
    this.#each(x, (i, j) => {
      const r = rows.block.mul(rows.size).add(i);
      const c = columns.block.mul(columns.size).add(j);
      this.#k.if(r.lt(rows.extent).and(c.lt(columns.extent)), () =>
        put(this.#get(x, i, j), bounded(r, rows.extent - 1), bounded(c, columns.extent - 1)),
      );
    });
  }

  #folded(how: TileFold, count: number, first: Value, next: (i: Value) => Value): Value {
    const all = this.#k.var("all", first);
    this.#k.for("i", count, (i) => all.set(combine[how](all.get, next(i))));
    return all.get;
  }
  #made({ rows, columns }: Tile, value: (r: Value, c: Value) => Value): Shared {
    const x = { rows, columns, buffer: this.#k.shared("tile", rows * columns) };
    this.#set(x, value);
    return x;
  }
  #set(x: Shared, value: (r: Value, c: Value) => Value): void {
    this.#each(x, (r, c) => this.#k.store(x.buffer, r.mul(x.columns).add(c), value(r, c)));
    this.#k.barrier();
  }
  #each({ rows, columns }: Tile, body: (r: Value, c: Value) => void): void {
    const k = this.#k;
    k.for("part", Math.ceil(rows / threads), (part) => {
      const r = k.let("r", part.mul(threads).add(k.thread(0, threads)));
      k.if(r.lt(rows), () => k.for("c", columns, (c) => body(bounded(r, rows - 1), c)));
    });
  }
  #get(x: Shared, r: Value, c: Value): Value {
    const row = x.rows === 1 ? literal(0, "u32") : r;
    return this.#k.load(x.buffer, row.mul(x.columns).add(x.columns === 1 ? 0 : c));
  }
}
