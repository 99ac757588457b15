/**
 * The lowering for devices with workgroup memory: operands of `dot` lie there, where they are written and read
 * by fours, and sums in registers. A depth may be split among slices of threads: then each slice has a part of
 * every sum. What the threads of a row fold passes within their subgroup where the profile has shuffles.
 */
import type { Builder } from "../kernel/builder.ts";
import type { Kernel } from "../kernel/ir.ts";
import { bounded, type Value } from "../kernel/value.ts";
import { Memory, type Staged } from "./barriers.ts";
import { range } from "./places.ts";
import type { At, Put, Span, TileProgram } from "./program.ts";
import { type Held, InRegisters } from "./registers.ts";
import { countOf, isInSubgroup, type Threads } from "./team.ts";
import { type Use, usesOf } from "./uses.ts";

export function lowerShared(k: Builder, program: TileProgram, asked: Threads): Kernel {
  const { uses, folds, text: tiles } = usesOf(program, (least, of) => wholeOf(asked, least, of));
  const isPassed = [...folds].some((along) => isInSubgroup(asked, along));
  const threads = isPassed ? asked : { ...asked, subgroup: 0 };
  const memory = new Memory(k, countOf(threads), (size) => k.sharedFours("operands", size));
  program.body(new Shared(k, threads, uses, memory));
  const kernel = k.finish(program.name, [countOf(threads), 1, 1], program.groups);
  return { ...kernel, tiles };
}

/** Columns of a computed tile come in fours for each thread, places of a depth in fours. */
const wholeOf = ({ across }: Threads, least: number, of: "columns" | "depth"): number => {
  const unit = of === "depth" ? 4 : 4 * across;
  return Math.ceil(least / unit) * unit;
};

class Shared extends InRegisters {
  whole = (least: number, of: "columns" | "depth"): number => wholeOf(this.layout, least, of);

  dot(sum: Held, left: Held, right: Held): Held {
    const use = this.uses.next();
    const [a, b] = [this.#operand(left, "left"), this.#operand(right, "right")];
    const variables = this.variables(this.#asPart(sum), "sum");
    this.memory.read(a, b);
    const isTurned = this.#isTurned(left, "left");
    const deep = isTurned ? 1 : 4;
    this.#eachOf(isTurned ? "place" : "quad", left.columns / deep, (piece) => {
      const lefts = isTurned ? this.#leftsTurned(a, left, piece) : this.#lefts(a, left, piece);
      for (const [c, rows] of lefts.entries()) {
        const line = piece
          .mul(deep)
          .add(c)
          .mul(b.stride / 4);
        const columns = range(variables[0]!.length / 4, (j) =>
          this.#four(b, line.add(this.team.columnAt(right, 4 * j).div(4))),
        ).flat();
        for (const [i, own] of variables.entries())
          for (const [j, v] of own.entries()) v.set(rows[i]!.fma(columns[j]!, v.get));
      }
    });
    this.memory.release(a, b);
    return this.completed(this.ofVariables(sum, variables, use, this.team.slices > 1));
  }

