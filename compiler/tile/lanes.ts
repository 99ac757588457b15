/**
 * The lowering for processors: a workgroup is one subgroup, whose threads are the lanes of a vector, and tiles are
 * arrays of its own, which lie in a cache. Columns lie along the lanes; what has one column, and an operand
 * that is only multiplied from the left, is the same in all lanes. Nothing is shared, and there is no barrier.
 *
 * A product keeps a block of sums in variables while a depth goes by: two vectors of columns, and as many
 * rows as registers allow beside two vectors of the right operand and one number of the left.
 */
import { bug } from "../../diagnostics/index.ts";
import type { Builder } from "../kernel/builder.ts";
import type { Buffer, Kernel } from "../kernel/ir.ts";
import { index, literal, type Value } from "../kernel/value.ts";
import { placeIn, putIn, range } from "./places.ts";
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
import { UsesInOrder, usesOf } from "./uses.ts";

/** Rows and vectors of columns of a block of sums. */
const block = { rows: 4, vectors: 2 } as const;

/** Places of a depth that are multiplied in one turn of a loop: whole vectors of them. */
const togetherIn = (width: number): number => Math.ceil(4 / width) * width;

export function lowerLanes(k: Builder, program: TileProgram, width: number): Kernel {
  const whole: Tiles["whole"] = (least, of) => {
    const unit = of === "depth" ? togetherIn(width) : width;
    return Math.ceil(least / unit) * unit;
  };
  const { uses, text: tiles } = usesOf(program, whole);
  program.body(new Lanes(k, width, whole, new UsesInOrder(uses)));
  const kernel = k.finish(program.name, [width, 1, 1], program.groups);
  return { ...kernel, tiles };
}

/** Row-major. Of a tile that is the same in all lanes each has all; else each has its columns. */
interface Held extends Tile {
  readonly buffer: Buffer;
  readonly isSame: boolean;
}

class Lanes implements Tiles<Held> {
  readonly whole: Tiles["whole"];
  readonly #k: Builder;
  readonly #width: number;
  readonly #uses: UsesInOrder;
  readonly #lane: Value;

  constructor(k: Builder, width: number, whole: Tiles["whole"], uses: UsesInOrder) {
    this.#k = k;
    this.#width = width;
    this.whole = whole;
    this.#uses = uses;
    this.#lane = k.lane(width);
  }

  fill(rows: number, columns: number, value: number): Held {
    return this.#made({ rows, columns }, columns === 1, () => literal(value, "f32"));
  }

