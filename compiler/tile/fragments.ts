/**
 * The lowering for devices that multiply matrix fragments: operands of `dot` lie in workgroup memory in the form
 * that the device multiplies, and subgroups multiply them. A sum stays in fragments as long as nothing asks for
 * its elements. No thread sees an element of a fragment, so elements are asked for through workgroup memory.
 */
import { bug } from "../../diagnostics/index.ts";
import { elementsIn } from "../../formats/index.ts";
import { always, type Builder } from "../kernel/builder.ts";
import type { Fragment, Kernel } from "../kernel/ir.ts";
import { bounded, type Value } from "../kernel/value.ts";
import type { KernelMatrices, MatrixProduct } from "../plan.ts";
import { Memory, type Staged } from "./barriers.ts";
import { range } from "./places.ts";
import type { At, Put, Span, Tile, TileProgram } from "./program.ts";
import { type Held, InRegisters } from "./registers.ts";
import type { Grid, Threads } from "./team.ts";
import { type Use, usesOf } from "./uses.ts";

export interface Units {
  /** What is multiplied, by subgroups of how many threads. */
  readonly matrices: KernelMatrices;
  /** Subgroups that share a computed tile. */
  readonly down: number;
  readonly across: number;
  /** How many fragments of a subgroup go through workgroup memory at a time as a sum is stored: all unless given. */
  readonly round?: number;
  /** How threads share a tile of which elements are asked for. */
  readonly threads: Threads;
}

export function lowerFragments(k: Builder, program: TileProgram, units: Units): Kernel {
  const { matrices, down, across } = units;
  const threads = down * across * matrices.width;
  k.matrices(matrices);
  const { uses, text: tiles } = usesOf(program, (least, of) => wholeOf(units, least, of));
  const memory = new Memory(k, threads, (size) =>
    k.sharedFours("operands", size, matrices.operand),
  );
  program.body(new Fragments(k, units, uses, memory));
  return { ...k.finish(program.name, [threads, 1, 1], program.groups), tiles };
}

/** Columns of a computed tile fill fragments of sums and of left operands, and fours of threads. */
export function wholeOf(
  { matrices, across, threads }: Pick<Units, "matrices" | "across" | "threads">,
  least: number,
  of: "columns" | "depth",
): number {
  const { columns, depth } = matrices;
  const unit =
    of === "depth"
      ? common(depth, 4)
      : [depth, 4 * threads.across].reduce(common, across * columns);
  return Math.ceil(least / unit) * unit;
}

const common = (a: number, b: number): number => {
  const divisor = (x: number, y: number): number => (y === 0 ? x : divisor(y, x % y));
  return (a / divisor(a, b)) * b;
};

/** From row to row of an operand: 16 bytes more than it has, so that rows lie in other banks. */
export const strideOf = (columns: number, { operand }: MatrixProduct): number =>
  columns + elementsIn(operand, 16);

/** A tile whose elements no thread has: the fragments of each subgroup. */
interface Sum extends Held {
  readonly fragments?: Grid<Fragment> | undefined;
}

class Fragments extends InRegisters {
  readonly #units: Units;
  /** Of operands: loaded again for every product. */
  readonly #loaded: Readonly<Record<"left" | "right", Fragment[]>> = { left: [], right: [] };

  constructor(k: Builder, units: Units, uses: readonly Use[], memory: Memory) {
    super(k, { ...units.threads }, uses, memory);
    this.#units = units;
  }

