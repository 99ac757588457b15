/** What sources hold: ordinary numbers, and those at which arithmetic breaks. */
import type { DType } from "../../../compiler/graph/tensor.ts";
import { type Random, randomOf } from "../random.ts";
import { count, type Dense } from "./dense.ts";
import type { Fill } from "./known.ts";

interface Filled {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly fill: Fill;
  readonly seed: number;
}

/** The lowest number of single precision: what masks hold where they hold no infinity. */
export const lowest = -3.4028234663852886e38;

const specials: Readonly<Record<DType, readonly number[]>> = {
  f32: [
    NaN,
    Infinity,
    -Infinity,
    lowest,
    -lowest,
    -0,
    0,
    1e-40,
    -1e-40,
    1.2e-38,
    3e38,
    -3.4e38,
    1e30,
    -1e30,
    1e-30,
    20000.5,
    -123456,
    1,
    -1,
  ],
  i32: [-(2 ** 31), 2 ** 31 - 1, -1, 0, 1, 65536, 46341, -46341],
  u32: [0, 1, 2 ** 32 - 1, 2 ** 31, 65536, 65537],
  bool: [0, 1],
};

const ordinary: Readonly<Record<DType, (r: Random) => number>> = {
  f32: (r) => Math.fround((r.next() + r.next() + r.next() - 1.5) * 1.6),
  i32: (r) => r.between(-5, 7),
  u32: (r) => r.between(0, 9),
  bool: (r) => r.below(2),
};

const hidden = [Number.NEGATIVE_INFINITY, lowest, lowest, -1e9];
const masks = [0, 0, 0, Number.NEGATIVE_INFINITY, lowest, -3.4e38, -1e9];

export function valuesOf({ dtype, shape, fill, seed }: Filled): Dense {
  const r = randomOf(seed);
  const one = (): number => {
    switch (fill) {
      case "ordinary":
        return ordinary[dtype](r);
      case "positive":
        return Math.fround(Math.exp(r.next() * 4 - 2));
      case "tied":
        return r.between(-2, 2) / 2;
      case "whole":
        return dtype === "u32" ? r.between(0, 4) : r.between(-4, 4);
      case "wide":
        return r.below(2 ** 32);
      case "index":
        return dtype === "u32" ? r.between(0, 7) : r.between(-2, 7);
      case "extreme":
        return r.chance(0.3) ? r.pick(specials[dtype]) : ordinary[dtype](r);
      case "masked":
        return r.pick(masks);
    }
  };
  const data = Float64Array.from({ length: count(shape) }, () => {
    const x = one();
    return dtype === "f32" ? Math.fround(x) : x;
  });
  // Now and then a whole row is hidden, by one number.
  const row = shape.at(-1) ?? 1;
  if (fill === "masked" && r.chance(0.7)) data.fill(Math.fround(r.pick(hidden)), 0, row);
  return { dtype, shape, data };
}
