/**
 * oneMinusPower(x, base): 1 - base^x, to float32's precision for every x. Where the power is near 1 its
 * difference from 1 has lost its digits; there the series of exp(y) - 1 is summed instead, with
 * y = x log(base).
 */
import {
  always,
  apply,
  checkTensors,
  type DType,
  type ElementOp,
  literal,
  refuse,
  type Shape,
  shown,
  type Tensor,
  type Value,
} from "../../compiler/op-kit.ts";
import { mul } from "./mul.ts";
import { sub } from "./sub.ts";

interface Attrs {
  readonly base: number;
}

export const op: ElementOp<Attrs> = {
  name: "oneMinusPower",
  kind: "element",
  cost: 45,
  type: ([x], _attrs, fail) => {
    if (x!.dtype !== "f32") fail(`takes f32, not ${x!.dtype}`, 'convert it: cast(x, "f32")');
    return [x!];
  },
  element: ({ k, inputs: [x], at, attrs: { base } }) => {
    const y = k.let("y", x!.at(...at).mul(Math.log(base)));
    const inside = k.let("inside", y.max(-1).min(1));
    return y
      .abs()
      .lt(1)
      .select(inside.mul(series(inside)).neg(), y.exp().neg().add(1));
  },
  push: ({ at }) => ({ at, where: always }),
  vjp: ([g], { results: [y], attrs: { base } }) => [mul(g!, mul(sub(y!, 1), Math.log(base)))],
  note: ({ base }) => `of ${base}`,
  tests: {
    samples: [
      {
        inputs: [[0, 1, 2, 10, 1000, 1e6]],
        call: (x) => [oneMinusPower(x!, 0.999), oneMinusPower(x!, 0.5)],
        outputs: [
          [0, 0.001, 0.001999, 0.00995511979, 0.6323045752, 1],
          [0, 0.5, 0.75, 0.9990234375, 1, 1],
        ],
      },
      {
        claim: "negative exponents, near 0 and far from it",
        inputs: [[-0.001, -0.1, -1, -3, -40]],
        call: (x) => oneMinusPower(x!, 0.5),
        outputs: [[-0.00069338746258, -0.0717734625363, -1, -7, -1099511627775]],
      },
    ],
    cases: [
      {
        claim: "on both sides of where the series ends",
        inputs: [{ shape: [5, 41], range: [-30, 30] }],
        call: (x) => oneMinusPower(x!, 0.9),
        smooth: true,
      },
    ],
  },
};

/** 1 - base^x for float32 x and a constant base between 0 and 1. Throws E101. */
export function oneMinusPower<D extends DType, S extends Shape>(
  x: Tensor<D, S>,
  base: number,
): Tensor<D, S> {
  checkTensors("oneMinusPower", { x });
  if (typeof base !== "number" || !(base > 0 && base < 1))
    refuse("oneMinusPower", [x], `the base is ${shown(base)}`, "give a number between 0 and 1");
  return apply(op, [x], { base })[0] as unknown as Tensor<D, S>;
}

/** (exp(y) - 1) / y for y from -1 to 1: what is left out is below 2e-10 of it. */
function series(y: Value): Value {
  let sum = literal(1, "f32");
  for (let n = 12; n >= 2; n--) sum = sum.mul(y).fma(1 / n, 1);
  return sum;
}
