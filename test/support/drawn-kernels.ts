/** Random kernels whose numbers are whole and small enough to be exact: no order of rounding is in the way. */
import {
  addWrapping,
  bitsOf,
  mulWrapping,
  shiftLeft,
  shiftRight,
  xor,
} from "../../compiler/kernel/bits.ts";
import { Builder, type Variable } from "../../compiler/kernel/builder.ts";
import type { Buffer, Kernel } from "../../compiler/kernel/ir.ts";
import { index, literal, type Value } from "../../compiler/kernel/value.ts";
import type { Numbers } from "../../runtime/devices/device.ts";
import { type Random, randomOf } from "../fuzz/random.ts";

const size = 256;

/** Draws statements, each of which may read what those before it made. */
class Drawn {
  readonly #k: Builder;
  readonly #random: Random;
  readonly #inputs: Record<"f32" | "i32" | "u32", Buffer>;
  readonly #own: Buffer;
  /** Places, with bounds; whole numbers below 2^10; conditions. */
  readonly #places: Value[];
  readonly #numbers: Value[] = [];
  readonly #patterns: Value[] = [];
  readonly #variables: Variable[] = [];

  constructor(k: Builder, random: Random, places: readonly Value[]) {
    this.#k = k;
    this.#random = random;
    this.#places = [...places];
    this.#inputs = {
      f32: k.param("x", "f32", size, "read"),
      i32: k.param("n", "i32", size, "read"),
      u32: k.param("p", "u32", size, "read"),
    };
    this.#own = k.local("own", 8);
    for (let at = 0; at < 8; at++) k.store(this.#own, at, literal(at, "f32"));
    this.#variables.push(k.var("v", literal(1, "f32")));
  }

