/**
 * sin(x) and cos(x), exact to about 1e-7 of 1 for every x, where the functions that shaders have
 * are only good near zero; on a processor within 3 units in the last place. NaN for NaN and infinities.
 *
 * One op for both: sin(x + quarter * pi/2), whose derivative is the next quarter. x is brought to
 * [-pi/4, pi/4] by taking away n * pi/2 in four parts, the first three so short that their product
 * with n is exact for |x| up to 1e4 (Cody and Waite), beyond that in whole numbers (`turns.ts`); there, a
 * minimax polynomial (relative error below 5e-12).
 */
import {
  always,
  apply,
  type Builder,
  type DType,
  type ElementOp,
  isFiniteOf,
  type Shape,
  type Tensor,
  type Value,
} from "../../compiler/op-kit.ts";
import { polynomial } from "./erf.ts";
import { mul } from "./mul.ts";
import { turnsOf } from "./turns.ts";

interface Attrs {
  readonly quarter: 0 | 1 | 2 | 3;
  /** |x| is at most `near` for certain. */
  readonly isNear: boolean;
}

const near = 8192;

const halfPi = [1.5703125, 0.0004837512969970703, 7.549533620476723e-8, 2.563344151594519e-12];
const sine = [
  0.999999999995, -0.166666666302, 0.00833332866217, -0.000198391699749, 2.71707579856e-6,
];
const cosine = [
  0.9999999999999, -0.4999999999926, 0.04166666653242, -0.001388887986992, 2.479883116418e-5,
  -2.716706097913e-7,
];

export const op: ElementOp<Attrs> = {
  name: "sin",
  kind: "element",
  cost: 45,
  type: ([x], _attrs, fail) => {
    if (x!.dtype !== "f32") fail(`takes f32, not ${x!.dtype}`, 'convert it: cast(x, "f32")');
    return [x!];
  },
  element: ({ k, inputs, at, attrs }) => {
    const x = inputs[0]!.at(...at);
    const n = k.let(
      "n",
      x
        .mul(2 / Math.PI)
        .add(0.5)
        .floor(),
    );
    const rest = halfPi.reduce((rest, part) => rest.sub(n.mul(part)), x);
    const far = attrs.isNear ? undefined : farTurns(k, x);
    const r = k.let("r", far ? far.isFar.select(far.rest, rest) : rest);
    const square = k.let("square", r.mul(r));
    const odd = r.mul(polynomial(sine, square));
    const even = polynomial(cosine, square);
    const turns = k.let("turns", far ? far.isFar.select(far.quarter, n) : n).add(attrs.quarter);
    const quarter = k.let("quarter", turns.sub(turns.mul(0.25).floor().mul(4)));
    const isEven = quarter.eq(1).or(quarter.eq(3));
    const value = k.let("value", isEven.select(even, odd));
    return quarter.ge(2).select(value.neg(), value);
  },
  push: ({ at }) => ({ at, where: always }),
  vjp: ([g], { inputs: [x], attrs: { quarter, isNear } }) => [
    mul(g!, turned(x!, ((quarter + 1) % 4) as Attrs["quarter"], isNear)),
  ],
  note: ({ quarter }) => `of x + ${quarter} pi/2`,
  tests: {
    samples: [
      {
        claim: "every quadrant, and far from zero",
        inputs: [[0, 1, 2, 4, 5.5, -1, -2.5, 100, -1000, 10000]],
        call: (x) => [sin(x!), cos(x!)],
        outputs: [
          [
            0, 0.8414709848, 0.9092974268, -0.7568024953, -0.7055403256, -0.8414709848,
            -0.5984721441, -0.5063656411, -0.8268795405, -0.3056143889,
          ],
          [
            1, 0.5403023059, -0.4161468365, -0.6536436209, 0.7086697743, 0.5403023059,
            -0.8011436155, 0.8623188723, 0.5623790763, -0.9521553683,
          ],
        ],
      },
    ],
    cases: [
      {
        claim: "several turns both ways",
        inputs: [{ shape: [9, 31], range: [-20, 20] }],
        call: (x) => [sin(x!), cos(x!)],
        smooth: true,
      },
    ],
  },
};

/** The sine of an angle in radians. */
export const sin = <D extends DType, S extends Shape>(x: Tensor<D, S>): Tensor<D, S> =>
  turned(x, 0);

/** The cosine of an angle in radians. */
export const cos = <D extends DType, S extends Shape>(x: Tensor<D, S>): Tensor<D, S> =>
  turned(x, 1);

/** As `cos`, of angles that are at most 8192 either way for certain: shorter. */
export const cosNear = <D extends DType, S extends Shape>(x: Tensor<D, S>): Tensor<D, S> =>
  turned(x, 1, true);

const turned = <D extends DType, S extends Shape>(
  x: Tensor<D, S>,
  quarter: Attrs["quarter"],
  isNear = false,
) => apply(op, [x], { quarter, isNear })[0] as unknown as Tensor<D, S>;

/** Turns of an angle of either sign, for those that are far from zero. */
function farTurns(k: Builder, x: Value) {
  const size = k.let("size", x.abs());
  const isFar = k.let("isFar", size.gt(near).and(isFiniteOf(x)));
  const { quarter, rest } = turnsOf(k, isFar.select(x, near));
  const isNegative = k.let("isNegative", x.lt(0));
  return {
    isFar,
    quarter: isNegative.select(quarter.neg(), quarter),
    rest: isNegative.select(rest.neg(), rest),
  };
}