  whole = (least: number, of: "columns" | "depth"): number => wholeOf(this.#units, least, of);

  protected override filled(x: Tile, value: number, use: Use): Held {
    const isSum = value === 0 && !isAsked(use) && this.#isSum(x);
    return isSum ? this.#zeros(x, use) : super.filled(x, value, use);
  }

  dot(sum: Sum, left: Held, right: Held): Held {
    const use = this.uses.next();
    const { k } = this;
    const [a, b] = [this.#operand(left), this.#operand(right)];
    const isInPlace = sum.fragments && sum.use.depth === this.memory.depth;
    const { fragments } = isInPlace ? sum : this.#zeros(sum, use);
    const { depth, rows, columns } = this.#units.matrices;
    const [down, across] = [fragments!.length, fragments![0]!.length];
    const [lefts, rights] = [this.#operands("left", down), this.#operands("right", across)];
    this.memory.read(a, b);
    this.#eachSubgroup((_, i, j) => {
      const [m, n] = [k.let("m", i.mul(down * rows)), k.let("n", j.mul(across * columns))];
      k.for("place", left.columns / depth, (step) => {
        const place = k.let("place", step.mul(depth));
        const first = k.let("first", m.mul(a.stride).add(place).add(a.region.from));
        const below = k.let("below", place.mul(b.stride).add(n).add(b.region.from));
        for (const [i, to] of lefts.entries())
          k.loadFragment(to, a.region.buffer, first.add(i * rows * a.stride), a.stride);
        for (const [j, to] of rights.entries())
          k.loadFragment(to, b.region.buffer, below.add(j * columns), b.stride);
        for (const [i, row] of fragments!.entries())
          for (const [j, to] of row.entries()) k.multiplyFragments(to, lefts[i]!, rights[j]!);
      });
    });
    this.memory.release(a, b);
    const made: Sum = { use, rows: sum.rows, columns: sum.columns, isPart: true, fragments };
    return isInPlace ? this.completed(made) : this.#added(made, this.#elements(sum));
  }

  override store(x: Sum, rows: Span, columns: Span, put: Put): void {
    super.store(this.#units.round ? x : this.#elements(x), rows, columns, put);
  }

  protected carried(x: Sum, use: Use): Held {
    const isFree = x.use.count === 1 && x.use.depth === this.memory.depth;
    if (x.fragments && isFree && !isAsked(use)) return { ...x, use };
    const whole = this.#elements(x);
    return this.ofVariables(whole, this.variables(whole, "carried"), use);
  }
  protected alike(x: Sum, like: Sum): Held {
    if (!like.fragments) return this.#elements(x);
    return x.fragments === like.fragments ? x : bug("a sum is carried on in the place of another");
  }
  protected completed = (x: Sum): Held => (isAsked(x.use) ? this.#elements(x) : x);

  /** `round` fragments of each subgroup at a time. */
  protected storeParts(x: Sum, put: Put): void {
    const { k } = this;
    const { matrices, down, across, round = 1 } = this.#units;
    const all = x.fragments!.flat();
    const size = matrices.rows * matrices.columns;
    const count = down * across * round * size;
    for (let first = 0; first < all.length; first += round) {
      const through = this.memory.take("parts", count, matrices.columns, 1);
      const { buffer, from } = through.region;
      this.#eachSubgroup((number) => {
        for (const [i, sum] of all.slice(first, first + round).entries())
          k.storeFragment(
            buffer,
            number.mul(round).add(i).mul(size).add(from),
            sum,
            matrices.columns,
          );
      });
      this.memory.read(through);
      k.for("part", Math.ceil(count / this.threads), (part) => {
        const e = k.let("e", part.mul(this.threads).add(k.thread(0, this.threads)));
        k.if(e.lt(count), () => {
          const at = bounded(e, count - 1);
          const [subgroup, fragment] = [at.div(round * size), at.div(size).mod(round).add(first)];
          const [i, j] = [
            fragment.div(x.fragments![0]!.length),
            fragment.mod(x.fragments![0]!.length),
          ];
          const r = subgroup.div(across).mul(x.fragments!.length).add(i).mul(matrices.rows);
          const c = subgroup.mod(across).mul(x.fragments![0]!.length).add(j).mul(matrices.columns);
          const inside = at.mod(size);
          put(
            k.load(buffer, at.add(from)),
            r.add(inside.div(matrices.columns)),
            c.add(inside.mod(matrices.columns)),
          );
        });
      });
      this.memory.release(through);
    }
  }

  protected stage(rows: Span, columns: Span, at: At, outside: number, use: Use): Staged {
    const staged = this.#take(
      { rows: rows.size, columns: columns.size },
      use.count - Number(use.isOwn),
    );
    const { buffer, from } = staged.region;
    this.staging.copy(rows, columns, at, outside, (row, four, values) => {
      this.k.store4(
        buffer,
        row
          .mul(staged.stride / 4)
          .add(four)
          .add(from / 4),
        values,
      );
    });
    return staged;
  }
  /** A computed tile becomes an operand: each thread writes what it has. */
  #operand(x: Held): Staged {
    if (x.staged) return x.staged;
    const staged = this.#take(x, 1);
    const { buffer, from } = staged.region;
    for (const [i, row] of this.values(x).entries())
      for (let j = 0; j < row.length; j += 4) {
        const at = this.team.rowAt(x, i).mul(staged.stride).add(this.team.columnAt(x, j));
        this.k.store4(buffer, at.add(from).div(4), row.slice(j, j + 4));
      }
    return staged;
  }
  #take({ rows, columns }: Tile, left: number): Staged {
    const stride = strideOf(columns, this.#units.matrices);
    return this.memory.take("operands", rows * stride, stride, left);
  }

  /** What threads have of a tile. */
  #elements(x: Sum): Held {
    if (!x.fragments) return x;
    const { use, rows, columns } = x;
    const parts = this.#parts(x);
    const values = this.team.grid(x, (i, j) => this.k.let("x", this.#loadedAt(parts, x, i, j)));
    this.memory.release(parts);
    return { use, rows, columns, values };
  }
  /** A sum in fragments, and what threads have. */
  #added(x: Sum, y: Held): Held {
    const { use, rows, columns } = x;
    const parts = this.#parts(x);
    const values = this.team.grid(x, (i, j) =>
      this.k.let("x", this.valueOf(y, i, j).add(this.#loadedAt(parts, x, i, j))),
    );
    this.memory.release(parts);
    return { use, rows, columns, values };
  }
  #loadedAt = ({ region }: Staged, x: Tile, i: number, j: number): Value =>
    this.k.load(region.buffer, this.team.placeAt(x, i, j).add(region.from));
  /** Subgroups write what they have, for threads to read. */
  #parts(x: Sum): Staged {
    const { rows, columns } = this.#units.matrices;
    const parts = this.memory.take("parts", x.rows * x.columns, x.columns, 1);
    const { buffer, from } = parts.region;
    const [down, across] = [x.fragments!.length, x.fragments![0]!.length];
    this.#eachSubgroup((_, i, j) => {
      const first = this.k.let(
        "first",
        i
          .mul(down * rows * x.columns)
          .add(j.mul(across * columns))
          .add(from),
      );
      for (const [i, row] of x.fragments!.entries())
        for (const [j, sum] of row.entries())
          this.k.storeFragment(
            buffer,
            first.add(i * rows * x.columns + j * columns),
            sum,
            x.columns,
          );
    });
    this.memory.read(parts);
    return parts;
  }

  #isSum = ({ rows, columns }: Tile): boolean => {
    const { matrices, down, across } = this.#units;
    return rows % (down * matrices.rows) === 0 && columns % (across * matrices.columns) === 0;
  };
  #zeros({ rows, columns }: Tile, use: Use): Sum {
    const { matrices, down, across } = this.#units;
    if (!this.#isSum({ rows, columns })) bug(`a sum of ${rows} x ${columns} in fragments`);
    const fragments = range(rows / down / matrices.rows, () =>
      range(columns / across / matrices.columns, () => this.k.fragment("sum")),
    );
    for (const sum of fragments.flat()) this.k.zeroFragment(sum);
    return { use, rows, columns, isPart: true, fragments };
  }
  #operands(role: "left" | "right", count: number): readonly Fragment[] {
    const loaded = this.#loaded[role];
    while (loaded.length < count) loaded.push(this.k.fragment(role));
    return loaded.slice(0, count);
  }
  /** What the subgroups of the tile do, with their numbers down and across; others stand by. */
  #eachSubgroup(work: (number: Value, down: Value, across: Value) => void): void {
    const { down, across, matrices } = this.#units;
    const count = down * across;
    const isExact = matrices.widths !== "most";
    const number = isExact ? this.k.subgroup(count) : this.k.subgroup();
    this.k.if(isExact ? always : number.lt(count), () => {
      const known = bounded(number, count - 1);
      work(known, known.div(across), known.mod(across));
    });
  }
}

/** Whether threads must have the elements. */
const isAsked = ({ isWhole, isMoved }: Use): boolean => isWhole || isMoved;