  /** A place in a buffer of `extent` elements. */
  place(extent: number): Value {
    const random = this.#random;
    const some = random.pick(this.#places);
    const one = random.pick([
      () => some,
      () => some.mul(random.between(1, 5)).add(random.between(0, 9)),
      () => some.div(random.pick([2, 3, 4, 8])),
      () => some.add(random.pick(this.#places)),
      () => some.min(random.between(0, 40)),
      () => this.condition().select(some, random.pick(this.#places)),
      () => index(random.between(0, extent - 1)),
    ])();
    return one.mod(extent);
  }

  /** Below 2^10 in size, and whole. */
  number(): Value {
    const random = this.#random;
    const k = this.#k;
    const known = () => (this.#numbers.length > 0 ? random.pick(this.#numbers) : literal(3, "f32"));
    const small = (v: Value) => v.max(-1000).min(1000);
    return random.pick([
      () => k.load(this.#inputs.f32, this.place(size)),
      () => k.load(this.#inputs.i32, this.place(size)).cast("f32"),
      () => k.load(this.#own, this.place(8)),
      () => random.pick(this.#variables).get,
      () => this.place(size).cast("f32"),
      () => small(known().add(known())),
      () => small(known().mul(known())),
      () => small(known().fma(known(), known())),
      () => known().sub(known()).mul(0.5).floor(),
      () => known().neg().maxnum(known()),
      () => known().abs().sqrt().floor(),
      () => this.condition().select(known(), known()),
      () => known().cast("i32").mod(7).add(known().cast("i32").div(3)).cast("f32"),
      () => shiftRight(this.pattern(), 23).cast("f32"),
      () => this.condition().cast("f32"),
    ])();
  }

  pattern(): Value {
    const random = this.#random;
    const known = () =>
      this.#patterns.length > 0 ? random.pick(this.#patterns) : literal(77, "u32");
    return random.pick([
      () => this.#k.load(this.#inputs.u32, this.place(size)),
      () => bitsOf((this.#numbers[0] ?? literal(2, "f32")).abs()),
      () => addWrapping(known(), this.place(size)),
      () => mulWrapping(known(), 2654435761),
      () => xor(known(), shiftLeft(known(), random.between(0, 31))),
      () => shiftRight(known(), this.place(32)),
    ])();
  }

  condition(): Value {
    const random = this.#random;
    const known = () => (this.#numbers.length > 0 ? random.pick(this.#numbers) : literal(1, "f32"));
    const place = () => random.pick(this.#places);
    return random.pick([
      () => place().lt(random.between(1, 40)),
      () => place().eq(place()),
      () => known().le(known()),
      () =>
        known()
          .lt(place().cast("f32"))
          .and(place().le(random.between(0, 40))),
      () => known().eq(known()).not().or(place().lt(3)),
    ])();
  }

  statement(depth: number): void {
    const random = this.#random;
    const k = this.#k;
    const nested = () => {
      const [numbers, places, patterns] = [
        this.#numbers.length,
        this.#places.length,
        this.#patterns.length,
      ];
      for (let n = random.between(1, 4); n > 0; n--) this.statement(depth - 1);
      this.#numbers.length = numbers;
      this.#places.length = places;
      this.#patterns.length = patterns;
    };
    random.pick([
      () => this.#numbers.push(k.let("a", this.number())),
      () => this.#numbers.push(k.let("a", this.number())),
      () => this.#patterns.push(k.let("b", this.pattern())),
      () => this.#places.push(k.let("at", this.place(size))),
      () => random.pick(this.#variables).set(this.number()),
      () => k.store(this.#own, this.place(8), this.number()),
      () => depth > 0 && k.if(this.condition(), nested),
      () =>
        depth > 0 &&
        k.for("i", random.between(2, 4), (i) => {
          this.#places.push(i);
          nested();
          this.#places.pop();
        }),
    ])();
  }

  get all(): readonly Value[] {
    return [...this.#numbers.slice(-3), ...this.#variables.map((v) => v.get)];
  }

  get patterns(): readonly Value[] {
    return this.#patterns.slice(-2);
  }
}

const threads: readonly Kernel["threads"][] = [
  ...([
    [4, 1, 1],
    [16, 1, 1],
    [1, 1, 1],
    [3, 1, 1],
  ] as const),
  ...([
    [6, 1, 1],
    [8, 3, 1],
    [3, 2, 2],
  ] as const),
];

export function drawKernel(seed: number): Kernel {
  const random = randomOf(seed);
  const k = new Builder();
  const shape = random.pick(threads);
  const count = shape[0] * shape[1] * shape[2];
  const groups = random.between(1, 3);
  const [x, y, z] = shape.map((extent, axis) => k.thread(axis as 0, extent)) as [
    Value,
    Value,
    Value,
  ];
  const thread = z.mul(shape[1]).add(y).mul(shape[0]).add(x);
  const all = k.group(0, groups).mul(count).add(thread);
  const drawn = new Drawn(k, random, [x, y, all, k.group(0, groups), thread]);
  for (let n = random.between(3, 12); n > 0; n--) drawn.statement(2);
  if (random.chance(0.4)) shareSome(k, drawn, { thread, count });
  const [to, patterns] = [
    k.param("y", "f32", groups * count * 4, "write"),
    k.param("q", "u32", groups * count * 2, "write"),
  ];
  // Every element is written: by neighbours next to each other, or each by itself.
  const isTogether = random.chance(0.5);
  const at = (j: number, of: number) =>
    isTogether ? all.add(j * groups * count) : all.mul(of).add(j);
  for (let j = 0; j < 4; j++) k.store(to, at(j, 4), drawn.all[j] ?? literal(j, "f32"));
  for (let j = 0; j < 2; j++) k.store(patterns, at(j, 2), drawn.patterns[j] ?? literal(j, "u32"));
  return k.finish("drawn", shape, [groups, 1, 1]);
}

/** What each thread has, read by another one behind a barrier, in a loop around it. */
function shareSome(
  k: Builder,
  drawn: Drawn,
  { thread, count }: { thread: Value; count: number },
): void {
  const shared = k.shared("shared", count);
  const sum = k.var("sum", literal(0, "f32"));
  const before = k.let("before", drawn.number());
  k.for("round", 3, (round) => {
    k.store(shared, thread, drawn.number().add(round.cast("f32")));
    k.barrier();
    const other = k.load(shared, thread.add(round).add(1).mod(count));
    sum.set(sum.get.add(other).max(-1000).min(1000));
    k.barrier();
  });
  const isFew = literal(count, "u32").lt(100);
  k.if(isFew, () => sum.set(sum.get.add(before).min(1000)));
  drawn.statement(1);
}

const numbers = (seed: number, most: number) => {
  const random = randomOf(seed);
  return Array.from({ length: size }, () => random.between(-most, most));
};

/** Which zero the larger of two is, nobody says. */
export const unsigned = (results: Record<string, Numbers>) =>
  Object.entries(results).map(([name, values]) => [name, [...values].map((v) => v + 0)]);

/** What drawn kernels read. */
export const drawnInputs = {
  x: Float32Array.from(numbers(1, 99)),
  n: Int32Array.from(numbers(2, 999)),
  p: Uint32Array.from(numbers(3, 2 ** 31 - 1)),
};