  load(rows: Span, columns: Span, at: At, outside = 0): Held {
    const k = this.#k;
    const { isLeft, isRight, isOwn } = this.#uses.next();
    const isSame = columns.size === 1 || (isLeft && !isRight && !isOwn);
    return this.#kept({ rows: rows.size, columns: columns.size }, isSame, (r, c) => {
      const [row, inRows] = placeIn(k, rows, r);
      const [column, inColumns] = placeIn(k, columns, c);
      return inRows.and(inColumns).select(at(row, column), literal(outside, "f32"));
    });
  }

  dot(sum: Held, left: Held, right: Held): Held {
    this.#uses.next();
    const k = this.#k;
    const vectors = sum.columns / this.#width;
    for (const [row, rows] of pieces(sum.rows, block.rows))
      for (const [vector, count] of pieces(vectors, block.vectors))
        k.for("rows", rows.times, (i) =>
          k.for("columns", count.times, (j) =>
            this.#block(sum, left, right, {
              ...{ row: i.mul(rows.size).add(row), rows: rows.size },
              ...{ vector: j.mul(count.size).add(vector), vectors: count.size },
            }),
          ),
        );
    return sum;
  }

  map(args: readonly Held[], f: (...x: Value[]) => Value): Held {
    const sizes = sizesOf(args);
    return this.#made(sizes, sizes.columns === 1, (r, c, vector) =>
      f(...args.map((a) => this.#k.let("x", this.#get(a, r, a.isSame ? c : vector)))),
    );
  }

  fold(how: TileFold, x: Held, along: "columns" | "rows"): Held {
    const k = this.#k;
    const both = combine[how];
    const all = (count: number, next: (i: Value) => Value): Value => {
      const total = k.var("all", literal(neutral[how], "f32"));
      k.for("i", count, (i) => total.set(both(total.get, next(i))));
      return total.get;
    };
    if (along === "rows")
      return this.#made({ rows: 1, columns: x.columns }, x.isSame, (_r, c, vector) =>
        all(x.rows, (i) => this.#get(x, i, x.isSame ? c : vector)),
      );
    return this.#made({ rows: x.rows, columns: 1 }, true, (r) => {
      if (x.isSame) return all(x.columns, (i) => this.#get(x, r, i));
      const own = k.let(
        "own",
        all(x.columns / this.#width, (i) => this.#get(x, r, i)),
      );
      return range(this.#width, (lane) => k.let("other", k.broadcast(own, lane))).reduce(both);
    });
  }

  loop<C extends readonly Held[]>(
    count: number,
    carried: readonly [...C],
    body: (i: Value, carried: C) => C,
  ): C {
    for (const _ of carried) this.#uses.next();
    const held = carried.map((c) => this.#copied(c));
    const buffers = new Set(held.map((h) => h.buffer));
    this.#k.for("step", count, (i) => {
      const next = body(i, held as readonly Held[] as C);
      // What changes places is copied before any of it is overwritten.
      const ready = next.map((n, x) =>
        n.buffer !== held[x]!.buffer && buffers.has(n.buffer) ? this.#copied(n) : n,
      );
      for (const [x, to] of held.entries())
        if (ready[x]!.buffer !== to.buffer) this.#copy(ready[x]!, to);
    });
    for (const _ of held) this.#uses.next();
    return held as readonly Held[] as C;
  }

  store(x: Held, rows: Span, columns: Span, put: Put): void {
    const k = this.#k;
    const one = putIn(k, rows, columns, put);
    const all = () =>
      this.#each(x, x.isSame, (r, c, vector) => one(this.#get(x, r, x.isSame ? c : vector), r, c));
    // What all lanes have, one of them stores.
    if (x.isSame) k.if(this.#lane.eq(0), all);
    else all();
  }

  /** A tile of values at rows and columns; `vector` numbers the vector of columns. */
  #made(sizes: Tile, isSame: boolean, value: Element): Held {
    this.#uses.next();
    return this.#kept(sizes, isSame, value);
  }

  #kept({ rows, columns }: Tile, isSame: boolean, value: Element): Held {
    const k = this.#k;
    const held = this.#place({ rows, columns }, isSame);
    this.#each(held, isSame, (r, c, vector) =>
      k.store(held.buffer, this.#index(held, r, isSame ? c : vector), value(r, c, vector)),
    );
    return held;
  }

  #place({ rows, columns }: Tile, isSame: boolean): Held {
    if (!isSame && columns % this.#width !== 0) bug(`a tile of ${columns} columns in lanes`);
    const size = rows * (isSame ? columns : columns / this.#width);
    return { rows, columns, isSame, buffer: this.#k.local("tile", size) };
  }

  #copied(from: Held): Held {
    const to = this.#place(from, from.isSame);
    this.#copy(from, to);
    return to;
  }

  #copy(from: Held, to: Held): void {
    const k = this.#k;
    k.for("e", to.buffer.size, (e) => k.store(to.buffer, e, k.load(from.buffer, e)));
  }

  #each({ rows, columns }: Tile, isSame: boolean, body: (...at: At3) => void): void {
    const k = this.#k;
    const width = this.#width;
    k.for("r", rows, (r) =>
      isSame
        ? k.for("c", columns, (c) => body(r, c, c))
        : k.for("v", columns / width, (v) => body(r, v.mul(width).add(this.#lane), v)),
    );
  }

  /** `at` is a column where all lanes have the same, else the number of a vector. */
  #get(x: Held, r: Value, at: Value): Value {
    return this.#k.load(
      x.buffer,
      this.#index(x, x.rows === 1 ? index(0) : r, x.columns === 1 ? index(0) : at),
    );
  }

  #index({ columns, isSame }: Held, r: Value, at: Value): Value {
    return r.mul(isSame ? columns : columns / this.#width).add(at);
  }

  #block(sum: Held, left: Held, right: Held, at: Block): void {
    const k = this.#k;
    const together = togetherIn(this.#width);
    const across = right.columns / this.#width;
    const each = <T>(make: (r: Value, v: Value) => T): T[][] =>
      range(at.rows, (i) => range(at.vectors, (j) => make(at.row.add(i), at.vector.add(j))));
    const sums = each((r, v) => k.var("sum", this.#get(sum, r, v)));
    k.for("d", left.columns / together, (d) => {
      const rows = range(at.rows, (i) => this.#lefts(left, at.row.add(i), d));
      const place = k.let("place", d.mul(together * across).add(at.vector));
      for (const l of range(together, (l) => l)) {
        const others = range(at.vectors, (j) =>
          k.let("right", k.load(right.buffer, place.add(l * across + j))),
        );
        for (const [i, row] of sums.entries()) {
          const own = rows[i]!(l);
          for (const [j, s] of row.entries()) s.set(s.get.add(own.mul(others[j]!)));
        }
      }
    });
    for (const [i, s] of sums.flat().entries()) {
      const [r, v] = [at.row.add(Math.floor(i / at.vectors)), at.vector.add(i % at.vectors)];
      k.store(sum.buffer, this.#index(sum, r, v), s.get);
    }
  }

  /** Numbers of a row of the left operand, each in all lanes. */
  #lefts(left: Held, r: Value, d: Value): (l: number) => Value {
    const k = this.#k;
    const together = togetherIn(this.#width);
    if (left.isSame) {
      const place = k.let("place", k.let("row", r.mul(left.columns)).add(d.mul(together)));
      return (l) => k.let("left", k.load(left.buffer, place.add(l)));
    }
    const width = this.#width;
    const parts = range(together / width, (p) => {
      const first = d.mul(together).add(p * width);
      return k.let("own", this.#get(left, r, first.div(width)));
    });
    return (l) => k.let("left", k.broadcast(parts[Math.floor(l / width)]!, l % width));
  }
}

type At3 = readonly [row: Value, column: Value, vector: Value];
type Element = (...at: At3) => Value;

/** A block of sums: its first row and vector, and how many of each. */
interface Block {
  readonly row: Value;
  readonly rows: number;
  readonly vector: Value;
  readonly vectors: number;
}

/** An extent in pieces of a size, and what is left: where each begins, how large pieces are and how many. */
function pieces(extent: number, size: number): [number, { size: number; times: number }][] {
  const times = Math.floor(extent / size);
  const rest = extent - times * size;
  return [
    ...(times > 0 ? [[0, { size, times }] as [number, { size: number; times: number }]] : []),
    ...(rest > 0
      ? [[times * size, { size: rest, times: 1 }] as [number, { size: number; times: number }]]
      : []),
  ];
}
