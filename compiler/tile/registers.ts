/**
 * What lowerings to workgroup memory have in common: `down` x `across` threads hold a computed tile in
 * registers, `rowsPerThread` rows each; what they multiply, and how, is the lowering's affair.
 */
import { bug } from "../../diagnostics/index.ts";
import { always, type Builder, type Variable } from "../kernel/builder.ts";
import type { Buffer } from "../kernel/ir.ts";
import { bounded, index, literal, type Value } from "../kernel/value.ts";
import type { Memory, Staged } from "./barriers.ts";
import { foursIn, placeIn, putIn, range } from "./places.ts";
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
} from "./program.ts";
import { Staging } from "./staging.ts";
import { countOf, type Grid, isInSubgroup, lineOf, Team, type Threads } from "./team.ts";
import { type Use, UsesInOrder } from "./uses.ts";

/** A tile in registers, in workgroup memory, or both. */
export interface Held extends Tile {
  readonly use: Use;
  /** This thread's rows and columns. */
  readonly values?: Grid<Value> | undefined;
  /** The same, where they can be overwritten. */
  readonly variables?: Grid<Variable> | undefined;
  readonly staged?: Staged | undefined;
  /** No thread has elements of it: it is a sum that lies elsewhere, or each thread has a part of them. */
  readonly isPart?: boolean | undefined;
}

export abstract class InRegisters implements Tiles<Held> {
  protected readonly k: Builder;
  protected readonly layout: Threads;
  protected readonly threads: number;
  protected readonly uses: UsesInOrder;
  protected readonly memory: Memory;
  protected readonly staging: Staging;
  protected readonly team: Team;

  constructor(k: Builder, layout: Threads, uses: readonly Use[], memory: Memory) {
    this.k = k;
    this.layout = layout;
    this.threads = countOf(layout);
    this.uses = new UsesInOrder(uses);
    this.memory = memory;
    this.staging = new Staging(k, this.threads, layout.rolled);
    this.team = new Team(k, layout);
  }

  abstract whole(least: number, of: "columns" | "depth"): number;

  fill = (rows: number, columns: number, value: number): Held =>
    this.filled({ rows, columns }, value, this.uses.next());
  protected filled({ rows, columns }: Tile, value: number, use: Use): Held {
    const values = this.team.grid({ rows, columns }, () => literal(value, "f32"));
    return { use, rows, columns, values };
  }

  load(rows: Span, columns: Span, at: At, outside = 0): Held {
    const use = this.uses.next();
    const staged =
      use.isLeft || use.isRight ? this.stage(rows, columns, at, outside, use) : undefined;
    const values = use.isOwn ? this.#own(rows, columns, at, outside) : undefined;
    return { use, rows: rows.size, columns: columns.size, staged, values };
  }

  abstract dot(sum: Held, left: Held, right: Held): Held;
  /** Threads copy an operand to workgroup memory. */
  protected abstract stage(rows: Span, columns: Span, at: At, outside: number, use: Use): Staged;
  /** A tile as a loop carries it. */
  protected abstract carried(x: Held, use: Use): Held;
  /** What a loop carries on, kept as it keeps `like`. */
  protected abstract alike(x: Held, like: Held): Held;
  /** A part as elements, where these are asked for. */
  protected abstract completed(x: Held): Held;
  /** All threads store a part. */
  protected abstract storeParts(x: Held, put: Put): void;

  map(args: readonly Held[], f: (...x: Value[]) => Value): Held {
    const use = this.uses.next();
    const sizes = sizesOf(args);
    const values = this.team.grid(sizes, (i, j) =>
      this.k.let("x", f(...args.map((a) => this.valueOf(a, i, j)))),
    );
    return { use, ...sizes, values };
  }

