/**
 * The lowering for devices with workgroup memory: `down` x `across` threads hold a computed tile in
 * registers, `rowsPerThread` rows each; operands of `dot` lie in workgroup memory, where they are
 * written and read by fours.
 */
import { bug } from "../../diagnostics/index.ts";
import { always, type Builder, type Variable } from "../kernel/builder.ts";
import type { Buffer, Kernel } from "../kernel/ir.ts";
import { bounded, literal, type Value } from "../kernel/value.ts";
import { Memory, type Staged } from "./barriers.ts";
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
import { Staging } from "./staging.ts";
import { countOf, type Grid, Team, type Threads } from "./team.ts";
import { type Use, UsesInOrder, usesOf } from "./uses.ts";

export function lowerShared(k: Builder, program: TileProgram, threads: Threads): Kernel {
  const { uses, text: tiles } = usesOf(program, (least, of) => wholeOf(threads, least, of));
  program.body(new Shared(k, threads, uses));
  const kernel = k.finish(program.name, [countOf(threads), 1, 1], program.groups);
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
  /** Each slice of threads has a part, and the parts add up to the tile. Else each has all of it. */
  readonly isPart?: boolean;
}

class Shared implements Tiles<Held> {
  readonly #k: Builder;
  readonly #layout: Threads;
  readonly #threads: number;
  readonly #uses: UsesInOrder;
  readonly #memory: Memory;
  readonly #staging: Staging;
  readonly #team: Team;

  constructor(k: Builder, layout: Threads, uses: readonly Use[]) {
    this.#k = k;
    this.#layout = layout;
    this.#threads = countOf(layout);
    this.#uses = new UsesInOrder(uses);
    this.#memory = new Memory(k, this.#threads);
    this.#staging = new Staging(k, this.#threads);
    this.#team = new Team(k, layout);
  }

  whole = (least: number, of: "columns" | "depth"): number => wholeOf(this.#layout, least, of);

  fill(rows: number, columns: number, value: number): Held {
    const use = this.#uses.next();
    const values = this.#team.grid({ rows, columns }, () => literal(value, "f32"));
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
    const variables = this.#variables(this.#asPart(sum), "sum");
    this.#memory.read(a, b);
    const four = ({ region }: Staged, i: Value) => k.load4(region.buffer, i.add(region.from / 4));
    this.#quads(left.columns / 4, (quad) => {
      const rows = variables.map((_, i) =>
        four(
          a,
          this.#team
            .rowAt(left, i)
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
          four(b, line.add(this.#team.columnAt(right, 4 * j).div(4))),
        ).flat();
        for (const [i, own] of variables.entries())
          for (const [j, v] of own.entries()) v.set(rows[i]![c]!.fma(columns[j]!, v.get));
      });
    });
    this.#memory.release(a, b);
    return this.#completed(this.#ofVariables(sum, variables, use, this.#team.slices > 1));
  }

