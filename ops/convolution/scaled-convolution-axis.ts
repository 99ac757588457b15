/**
 * How one pixel's samples read along one axis: which weight every pixel around it has in every
 * enlarged pixel that the samples' 3 x 3 kernels look at.
 *
 * An odd scale s has one sample a pixel, in its middle; its kernel looks at three enlarged pixels, at
 * -1/s, 0 and 1/s from it. An even one has four, and kernels that share six: -2.5/s to 2.5/s.
 */
import { type Builder, bounded, index, literal, type Value } from "../../compiler/op-kit.ts";

/** What samples of one parity have in common. */
export interface Parity {
  readonly even: boolean;
  /** Samples of a pixel along an axis. */
  readonly samples: number;
  /** How far from the pixel enlarged pixels are interpolated. */
  readonly reach: number;
  /** By enlarged pixel that the kernels look at: the pixels that it may be interpolated from. */
  readonly readings: readonly (readonly [first: number, last: number])[];
}

/** The parities that occur among scales. */
export function paritiesOf(scales: readonly number[]): Parity[] {
  const [left, right] = [[-2, 1] as const, [-1, 2] as const];
  const middle = [0, 0] as const;
  const odd = { even: false, samples: 1, reach: 2, readings: [left, middle, right] };
  // At scale 2 the outermost are more than a pixel away; at any other they are not.
  const [first, last] = scales.includes(2)
    ? ([
        [-3, 1],
        [-1, 3],
      ] as const)
    : [left, right];
  const readings = [first, left, left, right, right, last];
  const even = { even: true, samples: 4, reach: last[1], readings };
  return [odd, even].filter((parity) => scales.some((s) => (s % 2 === 0) === parity.even));
}

/** A pixel and its scale along one axis of `size` pixels. The scale is a u32. */
export interface Axis {
  readonly pixel: Value;
  readonly size: number;
  readonly scale: Value;
}

/** Gives the weights of one pixel after another, from `-reach` to `reach`. */
export interface Sweep {
  /** The pixel at place `t` from 0 to 2 reach, or the nearest on the map. */
  pixelAt(t: Value): Value;
  /**
   * By reading: the weight of that place. Places follow one another from 0 on, once each. Beyond the
   * border weights are zero: what would read there counts for the pixel at the border.
   */
  next(t: Value): Value[];
}

/**
 * Weights are differences of running sums, which border pixels take as they are: 0 before the map,
 * all there is at its end. A reading outside the enlarged map is zero (the convolution's padding);
 * that is decided in whole numbers.
 */
export function sweep(k: Builder, { even, readings, reach }: Parity, axis: Axis): Sweep {
  const { pixel, size, scale } = axis;
  const first = even ? 3 : 1;
  const step = k.let("step", literal(1, "f32").div(scale.cast("f32")));
  const start = k.let("start", pixel.mul(scale).add(scale.div(2)));
  const end = k.let("end", scale.mul(size).add(first));
  const rows = readings.map((range, q) => {
    const inside = k.let("inside", start.add(q).ge(first).and(start.add(q).lt(end)));
    return {
      range,
      total: k.let("total", inside.select(literal(1, "f32"), 0)),
      // Where nothing is read every pixel is too far away.
      at: k.let("at", inside.select(step.mul(q - (readings.length - 1) / 2), 99)),
      sum: k.var("sum", literal(0, "f32")),
      taken: k.var("taken", literal(0, "f32")),
    };
  });
  return {
    pixelAt: (t) => {
      const clamped = pixel.add(t).max(reach).sub(reach);
      return k.let("near", bounded(clamped.min(size - 1), size - 1));
    },
    next: (t) => {
      const before = k.let("before", pixel.add(t).lt(reach));
      const past = k.let("past", pixel.add(t).ge(size - 1 + reach));
      return rows.map(({ range, total, at, sum, taken }) => {
        if (t.expr.kind === "lit" && isOutside(range, t.expr.value - reach)) return none;
        sum.set(sum.get.add(cubic(k, t.cast("f32").sub(reach).sub(at))));
        const now = k.let("now", before.select(none, past.select(total, sum.get)));
        const weight = k.let("weight", now.sub(taken.get));
        taken.set(now);
        return weight;
      });
    },
  };
}

const none = literal(0, "f32");

const isOutside = ([first, last]: readonly [number, number], place: number) =>
  place < first || place > last;

/** How much each sample counts: what falls on a sample outside the map counts for the next one. */
export function countsOf(k: Builder, { even }: Parity, axis: Axis): Value[] {
  if (!even) return [literal(1, "f32")];
  const { pixel, size, scale } = axis;
  const start = k.let("start", pixel.mul(scale).add(scale.div(2)));
  const border = (outside: Value): [Value, Value] => [
    k.let("outer", outside.select(literal(0, "f32"), -3 / 32)),
    k.let("inner", outside.select(literal(16 / 32, "f32"), 19 / 32)),
  ];
  const [outer, inner] = border(start.lt(2));
  const [lastOuter, lastInner] = border(start.add(1).ge(scale.mul(size)));
  return [outer, inner, lastInner, lastOuter];
}

/** Keys' cubic convolution with a = -3/4, of a distance with its sign. */
function cubic(k: Builder, signed: Value): Value {
  const d = k.let("distance", signed.abs());
  const near = d.fma(1.25, -2.25).mul(d.mul(d)).add(1);
  const far = d.fma(-0.75, 3.75).fma(d, -6).fma(d, 3);
  return d.lt(1).select(near, d.lt(2).select(far, literal(0, "f32")));
}

/** The whole number that belongs to a choice: a chain of selects. */
export const chosenOf = (numbers: readonly number[], choice: Value): Value =>
  numbers
    .slice(1)
    .reduce((found, n, i) => choice.eq(i + 1).select(index(n), found), index(numbers[0]!));