  fold(how: TileFold, x: Held, along: "columns" | "rows"): Held {
    const use = this.uses.next();
    const isAcross = along === "columns";
    if ((isAcross ? x.columns : x.rows) === 1) return this.#copied(x, use);
    const values = this.values(x);
    const lines = isAcross ? values : values[0]!.map((_, j) => values.map((row) => row[j]!));
    const own = lines.map((line) => this.k.let("part", line.reduce(combine[how])));
    const all = isInSubgroup(this.layout, along)
      ? own.map((v) => this.#shuffled(how, v, lineOf(this.layout, along)))
      : isAcross
        ? this.#together(how, own, this.layout.across, this.team.column, this.team.row)
        : this.#together(how, own, this.layout.down, this.team.row, this.team.column);
    if (isAcross) return { use, rows: x.rows, columns: 1, values: all.map((v) => [v]) };
    return { use, rows: 1, columns: x.columns, values: [all] };
  }

  loop<C extends readonly Held[]>(
    count: number,
    carried: readonly [...C],
    body: (i: Value, carried: C) => C,
    when?: (i: Value) => Value,
  ): C {
    const k = this.k;
    const held = carried.map((c) => this.carried(c, this.uses.next()));
    const round = (i: Value) => {
      const next = body(i, held as readonly Held[] as C);
      // All are computed before any is overwritten.
      const sets = next.flatMap((n, x) => {
        const to = held[x]!.variables;
        const values = this.alike(n, held[x]!).values;
        if (!to || !values || n.variables === to) return [];
        return to.flatMap((row, r) =>
          row.map((v, c) => [v, k.let("next", values[r]![c]!)] as const),
        );
      });
      for (const [to, value] of sets) to.set(value);
    };
    // The first round always runs: barriers behind the loop count on those in it.
    const isRun = (i: Value) => (when ? i.eq(0).or(when(i)) : always);
    k.for("step", count, (i) => k.if(isRun(i), () => this.memory.loop(count, () => round(i))));
    return held
      .map((h): Held => ({ ...h, use: this.uses.next() }))
      .map((h) => this.completed(h)) as readonly Held[] as C;
  }

  store(x: Held, rows: Span, columns: Span, put: Put): void {
    const isInFours = !this.layout.rolled && columns.extent % 4 === 0 && x.columns > 1;
    if (x.isPart) this.storeParts(x, putIn(this.k, rows, columns, put));
    else if (isInFours) this.#storeFours(x, rows, columns, put);
    else this.#storeEach(x, putIn(this.k, rows, columns, put));
  }
  /** In a loop, so that what melted behind stands there once. */
  #storeEach(x: Held, put: Put): void {
    const k = this.k;
    const values = this.values(x).flat();
    const across = this.team.columns(x.columns);
    const one = (value: Value, i: Value | number, j: Value | number) =>
      k.if(this.team.isOwner(x), () => put(value, this.team.rowAt(x, i), this.team.columnAt(x, j)));
    const kept = values.length > 1 && this.#kept(values);
    if (!kept) one(values[0]!, 0, 0);
    else k.for("e", values.length, (e) => one(k.load(kept, e), e.div(across), e.mod(across)));
  }
  /** The same, four neighbours together: what melted behind is then read in fours. */
  #storeFours(x: Held, rows: Span, columns: Span, put: Put): void {
    const k = this.k;
    const values = this.values(x).flat();
    const fours = this.team.columns(x.columns) / 4;
    const kept = this.#kept(values);
    k.for("e", values.length / 4, (e) => {
      const own = this.team.columnAt(x, e.mod(fours).mul(4)).div(4);
      const four = k.let("four", columns.block.mul(columns.size / 4).add(own));
      const r = k.let("r", rows.block.mul(rows.size).add(this.team.rowAt(x, e.div(fours))));
      const isInside = r.lt(rows.extent).and(four.lt(columns.extent / 4));
      const inFour = range(4, (n) => k.let("value", k.load(kept, e.mul(4).add(n))));
      k.if(this.team.isOwner(x).and(isInside), () => {
        const c = bounded(four, columns.extent / 4 - 1).mul(4);
        for (const [n, v] of inFour.entries()) put(v, bounded(r, rows.extent - 1), c.add(n));
      });
    });
  }
  /** The thread's values as an array. */
  #kept(values: readonly Value[]): Buffer {
    const kept = this.k.local("held", values.length);
    for (const [i, v] of values.entries()) this.k.store(kept, i, v);
    return kept;
  }
  protected values = (x: Held): Grid<Value> =>
    x.values ?? bug("a tile of operands is used by element");
  protected valueOf = (x: Held, i: number, j: number): Value =>
    this.values(x)[x.rows === 1 ? 0 : i]![x.columns === 1 ? 0 : j]!;
  /** Variables with the tile's values: its own, where nothing else reads them. */
  protected variables(x: Held, name: string): Grid<Variable> {
    const isFree = x.use.count === 1 && x.use.depth === this.memory.depth;
    if (x.variables && isFree) return x.variables;
    return this.values(x).map((row) => row.map((v) => this.k.var(name, v)));
  }
  /** The values as they are now. */
  #copied = (x: Held, use: Use): Held => ({
    ...{ use, rows: x.rows, columns: x.columns },
    values: this.values(x).map((row) => row.map((v) => this.k.let("x", v))),
  });
  protected ofVariables = (
    { rows, columns }: Tile,
    variables: Grid<Variable>,
    use: Use,
    isPart = false,
  ): Held => ({
    ...{ use, rows, columns, variables, isPart },
    values: variables.map((row) => row.map((v) => v.get)),
  });

  /**
   * This thread's elements. Where texts are kept short, more than a few are loaded in a loop: they pass through
   * an array, which drivers keep in memory.
   */
  #own(rows: Span, columns: Span, at: At, outside: number): Grid<Value> {
    if (!this.layout.rolled) return this.#ownInFours(rows, columns, at, outside);
    const k = this.k;
    const sizes = { rows: rows.size, columns: columns.size };
    const [down, across] = [this.team.rows(sizes.rows), this.team.columns(sizes.columns)];
    const get = (i: Value | number, j: Value | number) => {
      const [r, inRows] = placeIn(k, rows, this.team.rowAt(sizes, i));
      const [c, inColumns] = placeIn(k, columns, this.team.columnAt(sizes, j));
      return inRows.and(inColumns).select(at(r, c), literal(outside, "f32"));
    };
    if (down * across <= 4) return this.team.grid(sizes, (i, j) => k.let("x", get(i, j)));
    const kept = k.local("own", down * across);
    k.for("e", down * across, (e) => k.store(kept, e, get(e.div(across), e.mod(across))));
    return this.team.grid(sizes, (i, j) => k.let("x", k.load(kept, i * across + j)));
  }

  /** The same, four neighbours of a row together: loads are then wide. */
  #ownInFours(rows: Span, columns: Span, at: At, outside: number): Grid<Value> {
    const k = this.k;
    const sizes = { rows: rows.size, columns: columns.size };
    const isWide = columns.size > 1;
    return range(this.team.rows(sizes.rows), (i) => {
      const [r, inRows] = placeIn(k, rows, this.team.rowAt(sizes, i));
      return range(Math.ceil(this.team.columns(sizes.columns) / 4), (four) => {
        const places = isWide
          ? foursIn(k, columns, this.team.columnAt(sizes, 4 * four).div(4))
          : [placeIn(k, columns, index(0))];
        return places.map(([c, inColumns]) =>
          k.let("x", inRows.and(inColumns).select(at(r, c), literal(outside, "f32"))),
        );
      }).flat();
    });
  }

  /** Combines what the threads of a line have, in all of them: in each step with twice as many. */
  #shuffled(how: TileFold, own: Value, { count, apart }: ReturnType<typeof lineOf>): Value {
    let all = own;
    for (let mask = apart; mask < count * apart; mask *= 2)
      all = this.k.let("all", combine[how](all, this.k.shuffle(all, mask)));
    return all;
  }

  /**
   * Combines what `count` threads in a line have of each of `own`, in all of them; where these are whole fours,
   * four together. Every line of threads holds a vector that stands for all rows or columns, so each line has a
   * place of its own for it.
   */
  #together(
    how: TileFold,
    own: readonly Value[],
    count: number,
    mine: Value,
    line: Value,
  ): Value[] {
    const k = this.k;
    if (count === 1) return [...own];
    const wide = own.length % 4 === 0 ? 4 : 1;
    const groups = own.length / wide;
    const lines = this.threads / count;
    const kind = wide === 4 ? "folds" : "parts";
    const parts = this.memory.take(kind, lines * own.length * count, count, 1);
    const { buffer, from } = parts.region;
    const first = this.team.slice.mul(lines / this.team.slices).add(line);
    const place = first.mul(groups * count).add(from / wide);
    const at = (group: number, p: Value) => place.add(group * count).add(p);
    range(groups, (g) => {
      if (wide === 4) k.store4(buffer, at(g, mine), own.slice(4 * g, 4 * g + 4));
      else k.store(buffer, at(g, mine), own[g]!);
    });
    this.memory.read(parts);
    const all = own.map(() => k.var("all", literal(neutral[how], "f32")));
    k.for("p", count, (p) => {
      const others = range(groups, (g) =>
        wide === 4 ? k.load4(buffer, at(g, p)) : [k.load(buffer, at(g, p))],
      ).flat();
      for (const [i, v] of all.entries()) v.set(combine[how](v.get, others[i]!));
    });
    this.memory.release(parts);
    return all.map((v) => k.let("all", v.get));
  }
}