  map(args: readonly Held[], f: (...x: Value[]) => Value): Held {
    const use = this.#uses.next();
    const sizes = sizesOf(args);
    const values = this.#team.grid(sizes, (i, j) =>
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
      ? this.#together(how, own, this.#layout.across, this.#team.column, (i) =>
          x.rows === 1 ? this.#team.row : this.#team.rowAt(x, i),
        )
      : this.#together(how, own, this.#layout.down, this.#team.row, (j) =>
          x.columns === 1 ? this.#team.column : this.#team.columnAt(x, j),
        );
    if (isAcross) return { use, rows: x.rows, columns: 1, values: all.map((v) => [v]) };
    return { use, rows: 1, columns: x.columns, values: [all] };
  }

  loop<C extends readonly Held[]>(
    count: number,
    carried: readonly [...C],
    body: (i: Value, carried: C) => C,
    when?: (i: Value) => Value,
  ): C {
    const k = this.#k;
    const held = carried.map((c) => {
      const use = this.#uses.next();
      const first = use.isWhole ? c : this.#asPart(c);
      return this.#ofVariables(c, this.#variables(first, "carried"), use, first.isPart);
    });
    const round = (i: Value) => {
      const next = body(i, held as readonly Held[] as C);
      // All are computed before any is overwritten.
      const sets = next.flatMap((n, x) => {
        const to = held[x]!.variables!;
        if (n.variables === to) return [];
        const values = this.#values(held[x]!.isPart ? this.#asPart(n) : n);
        return to.flatMap((row, r) =>
          row.map((v, c) => [v, k.let("next", values[r]![c]!)] as const),
        );
      });
      for (const [to, value] of sets) to.set(value);
    };
    // The first round always runs: barriers behind the loop count on those in it.
    const isRun = (i: Value) => (when ? i.eq(0).or(when(i)) : always);
    k.for("step", count, (i) => k.if(isRun(i), () => this.#memory.loop(count, () => round(i))));
    return held
      .map((h): Held => ({ ...h, use: this.#uses.next() }))
      .map((h) => this.#completed(h)) as readonly Held[] as C;
  }

  store(x: Held, rows: Span, columns: Span, put: Put): void {
    const isInFours = !this.#layout.rolled && columns.extent % 4 === 0 && x.columns > 1;
    if (x.isPart) this.#storeParts(x, putIn(this.#k, rows, columns, put));
    else if (isInFours) this.#storeFours(x, rows, columns, put);
    else this.#storeEach(x, putIn(this.#k, rows, columns, put));
  }
  /** In a loop, so that what melted behind stands there once. */
  #storeEach(x: Held, put: Put): void {
    const k = this.#k;
    const values = this.#values(x).flat();
    const across = this.#team.columns(x.columns);
    const one = (value: Value, i: Value | number, j: Value | number) =>
      k.if(this.#team.isOwner(x), () =>
        put(value, this.#team.rowAt(x, i), this.#team.columnAt(x, j)),
      );
    const kept = values.length > 1 && this.#kept(values);
    if (!kept) one(values[0]!, 0, 0);
    else k.for("e", values.length, (e) => one(k.load(kept, e), e.div(across), e.mod(across)));
  }
  /** The same, four neighbours together: what melted behind is then read in fours. */
  #storeFours(x: Held, rows: Span, columns: Span, put: Put): void {
    const k = this.#k;
    const values = this.#values(x).flat();
    const fours = this.#team.columns(x.columns) / 4;
    const kept = this.#kept(values);
    k.for("e", values.length / 4, (e) => {
      const own = this.#team.columnAt(x, e.mod(fours).mul(4)).div(4);
      const four = k.let("four", columns.block.mul(columns.size / 4).add(own));
      const r = k.let("r", rows.block.mul(rows.size).add(this.#team.rowAt(x, e.div(fours))));
      const isInside = r.lt(rows.extent).and(four.lt(columns.extent / 4));
      const inFour = range(4, (n) => k.let("value", k.load(kept, e.mul(4).add(n))));
      k.if(this.#team.isOwner(x).and(isInside), () => {
        const c = bounded(four, columns.extent / 4 - 1).mul(4);
        for (const [n, v] of inFour.entries()) put(v, bounded(r, rows.extent - 1), c.add(n));
      });
    });
  }
  /** The thread's values as an array. */
  #kept(values: readonly Value[]): Buffer {
    const kept = this.#k.local("held", values.length);
    for (const [i, v] of values.entries()) this.#k.store(kept, i, v);
    return kept;
  }
  /** All threads add what the slices have, each thread neighbours of its neighbours' elements. */
  #storeParts(x: Held, put: Put): void {
    const k = this.#k;
    const size = x.rows * x.columns;
    const parts = this.#parts(x);
    k.for("part", Math.ceil(size / this.#threads), (part) => {
      const e = k.let("e", part.mul(this.#threads).add(k.thread(0, this.#threads)));
      k.if(e.lt(size), () => {
        const at = bounded(e, size - 1);
        put(this.#added(parts, size, at), at.div(x.columns), at.mod(x.columns));
      });
    });
    this.#memory.release(parts);
  }

  /** The first slice has all of it, others nothing. */
  #asPart(x: Held): Held {
    if (this.#team.slices === 1 || x.isPart) return x;
    const own = (v: Value) => (isZero(v) ? v : this.#team.slice.eq(0).select(v, 0));
    const values = this.#values(x).map((row) => row.map(own));
    return { ...x, values, variables: undefined, isPart: true };
  }
  /** All of a tile in every slice, where its elements are asked for. */
  #completed(x: Held): Held {
    if (!x.isPart || !x.use.isWhole) return x;
    const { use, rows, columns } = x;
    const parts = this.#parts(x);
    const values = this.#team.grid(x, (i, j) =>
      this.#k.let("x", this.#added(parts, rows * columns, this.#team.placeAt(x, i, j))),
    );
    this.#memory.release(parts);
    return { use, rows, columns, values };
  }
  /** Writes the parts of all slices, for others to read. */
  #parts(x: Held): Staged {
    const size = x.rows * x.columns;
    const parts = this.#memory.take("parts", this.#team.slices * size, x.columns, 1);
    const first = this.#team.slice.mul(size).add(parts.region.from);
    for (const [i, row] of this.#values(x).entries())
      for (const [j, v] of row.entries())
        this.#k.store(parts.region.buffer, first.add(this.#team.placeAt(x, i, j)), v);
    this.#memory.read(parts);
    return parts;
  }
  #added({ region }: Staged, size: number, at: Value): Value {
    const part = (s: number) =>
      this.#k.let("part", this.#k.load(region.buffer, at.add(s * size + region.from)));
    return range(this.#team.slices, part).reduce((x, y) => x.add(y));
  }
  /** Every slice multiplies its part of a depth. */
  #quads(count: number, body: (quad: Value) => void): void {
    const k = this.#k;
    k.for("quad", Math.ceil(count / this.#team.slices), (i) => {
      const quad = k.let("quad", i.mul(this.#team.slices).add(this.#team.slice));
      k.if(quad.lt(count), () => body(quad));
    });
  }

  #values = (x: Held): Grid<Value> => x.values ?? bug("a tile of operands is used by element");
  #valueOf = (x: Held, i: number, j: number): Value =>
    this.#values(x)[x.rows === 1 ? 0 : i]![x.columns === 1 ? 0 : j]!;
  /** Variables with the tile's values: its own, where nothing else reads them. */
  #variables(x: Held, name: string): Grid<Variable> {
    const isFree = x.use.count === 1 && x.use.depth === this.#memory.depth;
    if (x.variables && isFree) return x.variables;
    return this.#values(x).map((row) => row.map((v) => this.#k.var(name, v)));
  }
  /** The values as they are now. */
  #copied = (x: Held, use: Use): Held => ({
    ...{ use, rows: x.rows, columns: x.columns },
    values: this.#values(x).map((row) => row.map((v) => this.#k.let("x", v))),
  });
  #ofVariables = (
    { rows, columns }: Tile,
    variables: Grid<Variable>,
    use: Use,
    isPart = false,
  ): Held => ({
    ...{ use, rows, columns, variables, isPart },
    values: variables.map((row) => row.map((v) => v.get)),
  });

  /** This thread's elements: in a loop where their text would be long. */
  #own(rows: Span, columns: Span, at: At, outside: number): Grid<Value> {
    const k = this.#k;
    const sizes = { rows: rows.size, columns: columns.size };
    const [down, across] = [this.#team.rows(sizes.rows), this.#team.columns(sizes.columns)];
    const get = (i: Value | number, j: Value | number) => {
      const [r, inRows] = placeIn(k, rows, this.#team.rowAt(sizes, i));
      const [c, inColumns] = placeIn(k, columns, this.#team.columnAt(sizes, j));
      return inRows.and(inColumns).select(at(r, c), literal(outside, "f32"));
    };
    if (down * across <= 2) return this.#team.grid(sizes, (i, j) => k.let("x", get(i, j)));
    const kept = k.local("own", down * across);
    k.for("e", down * across, (e) => k.store(kept, e, get(e.div(across), e.mod(across))));
    return this.#team.grid(sizes, (i, j) => k.let("x", k.load(kept, i * across + j)));
  }

  #stage(rows: Span, columns: Span, at: At, outside: number, use: Use): Staged {
    const stride = strideOf(columns.size, use.isLeft);
    const left = use.count - Number(use.isOwn);
    const staged = this.#memory.take("operands", rows.size * stride, stride, left);
    const { buffer, from } = staged.region;
    this.#staging.copy(rows, columns, at, outside, (row, four, values) => {
      const line = row.mul(stride / 4);
      this.#k.store4(buffer, line.add(four).add(from / 4), values);
    });
    return staged;
  }
  /** A computed tile becomes an operand: each thread writes what it has. */
  #operand(x: Held, side: "left" | "right"): Staged {
    if (x.staged) return x.staged;
    const k = this.#k;
    const stride = strideOf(x.columns, side === "left");
    const staged = this.#memory.take("operands", x.rows * stride, stride, 1);
    const { buffer, from } = staged.region;
    k.if(this.#team.slice.eq(0), () => {
      for (const [i, row] of this.#values(x).entries())
        for (let j = 0; j < row.length; j += 4) {
          const at = this.#team.rowAt(x, i).mul(stride).add(this.#team.columnAt(x, j)).add(from);
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
    const parts = this.#memory.take("parts", lines * count, count, 1);
    const { buffer, from } = parts.region;
    const first = this.#team.slice.mul((lines * count) / this.#team.slices).add(from);
    const at = (i: number, p: Value) => lineAt(i).mul(count).add(p).add(first);
    for (const [i, v] of own.entries()) k.store(buffer, at(i, mine), v);
    this.#memory.read(parts);
    const all = own.map(() => k.var("all", literal(neutral[how], "f32")));
    k.for("p", count, (p) => {
      for (const [i, v] of all.entries()) v.set(combine[how](v.get, k.load(buffer, at(i, p))));
    });
    this.#memory.release(parts);
    return all.map((v) => k.let("all", v.get));
  }
}

const isZero = ({ expr }: Value): boolean => expr.kind === "lit" && expr.value === 0;

/** From row to row of an operand: the left one's rows lie in other banks. */
const strideOf = (columns: number, isLeft: boolean): number => columns + (isLeft ? 4 : 0);