  /** Of four places of the depth, a thread's rows of the left operand. */
  #lefts(x: Staged, left: Held, quad: Value): Value[][] {
    const rows = range(this.team.rows(left.rows), (i) =>
      this.#four(
        x,
        this.team
          .rowAt(left, i)
          .mul(x.stride / 4)
          .add(quad),
      ),
    );
    return range(4, (c) => rows.map((row) => row[c]!));
  }
  /** The same of one place, where the operand lies column by column. */
  #leftsTurned(x: Staged, left: Held, place: Value): Value[][] {
    const line = place.mul(x.stride / 4);
    return [
      range(this.team.rows(left.rows) / 4, (i) =>
        this.#four(x, line.add(this.team.rowAt(left, 4 * i).div(4))),
      ).flat(),
    ];
  }
  #four = ({ region }: Staged, at: Value): Value[] =>
    this.k.load4(region.buffer, at.add(region.from / 4));

  /** All threads add what the slices have, each thread neighbours of its neighbours' elements. */
  protected storeParts(x: Held, put: Put): void {
    const k = this.k;
    const size = x.rows * x.columns;
    const parts = this.#parts(x);
    k.for("part", Math.ceil(size / this.threads), (part) => {
      const e = k.let("e", part.mul(this.threads).add(k.thread(0, this.threads)));
      k.if(e.lt(size), () => {
        const at = bounded(e, size - 1);
        put(this.#added(parts, size, at), at.div(x.columns), at.mod(x.columns));
      });
    });
    this.memory.release(parts);
  }

  protected carried(x: Held, use: Use): Held {
    const first = use.isWhole ? x : this.#asPart(x);
    return this.ofVariables(x, this.variables(first, "carried"), use, first.isPart);
  }
  protected alike = (x: Held, like: Held): Held => (like.isPart ? this.#asPart(x) : x);
  /** The first slice has all of it, others nothing. */
  #asPart(x: Held): Held {
    if (this.team.slices === 1 || x.isPart) return x;
    const own = (v: Value) => (isZero(v) ? v : this.team.slice.eq(0).select(v, 0));
    const values = this.values(x).map((row) => row.map(own));
    return { ...x, values, variables: undefined, isPart: true };
  }
  /** All of a tile in every slice, where its elements are asked for. */
  protected completed(x: Held): Held {
    if (!x.isPart || !x.use.isWhole) return x;
    const { use, rows, columns } = x;
    const parts = this.#parts(x);
    const values = this.team.grid(x, (i, j) =>
      this.k.let("x", this.#added(parts, rows * columns, this.team.placeAt(x, i, j))),
    );
    this.memory.release(parts);
    return { use, rows, columns, values };
  }
  /** Writes the parts of all slices, for others to read. */
  #parts(x: Held): Staged {
    const size = x.rows * x.columns;
    const parts = this.memory.take("parts", this.team.slices * size, x.columns, 1);
    const first = this.team.slice.mul(size).add(parts.region.from);
    for (const [i, row] of this.values(x).entries())
      for (const [j, v] of row.entries())
        this.k.store(parts.region.buffer, first.add(this.team.placeAt(x, i, j)), v);
    this.memory.read(parts);
    return parts;
  }
  #added({ region }: Staged, size: number, at: Value): Value {
    const part = (s: number) =>
      this.k.let("part", this.k.load(region.buffer, at.add(s * size + region.from)));
    return range(this.team.slices, part).reduce((x, y) => x.add(y));
  }
  /** Every slice multiplies its part of a depth. */
  #eachOf(name: string, count: number, body: (piece: Value) => void): void {
    const k = this.k;
    k.for(name, Math.ceil(count / this.team.slices), (i) => {
      const piece = k.let(name, i.mul(this.team.slices).add(this.team.slice));
      k.if(piece.lt(count), () => body(piece));
    });
  }

  /**
   * Whether a left operand lies column by column: then its places go by one at a time instead of four, and the
   * text of a product is a quarter as long.
   */
  #isTurned = ({ rows, use }: Pick<Held, "rows" | "use">, side: "left" | "right"): boolean =>
    this.layout.rolled && side === "left" && !use.isRight && this.team.rows(rows) % 4 === 0;

  protected stage(rows: Span, columns: Span, at: At, outside: number, use: Use): Staged {
    const isTurned = this.#isTurned({ rows: rows.size, use }, use.isLeft ? "left" : "right");
    const turned = (r: Value, c: Value) => at(c, r);
    const [lines, along, element] = isTurned ? [columns, rows, turned] : [rows, columns, at];
    const stride = strideOf(along.size, use.isLeft && !isTurned);
    const left = use.count - Number(use.isOwn);
    const staged = this.memory.take("operands", lines.size * stride, stride, left);
    const { buffer, from } = staged.region;
    this.staging.copy(lines, along, element, outside, (line, four, values) => {
      const first = line.mul(stride / 4);
      this.k.store4(buffer, first.add(four).add(from / 4), values);
    });
    return staged;
  }
  /** A computed tile becomes an operand: each thread writes what it has. */
  #operand(x: Held, side: "left" | "right"): Staged {
    if (x.staged) return x.staged;
    const isTurned = this.#isTurned(x, side);
    const [lines, along] = isTurned ? [x.columns, x.rows] : [x.rows, x.columns];
    const stride = strideOf(along, side === "left" && !isTurned);
    const staged = this.memory.take("operands", lines * stride, stride, 1);
    const { buffer, from } = staged.region;
    const put = (line: Value, place: Value, four: readonly Value[]) =>
      this.k.store4(buffer, line.mul(stride).add(place).add(from).div(4), four);
    const values = this.values(x);
    this.k.if(this.team.slice.eq(0), () => {
      if (isTurned)
        for (let i = 0; i < values.length; i += 4)
          for (let j = 0; j < values[0]!.length; j++) {
            const four = range(4, (n) => values[i + n]![j]!);
            put(this.team.columnAt(x, j), this.team.rowAt(x, i), four);
          }
      else
        for (const [i, row] of values.entries())
          for (let j = 0; j < row.length; j += 4)
            put(this.team.rowAt(x, i), this.team.columnAt(x, j), row.slice(j, j + 4));
    });
    return staged;
  }
}

const isZero = ({ expr }: Value): boolean => expr.kind === "lit" && expr.value === 0;

/** From row to row of an operand: the left one's rows lie in other banks. */
const strideOf = (columns: number, isLeft: boolean): number => columns + (isLeft ? 4 : 0);
