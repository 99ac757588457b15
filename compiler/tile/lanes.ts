/**
 * The lowering for processors: a workgroup is one subgroup, whose threads are the lanes of a vector, and tiles are
 * arrays, which lie in a cache. Columns lie along the lanes; what has one column is the same in all lanes. A left
 * operand is read by all lanes whoever wrote it, so it lies in workgroup memory; all else is each lane's own.
 *
 * A product keeps a block of sums in variables while the depth of its operands goes by (`blocks.ts`). The right
 * operand lies as such blocks read it, in panels; where one row of blocks alone reads it, it is not copied.
 */
import { bug } from "../../diagnostics/index.ts";
import { always, type Builder } from "../kernel/builder.ts";
import type { Buffer, Kernel } from "../kernel/ir.ts";
import { index, literal, type Value } from "../kernel/value.ts";
import { Barriers } from "./barriers.ts";
import { type BlockSize, blockOf, pieces } from "./blocks.ts";
import { elementIn, foursIn, lanesIn, type Place, placeIn, putIn, range } from "./places.ts";
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
import { type Use, UsesInOrder, usesOf } from "./uses.ts";

export interface InLanes {
  readonly width: number;
  /** Those of a block of sums (`blocks.ts`). */
  readonly registers?: number | undefined;
  /** All operands are read where they lie, by such blocks. */
  readonly inPlace?: BlockSize;
}

export function lowerLanes(k: Builder, program: TileProgram, given: InLanes): Kernel {
  const { width } = given;
  const whole: Tiles["whole"] = (least, of) =>
    of === "depth" ? least : Math.ceil(least / width) * width;
  const { uses, text: tiles } = usesOf(program, whole);
  program.body(new Lanes(k, given, whole, new UsesInOrder(uses)));
  const kernel = k.finish(program.name, [width, 1, 1], program.groups);
  return { ...kernel, tiles };
}

/**
 * `column`: one number for each row. `own`: rows of vectors. `panels`: vectors as blocks of a product read
 * them. `left`: rows of numbers that all lanes read. `used`: an operand that is computed, or read, where it is used.
 */
type Kind = "column" | "own" | "panels" | "left" | "used";

interface Held extends Tile {
  readonly kind: Kind;
  readonly use: Use;
  /** Of a tile in memory. */
  readonly buffer?: Buffer;
  /** Elements of a tile that is computed where it is used. */
  readonly at?: At;
}

class Lanes implements Tiles<Held> {
  readonly whole: Tiles["whole"];
  readonly #k: Builder;
  readonly #width: number;
  readonly #registers: number | undefined;
  readonly #inPlace: BlockSize | undefined;
  readonly #uses: UsesInOrder;
  readonly #lane: Value;
  readonly #barriers: Barriers;
  #loops = 0;

  constructor(k: Builder, given: InLanes, whole: Tiles["whole"], uses: UsesInOrder) {
    const { width, registers, inPlace } = given;
    this.#k = k;
    this.#inPlace = inPlace;
    this.#width = width;
    this.#registers = registers;
    this.whole = whole;
    this.#uses = uses;
    this.#lane = k.lane(width);
    this.#barriers = new Barriers(k, width);
  }

  fill(rows: number, columns: number, value: number): Held {
    return this.#made({ rows, columns }, () => literal(value, "f32"));
  }

