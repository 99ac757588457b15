/**
 * The lowering for devices with workgroup memory: `down` x `across` threads hold a computed tile in
 * registers, `rowsPerThread` rows each; operands of `dot` lie in workgroup memory, where they are
 * written and read by fours.
 */
import { bug } from "../../diagnostics/index.ts";
import type { Builder, Variable } from "../kernel/builder.ts";
import type { Kernel } from "../kernel/ir.ts";
import { bounded, index, literal, type Value } from "../kernel/value.ts";
import { Arena, Barriers, type Region } from "./barriers.ts";
import { foursIn, placeIn, range } from "./places.ts";
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

/** How the threads of a workgroup share a computed tile. */
export interface Threads {
  readonly down: number;
  readonly across: number;
  readonly rowsPerThread: number;
  /** Texts are kept short: what melted behind a result stands there once. */
  readonly rolled: boolean;
}

export function lowerShared(k: Builder, program: TileProgram, threads: Threads): Kernel {
  const { uses, text: tiles } = usesOf(program, (least, of) => wholeOf(threads, least, of));
  program.body(new Shared(k, threads, uses));
  const kernel = k.finish(program.name, [threads.down * threads.across, 1, 1], program.groups);
  return { ...kernel, tiles };
}

/** Columns of a computed tile come in fours for each thread, places of a depth in fours. */
const wholeOf = ({ across }: Threads, least: number, of: "columns" | "depth"): number => {
  const unit = of === "depth" ? 4 : 4 * across;
  return Math.ceil(least / unit) * unit;
};

/** A tile in registers, in workgroup memory, or both. */
interface Held extends Tile {
  readonly use: Use;
  /** This thread's rows and columns. */
  readonly values?: Grid<Value> | undefined;
  /** The same, where they can be overwritten. */
  readonly variables?: Grid<Variable> | undefined;
  readonly staged?: Staged | undefined;
}

type Grid<T> = readonly (readonly T[])[];

/** An operand in workgroup memory, row-major. */
interface Staged {
  readonly region: Region;
  readonly stride: number;
  /** How many loops it was made in, and how many more times it is read. */
  readonly depth: number;
  left: number;
}

class Shared implements Tiles<Held> {
  readonly #k: Builder;
  readonly #layout: Threads;
  readonly #threads: number;
  readonly #uses: UsesInOrder;
  readonly #barriers: Barriers;
  readonly #fours: Arena;
  readonly #ones: Arena;
  /** This thread's place among those that share a tile. */
  readonly #row: Value;
  readonly #column: Value;
  #depth = 0;
  /** Read for the last time in a loop further in than where they were made: the loop comes back to them. */
  #late: Staged[] = [];

