/**
 * The lowering for devices that multiply matrix fragments: operands of `dot` lie in workgroup memory in the form
 * that the device multiplies, and subgroups multiply them. A sum stays in fragments as long as nothing asks for
 * its elements. No thread sees an element of a fragment, so elements are asked for through workgroup memory.
 */
import { bug } from "../../diagnostics/index.ts";
import { always, type Builder } from "../kernel/builder.ts";
import type { Fragment, Kernel } from "../kernel/ir.ts";
import { bounded, index, type Value } from "../kernel/value.ts";
import type { KernelMatrices } from "../plan.ts";
import { Memory, type Staged } from "./barriers.ts";
import { elementOf, type InStages, Pipeline, strideOf } from "./pipeline.ts";
import { foursIn, placeIn, putIn, range } from "./places.ts";
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
  /** Of numbered fragments: steps of a loop that lie in workgroup memory at a time; 1 unless given. */
  readonly stages?: number | undefined;
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

/** A tile whose elements no thread has: the fragments of each subgroup. */
interface Sum extends Held {
  readonly fragments?: Grid<Fragment> | undefined;
}

class Fragments extends InRegisters {
  readonly #units: Units;
  #pipeline: Pipeline | undefined;
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
    if (this.#pipeline?.isFilling) return { ...sum, use };
    const [a, b] = [this.#operand(left), this.#operand(right)];
    const isInPlace = sum.fragments && sum.use.depth === this.memory.depth;
    const { fragments } = isInPlace ? sum : this.#zeros(sum, use);
    const { depth, rows, columns } = this.#units.matrices;
    const [down, across] = [fragments!.length, fragments![0]!.length];
    const [lefts, rights] = [this.#operands("left", down), this.#operands("right", across)];
    const staged = [a, b].filter((x) => !x.slot);
    this.memory.read(...staged);
    this.#eachSubgroup((_, i, j) => {
      const [m, n] = [k.let("m", i.mul(down * rows)), k.let("n", j.mul(across * columns))];
      const step = (step: Value) => {
        const place = k.let("place", step.mul(depth));
        const first = k.let("first", elementOf(a, m, place));
        const below = k.let("below", elementOf(b, place, n));
        for (const [i, to] of lefts.entries()) {
          const at = first.add(i * rows * (a.turned ? 1 : a.stride));
          k.loadFragment(to, a.region.buffer, at, a.stride, a.turned);
        }
        for (const [j, to] of rights.entries()) {
          const at = below.add(j * columns * (b.turned ? b.stride : 1));
          k.loadFragment(to, b.region.buffer, at, b.stride, b.turned);
        }
        for (const [i, row] of fragments!.entries())
          for (const [j, to] of row.entries()) k.multiplyFragments(to, lefts[i]!, rights[j]!);
      };
      const steps = left.columns / depth;
      // Loads of a step go on while what was loaded for the one before is multiplied.
      if (this.#pipeline) for (const i of range(steps, index)) step(i);
      else k.for("place", steps, step);
    });
    this.memory.release(...staged);
    const made: Sum = { use, rows: sum.rows, columns: sum.columns, isPart: true, fragments };
    return isInPlace ? this.completed(made) : this.#added(made, this.#elements(sum));
  }

  override loop<C extends readonly Held[]>(
    count: number,
    carried: readonly [...C],
    body: (i: Value, carried: C) => C,
    when?: (i: Value) => Value,
  ): C {
    const { stages = 1 } = this.#units;
    if (stages === 1 || when) return super.loop(count, carried, body, when);
    const held = carried.map((c) => this.carried(c, this.uses.next()));
    const first = this.uses.place;
    const pipeline = new Pipeline(this.k, this.memory, this.staging, stages, this.threads);
    this.#pipeline = pipeline;
    pipeline.run(count, (i) => {
      this.uses.place = first;
      const next = body(i, held as readonly Held[] as C);
      if (!pipeline.isFilling) for (const [x, n] of next.entries()) this.alike(n, held[x]!);
    });
    this.#pipeline = undefined;
    return held
      .map((h): Held => ({ ...h, use: this.uses.next() }))
      .map((h) => this.completed(h)) as readonly Held[] as C;
  }

  override store(x: Sum, rows: Span, columns: Span, put: Put): void {
    const { round, matrices } = this.#units;
    if (x.fragments && round && matrices.numbered) {
      this.#storeOwn(x.fragments, rows, columns, put);
      return;
    }
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

  /**
   * Each lane stores what it has. Of an 8 x 8 part two neighbours have pairs of one row, and below of another: they
   * exchange one each, so that each has four of a row.
   */
  #storeOwn(fragments: Grid<Fragment>, rows: Span, columns: Span, put: Put): void {
    const { k } = this;
    const { matrices } = this.#units;
    const lane = k.lane(32);
    const isOdd = k.let("odd", lane.mod(2).eq(1));
    const line = k.let("line", lane.div(4).add(lane.mod(2).mul(8)));
    const beside = k.let("beside", lane.mod(4).div(2));
    this.#eachSubgroup((_, i, j) => {
      for (const [down, row] of fragments.entries())
        for (const [across, sum] of row.entries()) {
          const own = k.elementsOf(sum);
          const r = i.mul(fragments.length).add(down).mul(matrices.rows).add(line);
          if (columns.extent % 4 !== 0) {
            const one = putIn(k, rows, columns, put);
            for (const [e, value] of own.entries()) {
              const above = i.mul(fragments.length).add(down).mul(matrices.rows);
              const left = j.mul(row.length).add(across).mul(matrices.columns);
              const y = above.add(lane.div(4)).add(8 * ((e >> 1) % 2));
              const x = left.add(8 * (e >> 2) + (e % 2)).add(lane.mod(4).mul(2));
              one(value, y, x);
            }
            continue;
          }
          const [y, inRows] = placeIn(k, rows, r);
          for (const part of range(matrices.columns / 8, (n) => n)) {
            const [a, b, c, d] = own.slice(4 * part, 4 * part + 4) as [Value, Value, Value, Value];
            const got = [isOdd.select(a, c), isOdd.select(b, d)].map((v) =>
              k.let("got", k.shuffle(v, 1)),
            ) as [Value, Value];
            const [e, f] = got;
            const four = [
              ...[isOdd.select(e, a), isOdd.select(f, b), isOdd.select(c, e), isOdd.select(d, f)],
            ].map((v) => k.let("value", v));
            const first = j
              .mul(row.length)
              .add(across)
              .mul(matrices.columns / 4);
            const places = foursIn(k, columns, first.add(2 * part).add(beside));
            k.if(inRows.and(places[0]![1]), () =>
              k.together(() => {
                for (const [n, [x]] of places.entries()) put(four[n]!, y, x);
              }),
            );
          }
        }
    });
  }

  protected stage(rows: Span, columns: Span, at: At, outside: number, use: Use): Staged {
    if (this.#pipeline)
      return this.#pipeline.stage(
        rows,
        columns,
        at,
        outside,
        (size, stride) => this.memory.take("operands", size, stride, 1),
        this.#units.matrices,
      );
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
  #operand(x: Held): InStages {
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