  load(rows: Span, columns: Span, at: At, outside = 0, panel?: number): Held {
    const k = this.#k;
    const use = this.#uses.next();
    const size = { rows: rows.size, columns: columns.size };
    const one = ([row, inRows]: Place, [column, inColumns]: Place) =>
      inRows.and(inColumns).select(at(row, column), literal(outside, "f32"));
    const across = (v: Value) => lanesIn(k, columns, v, this.#lane, this.#width);
    const isWhole = rows.extent % rows.size === 0 && columns.extent % columns.size === 0;
    const kind = this.#kindOf(size, use, isWhole ? panel : undefined);
    if (this.#inPlace) {
      const there = elementIn(rows, columns, at);
      const across = (d: Value, v: Value) => there(d, v.mul(this.#width).add(this.#lane));
      return { ...size, kind: "used", use, at: use.isLeft ? there : across };
    }
    if (kind === "used") {
      const there = (r: Value, v: Value) => one(placeIn(k, rows, r), across(v));
      return { ...size, kind, use, at: there };
    }
    if (kind === "column")
      return this.#kept(size, kind, use, (r, c) =>
        one(placeIn(k, rows, r), placeIn(k, columns, c)),
      );
    const held = this.#place(size, kind, use);
    // What differs from lane to lane is computed once for all rows.
    const put = (r: Value, v: Value) =>
      k.store(held.buffer!, this.#index(held, r, v), one(placeIn(k, rows, r), across(v)));
    if (kind === "own" || rows.size % 4 !== 0) {
      k.for("v", this.#vectors(columns.size), (v) => k.for("r", rows.size, (r) => put(r, v)));
      return held;
    }
    const unit = kind === "left" ? 2 : this.#panel(columns.size, use).vectors;
    for (const [first, { size, times }] of pieces(this.#vectors(columns.size), unit))
      this.#nested(times, rows.size / 4, (j, q) => {
        for (const v of range(size, (e) => j.mul(size).add(first + e))) {
          // All are loaded before any is written: four neighbours of a lane are loaded together.
          const values = foursIn(k, rows, q).map((row) => k.let("x", one(row, across(v))));
          for (const [i, value] of values.entries())
            k.store(held.buffer!, this.#index(held, q.mul(4).add(i), v), value);
        }
      });
    return held;
  }

  /**
   * Vectors within rows, or the other way round: WebAssembly computes what differs from lane to lane once for
   * all rows. Compilers of C move it out of loops, and what follows each other in memory is read in its order.
   */
  #nested(vectors: number, rows: number, body: (v: Value, r: Value) => void): void {
    const k = this.#k;
    if (this.#registers === undefined)
      k.for("v", vectors, (v) => k.for("q", rows, (q) => body(v, q)));
    else k.for("q", rows, (q) => k.for("v", vectors, (v) => body(v, q)));
  }

  dot(sum: Held, left: Held, right: Held): Held {
    const use = this.#uses.next();
    const k = this.#k;
    const a = left.kind === "left" || left.at ? left : this.#copied(left, "left");
    const to = this.#isFree(sum) ? sum : this.#copied(sum, sum.kind);
    this.#touch("read", a);
    const wide = sum.columns / this.#width;
    const { rows, vectors } = this.#inPlace ?? blockOf(sum.rows, wide, this.#registers);
    for (const [vector, across] of pieces(wide, vectors))
      for (const [row, down] of pieces(sum.rows, rows))
        k.for("columns", across.times, (j) =>
          k.for("rows", down.times, (i) =>
            this.#block(to, a, right, {
              ...{ row: i.mul(down.size).add(row), rows: down.size },
              ...{ vector: j.mul(across.size).add(vector), vectors: across.size },
            }),
          ),
        );
    return { ...to, use };
  }

  map(args: readonly Held[], f: (...x: Value[]) => Value): Held {
    const k = this.#k;
    const use = this.#uses.next();
    const sizes = sizesOf(args);
    const kind = this.#kindOf(sizes, use);
    // Elements are read before they are written: a tile that nothing else reads gives its place.
    const isFree = (a: Held) =>
      a.kind === kind && this.#isFree(a) && a.rows === sizes.rows && a.columns === sizes.columns;
    const free = args.find(isFree);
    const held = free ? { ...free, use } : this.#place(sizes, kind, use);
    if (free) this.#touch("write", held);
    return this.#written(held, (r, c, v) =>
      f(...args.map((a) => k.let("x", this.#get(a, r, a.kind === "column" ? c : v)))),
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
      return this.#made({ rows: 1, columns: x.columns }, (_r, c, v) =>
        all(x.rows, (i) => this.#get(x, i, x.kind === "column" ? c : v)),
      );
    return this.#made({ rows: x.rows, columns: 1 }, (r) => {
      if (x.kind === "column") return this.#get(x, r, index(0));
      const vectors = x.columns / this.#width;
      const own = k.let(
        "own",
        all(vectors, (i) => this.#get(x, r, i)),
      );
      return range(this.#width, (lane) => k.let("other", k.broadcast(own, lane))).reduce(both);
    });
  }

  loop<C extends readonly Held[]>(
    count: number,
    carried: readonly [...C],
    body: (i: Value, carried: C) => C,
    when?: (i: Value) => Value,
  ): C {
    const held = carried.map((c): Held => {
      const use = this.#uses.next();
      return this.#isFree(c) ? { ...c, use } : { ...this.#copied(c, c.kind), use };
    });
    const buffers = new Set(held.map((h) => h.buffer));
    this.#loops++;
    const round = (i: Value) => {
      const next = body(i, held as readonly Held[] as C);
      // What changes places is copied before any of it is overwritten.
      const ready = next.map((n, x) =>
        n.buffer !== held[x]!.buffer && buffers.has(n.buffer) ? this.#copied(n, n.kind) : n,
      );
      for (const [x, to] of held.entries()) {
        if (ready[x]!.buffer === to.buffer) continue;
        this.#touch("write", to);
        this.#copy(ready[x]!, to);
      }
    };
    // The first round always runs: barriers behind the loop count on those in it.
    const isRun = (i: Value) => (when ? i.eq(0).or(when(i)) : always);
    this.#k.for("step", count, (i) =>
      this.#k.if(isRun(i), () => {
        const end = this.#barriers.loop();
        round(i);
        if (count > 1) end();
      }),
    );
    this.#loops--;
    return held.map((h) => ({ ...h, use: this.#uses.next() })) as readonly Held[] as C;
  }

  store(x: Held, rows: Span, columns: Span, put: Put): void {
    const k = this.#k;
    const one = putIn(k, rows, columns, put);
    const all = () =>
      this.#each(x, (r, c, v) => one(this.#get(x, r, x.kind === "column" ? c : v), r, c));
    // What all lanes have, one of them stores.
    if (x.kind === "column") k.if(this.#lane.eq(0), all);
    else all();
  }

  /** A tile of values at rows and columns; `vector` numbers the vector of columns. */
  #made(sizes: Tile, value: Element): Held {
    const use = this.#uses.next();
    return this.#kept(sizes, this.#kindOf(sizes, use), use, value);
  }

  /**
   * Operands are copied to be read more often than once, by blocks that need them so. A right one that lies as its
   * blocks read it, in panels of `panel` columns, is not.
   */
  #kindOf({ columns }: Tile, use: Use, panel?: number): Kind {
    const { isLeft, isRight, isOwn, count, multiplied, isAgain } = use;
    if (columns === 1) return "column";
    // Where it is used a left operand would be computed number by number, here by vectors of neighbours.
    if (isLeft) return "left";
    if (!isRight || isOwn || count > 1) return "own";
    const block = this.#panel(columns, use);
    const isThere = panel === block.vectors * this.#width;
    return isThere || (!isAgain && multiplied <= block.rows) ? "used" : "panels";
  }

  #kept(size: Tile, kind: Kind, use: Use, value: Element): Held {
    return this.#written(this.#place(size, kind, use), value);
  }

  #written(held: Held, value: Element): Held {
    this.#each(held, (r, c, v) =>
      this.#k.store(held.buffer!, this.#index(held, r, v), value(r, c, v)),
    );
    return held;
  }

  #place({ rows, columns }: Tile, of: Kind, use: Use): Held {
    const k = this.#k;
    const kind = of === "used" ? "own" : of;
    const made = (buffer: Buffer): Held => ({ rows, columns, kind, use, buffer });
    if (kind === "column") return made(k.local("column", rows));
    if (kind !== "left") {
      if (columns % this.#width !== 0) bug(`a tile of ${columns} columns in lanes`);
      const unit = kind === "panels" ? this.#panel(columns, use).vectors : 1;
      return made(k.local("tile", rows * Math.ceil(columns / this.#width / unit) * unit));
    }
    const left = made(k.shared("left", rows * this.#stride(columns)));
    this.#touch("write", left);
    return left;
  }

  /** Nothing else uses the tile, and no round comes back to it: it may be overwritten. */
  #isFree = ({ use }: Held): boolean => use.count === 1 && use.depth === this.#loops;

  /** All lanes are about to read or write a left operand; of other tiles each has its own. */
  #touch(does: "read" | "write", { kind, buffer }: Held): void {
    if (kind === "left") this.#barriers.touch(does, { buffer: buffer!, from: 0, size: 1 });
  }

  #vectors = (columns: number): number => Math.ceil(columns / this.#width);

  /**
   * A left operand's rows begin at whole vectors: behind their ends lies what nobody reads. For C there is one
   * more, so that rows do not all lie on the same lines of a cache.
   */
  #stride = (columns: number): number =>
    (this.#vectors(columns) + (this.#registers === undefined ? 0 : 1)) * this.#width;

  /** The blocks that read a right operand. */
  #panel = (columns: number, { multiplied }: Use) =>
    blockOf(multiplied, columns / this.#width, this.#registers);

  #copied(from: Held, kind: Kind): Held {
    const to = this.#place(from, kind, from.use);
    this.#copy(from, to);
    return to;
  }

  #copy(from: Held, to: Held): void {
    this.#written(to, (r, c, v) => this.#get(from, r, from.kind === "column" ? c : v));
  }

  #each({ rows, columns, kind }: Held, body: (...at: At3) => void): void {
    const k = this.#k;
    const width = this.#width;
    k.for("r", rows, (r) =>
      kind === "column"
        ? body(r, index(0), index(0))
        : k.for("v", this.#vectors(columns), (v) => body(r, v.mul(width).add(this.#lane), v)),
    );
  }

  /** What each lane has of a row: in a vector, or of the one column. */
  #get(x: Held, r: Value, v: Value): Value {
    const row = x.rows === 1 ? index(0) : r;
    return x.at ? x.at(row, v) : this.#k.load(x.buffer!, this.#index(x, row, v));
  }

  #index({ rows, columns, kind, use }: Held, r: Value, v: Value): Value {
    const vectors = columns / this.#width;
    switch (kind) {
      case "column":
        return r;
      case "left":
        return r.mul(this.#stride(columns)).add(v.mul(this.#width)).add(this.#lane);
      case "panels": {
        const unit = this.#panel(columns, use).vectors;
        return v
          .div(unit)
          .mul(rows * unit)
          .add(r.mul(unit))
          .add(v.mod(unit));
      }
      default:
        return r.mul(vectors).add(v);
    }
  }

  #block(sum: Held, left: Held, right: Held, at: Block): void {
    const k = this.#k;
    const each = <T>(make: (r: Value, v: Value) => T): T[][] =>
      range(at.rows, (i) => range(at.vectors, (j) => make(at.row.add(i), at.vector.add(j))));
    const sums = each((r, v) => k.var("sum", this.#get(sum, r, v)));
    const leftAt = (r: Value, d: Value) =>
      left.at?.(r, d) ?? k.load(left.buffer!, r.mul(this.#stride(left.columns)).add(d));
    k.for("d", left.columns, (d) => {
      const others = range(at.vectors, (j) =>
        k.let("right", this.#get(right, d, at.vector.add(j))),
      );
      for (const [i, row] of sums.entries()) {
        const own = k.let("left", leftAt(at.row.add(i), d));
        for (const [j, s] of row.entries()) s.set(own.fma(others[j]!, s.get));
      }
    });
    for (const [i, row] of sums.entries())
      for (const [j, s] of row.entries())
        k.store(sum.buffer!, this.#index(sum, at.row.add(i), at.vector.add(j)), s.get);
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