  constructor(k: Builder, layout: Threads, uses: readonly Use[]) {
    this.#k = k;
    this.#layout = layout;
    this.#threads = layout.down * layout.across;
    this.#uses = new UsesInOrder(uses);
    this.#barriers = new Barriers(k, this.#threads);
    this.#fours = new Arena((size) => k.sharedFours("operands", size));
    this.#ones = new Arena((size) => k.shared("parts", size));
    const id = k.thread(0, this.#threads);
    this.#column = k.let("column", id.mod(layout.across));
    this.#row = k.let("row", id.div(layout.across));
  }

  whole = (least: number, of: "columns" | "depth"): number => wholeOf(this.#layout, least, of);

  fill(rows: number, columns: number, value: number): Held {
    const use = this.#uses.next();
    const values = this.#grid({ rows, columns }, () => literal(value, "f32"));
    return { use, rows, columns, values };
  }

  load(rows: Span, columns: Span, at: At, outside = 0): Held {
    const use = this.#uses.next();
    const staged =
      use.isLeft || use.isRight ? this.#stage(rows, columns, at, outside, use) : undefined;
    const values = use.isOwn ? this.#own(rows, columns, at, outside) : undefined;
    return { use, rows: rows.size, columns: columns.size, staged, values };
  }

  dot(sum: Held, left: Held, right: Held): Held {
    const use = this.#uses.next();
    const k = this.#k;
    const [a, b] = [this.#operand(left, "left"), this.#operand(right, "right")];
    const variables = this.#variables(sum, "sum");
    for (const { region } of [a, b]) this.#barriers.touch("read", region);
    const four = ({ region }: Staged, i: Value) => k.load4(region.buffer, i.add(region.from / 4));
    k.for("quad", left.columns / 4, (quad) => {
      const rows = variables.map((_, i) =>
        four(
          a,
          this.#rowAt(left, i)
            .mul(a.stride / 4)
            .add(quad),
        ),
      );
      range(4, (c) => {
        const line = quad
          .mul(4)
          .add(c)
          .mul(b.stride / 4);
        const columns = range(variables[0]!.length / 4, (j) =>
          four(b, line.add(this.#columnAt(right, 4 * j).div(4))),
        ).flat();
        for (const [i, own] of variables.entries())
          for (const [j, v] of own.entries()) v.set(rows[i]![c]!.fma(columns[j]!, v.get));
      });
    });
    this.#release(a);
    this.#release(b);
    return this.#ofVariables(sum, variables, use);
  }

  map(args: readonly Held[], f: (...x: Value[]) => Value): Held {
    const use = this.#uses.next();
    const sizes = sizesOf(args);
    const values = this.#grid(sizes, (i, j) =>
      this.#k.let("x", f(...args.map((a) => this.#valueOf(a, i, j)))),
    );
    return { use, ...sizes, values };
  }

  fold(how: TileFold, x: Held, along: "columns" | "rows"): Held {
    const use = this.#uses.next();
    const isAcross = along === "columns";
    if ((isAcross ? x.columns : x.rows) === 1) return this.#copied(x, use);
    const values = this.#values(x);
    const lines = isAcross ? values : values[0]!.map((_, j) => values.map((row) => row[j]!));
    const own = lines.map((line) => this.#k.let("part", line.reduce(combine[how])));
    const all = isAcross
      ? this.#together(how, own, this.#layout.across, this.#column, (i) =>
          x.rows === 1 ? this.#row : this.#rowAt(x, i),
        )
      : this.#together(how, own, this.#layout.down, this.#row, (j) =>
          x.columns === 1 ? this.#column : this.#columnAt(x, j),
        );
    if (isAcross) return { use, rows: x.rows, columns: 1, values: all.map((v) => [v]) };
    return { use, rows: 1, columns: x.columns, values: [all] };
  }

  loop<C extends readonly Held[]>(
    count: number,
    carried: readonly [...C],
    body: (i: Value, carried: C) => C,
  ): C {
    const k = this.#k;
    const held = carried.map((c) => {
      const use = this.#uses.next();
      return this.#ofVariables(c, this.#variables(c, "carried"), use);
    });
    this.#depth++;
    k.for("step", count, (i) => {
      const end = this.#barriers.loop();
      const next = body(i, held as readonly Held[] as C);
      // All are computed before any is overwritten.
      const sets = next.flatMap((n, x) => {
        const to = held[x]!.variables!;
        if (n.variables === to) return [];
        const values = this.#values(n);
        return to.flatMap((row, r) =>
          row.map((v, c) => [v, k.let("next", values[r]![c]!)] as const),
        );
      });
      for (const [to, value] of sets) to.set(value);
      if (count > 1) end();
    });
    this.#depth--;
    const isOver = (s: Staged) => s.depth === this.#depth;
    for (const staged of this.#late.filter(isOver)) this.#free(staged);
    this.#late = this.#late.filter((s) => !isOver(s));
    return held.map((h) => ({ ...h, use: this.#uses.next() })) as readonly Held[] as C;
  }

  store(x: Held, rows: Span, columns: Span, put: Put): void {
    const k = this.#k;
    const values = this.#values(x).flat();
    const across = this.#columnsOf(x.columns);
    const isOwner = [
      ...(x.columns === 1 ? [this.#column.eq(0)] : []),
      ...(x.rows === 1 ? [this.#row.eq(0)] : []),
    ];
    const one = (value: Value, i: Value | number, j: Value | number) => {
      const r = k.let("r", rows.block.mul(rows.size).add(this.#rowAt(x, i)));
      const c = k.let("c", columns.block.mul(columns.size).add(this.#columnAt(x, j)));
      const isInside = r.lt(rows.extent).and(c.lt(columns.extent));
      k.if(
        isOwner.reduce((a, b) => a.and(b), isInside),
        () => put(value, bounded(r, rows.extent - 1), bounded(c, columns.extent - 1)),
      );
    };
    if (values.length === 1) one(values[0]!, 0, 0);
    else if (!this.#layout.rolled && columns.extent % 4 === 0 && x.columns > 1)
      this.#storeFours(x, rows, columns, put);
    else {
      const kept = k.local("held", values.length);
      for (const [i, v] of values.entries()) k.store(kept, i, v);
      k.for("e", values.length, (e) => one(k.load(kept, e), e.div(across), e.mod(across)));
    }
  }

  /** Four neighbours together: where nothing melted behind, they are one store. */
  #storeFours(x: Held, rows: Span, columns: Span, put: Put): void {
    const k = this.#k;
    this.#values(x).forEach((row, i) => {
      const r = k.let("r", rows.block.mul(rows.size).add(this.#rowAt(x, i)));
      const isOwner = x.rows === 1 ? this.#row.eq(0) : literal(1, "bool");
      for (let j = 0; j < row.length; j += 4) {
        const own = this.#columnAt(x, j).div(4);
        const four = k.let("four", columns.block.mul(columns.size / 4).add(own));
        k.if(isOwner.and(r.lt(rows.extent)).and(four.lt(columns.extent / 4)), () => {
          const c = bounded(four, columns.extent / 4 - 1).mul(4);
          range(4, (n) => put(row[j + n]!, bounded(r, rows.extent - 1), c.add(n)));
        });
      }
    });
  }

  #values = (x: Held): Grid<Value> => x.values ?? bug("a tile of operands is used by element");
  #valueOf = (x: Held, i: number, j: number): Value =>
    this.#values(x)[x.rows === 1 ? 0 : i]![x.columns === 1 ? 0 : j]!;
  /** Variables with the tile's values: its own, where nothing else reads them. */
  #variables(x: Held, name: string): Grid<Variable> {
    const isFree = x.use.count === 1 && x.use.depth === this.#depth;
    if (x.variables && isFree) return x.variables;
    return this.#values(x).map((row) => row.map((v) => this.#k.var(name, v)));
  }
  /** The values as they are now. */
  #copied = (x: Held, use: Use): Held => ({
    ...{ use, rows: x.rows, columns: x.columns },
    values: this.#values(x).map((row) => row.map((v) => this.#k.let("x", v))),
  });
  #ofVariables = ({ rows, columns }: Tile, variables: Grid<Variable>, use: Use): Held => ({
    ...{ use, rows, columns, variables },
    values: variables.map((row) => row.map((v) => v.get)),
  });

  #rowsOf(rows: number): number {
    const { down, rowsPerThread } = this.#layout;
    if (rows !== 1 && rows !== down * rowsPerThread)
      bug(`a computed tile has ${rows} rows, not ${down * rowsPerThread}`);
    return rows === 1 ? 1 : rowsPerThread;
  }
  #columnsOf = (columns: number): number => (columns === 1 ? 1 : columns / this.#layout.across);
  #grid = <T>({ rows, columns }: Tile, make: (i: number, j: number) => T): T[][] =>
    range(this.#rowsOf(rows), (i) => range(this.#columnsOf(columns), (j) => make(i, j)));
  #rowAt = ({ rows }: Tile, i: Value | number): Value =>
    rows === 1 ? index(0) : this.#row.mul(this.#layout.rowsPerThread).add(i);
  /** A thread's columns come in fours, as far apart as the threads are many. */
  #columnAt({ columns }: Tile, j: Value | number): Value {
    if (columns === 1) return index(0);
    const at = typeof j === "number" ? index(j) : j;
    return at.div(4).mul(this.#layout.across).add(this.#column).mul(4).add(at.mod(4));
  }

  #take(arena: Arena, size: number, stride: number, left: number): Staged {
    const region = arena.take(size);
    this.#barriers.touch("write", region);
    return { region, stride, depth: this.#depth, left };
  }
  /** Read once more. After the last time its memory is free, outside of loops that come back to it. */
  #release(staged: Staged): void {
    staged.left--;
    if (staged.left > 0) return;
    if (staged.depth < this.#depth) this.#late.push(staged);
    else this.#free(staged);
  }
  #free({ region }: Staged): void {
    for (const arena of [this.#fours, this.#ones]) arena.free(region);
  }

  /** This thread's elements: in a loop where their text would be long. */
  #own(rows: Span, columns: Span, at: At, outside: number): Grid<Value> {
    const k = this.#k;
    const sizes = { rows: rows.size, columns: columns.size };
    const [down, across] = [this.#rowsOf(sizes.rows), this.#columnsOf(sizes.columns)];
    const get = (i: Value | number, j: Value | number) => {
      const [r, inRows] = placeIn(k, rows, this.#rowAt(sizes, i));
      const [c, inColumns] = placeIn(k, columns, this.#columnAt(sizes, j));
      return inRows.and(inColumns).select(at(r, c), literal(outside, "f32"));
    };
    if (down * across <= 2) return this.#grid(sizes, (i, j) => k.let("x", get(i, j)));
    const kept = k.local("own", down * across);
    k.for("e", down * across, (e) => k.store(kept, e, get(e.div(across), e.mod(across))));
    return this.#grid(sizes, (i, j) => k.let("x", k.load(kept, i * across + j)));
  }

  /** All threads copy blocks of four by four, read in fours whichever way the memory lies. */
  #stage(rows: Span, columns: Span, at: At, outside: number, use: Use): Staged {
    const k = this.#k;
    const [down, across] = [rows.size / 4, columns.size / 4];
    if (rows.size % 4 || columns.size % 4) bug(`an operand of ${rows.size} x ${columns.size}`);
    const stride = strideOf(columns.size, use.isLeft);
    const staged = this.#take(
      this.#fours,
      rows.size * stride,
      stride,
      use.count - Number(use.isOwn),
    );
    const { buffer, from } = staged.region;
    k.for("part", Math.ceil((down * across) / this.#threads), (part) => {
      const e = k.let("e", part.mul(this.#threads).add(k.thread(0, this.#threads)));
      k.if(e.lt(down * across), () => {
        const inside = bounded(e, down * across - 1);
        const [r, c] = [k.let("r", inside.div(across)), k.let("c", inside.mod(across))];
        const places = foursIn(k, columns, c);
        foursIn(k, rows, r).forEach(([y, inRow], i) => {
          const values = places.map(([x, inColumn]) =>
            k.let("v", inRow.and(inColumn).select(at(y, x), literal(outside, "f32"))),
          );
          const line = r
            .mul(4)
            .add(i)
            .mul(stride / 4);
          k.store4(buffer, line.add(c).add(from / 4), values);
        });
      });
    });
    return staged;
  }
  /** A computed tile becomes an operand: each thread writes what it has. */
  #operand(x: Held, side: "left" | "right"): Staged {
    if (x.staged) return x.staged;
    const k = this.#k;
    const stride = strideOf(x.columns, side === "left");
    const staged = this.#take(this.#fours, x.rows * stride, stride, 1);
    const { buffer, from } = staged.region;
    this.#values(x).forEach((row, i) => {
      for (let j = 0; j < row.length; j += 4) {
        const at = this.#rowAt(x, i).mul(stride).add(this.#columnAt(x, j)).add(from);
        k.store4(buffer, at.div(4), row.slice(j, j + 4));
      }
    });
    return staged;
  }

  /**
   * Combines what `count` threads in a line have of each of `own`, in all of them. Every line of threads holds
   * a vector that stands for all rows or columns, so each line has a place of its own for it.
   */
  #together(
    how: TileFold,
    own: readonly Value[],
    count: number,
    mine: Value,
    lineAt: (i: number) => Value,
  ): Value[] {
    const k = this.#k;
    if (count === 1) return [...own];
    const lines = own.length * (this.#threads / count);
    const parts = this.#take(this.#ones, lines * count, count, 1);
    const { buffer, from } = parts.region;
    const at = (i: number, p: Value) => lineAt(i).mul(count).add(p).add(from);
    for (const [i, v] of own.entries()) k.store(buffer, at(i, mine), v);
    this.#barriers.touch("read", parts.region);
    const all = own.map(() => k.var("all", literal(neutral[how], "f32")));
    k.for("p", count, (p) => {
      for (const [i, v] of all.entries()) v.set(combine[how](v.get, k.load(buffer, at(i, p))));
    });
    this.#release(parts);
    return all.map((v) => k.let("all", v.get));
  }
}

/** From row to row of an operand: the left one's rows lie in other banks. */
const strideOf = (columns: number, isLeft: boolean): number => columns + (isLeft ? 4 : 0);
