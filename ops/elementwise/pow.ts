/**
 * pow(x, exponent) with a constant exponent. A power that is not whole is NaN for a negative x. On a processor
 * whole powers up to n = 16 are within 0.8 n units in the last place, and 3 more where the exponent is
 * negative; others within 1.2, and 2.5 times the size of the result's logarithm.
 */
import {
  always,
  apply,
  checkNumber,
  checkTensors,
  type DType,
  type ElementOp,
  literal,
  type Shape,
  type Tensor,
  type Value,
} from "../../compiler/op-kit.ts";
import { formatOf } from "../../formats/index.ts";
import { mul } from "./mul.ts";

interface Attrs {
  readonly exponent: number;
}

const mostProducts = 16;

export const op: ElementOp<Attrs> = {
  name: "pow",
  kind: "element",
  cost: ({ exponent }) => (isProduct(exponent) ? 4 : 32),
  type: ([x], { exponent }, fail) => {
    if (x!.dtype !== "f32") fail(`takes f32, not ${x!.dtype}`, 'convert it: cast(x, "f32")');
    if (!Number.isFinite(exponent)) fail(`the exponent is ${exponent}`, "give a finite number");
    return [x!];
  },
  element: ({ k, inputs, at, attrs: { exponent } }) => {
    const x = k.let("base", inputs[0]!.at(...at));
    if (isProduct(exponent)) {
      const power = product(x, Math.abs(exponent));
      return exponent < 0 ? literal(1, "f32").div(power) : power;
    }
    if (exponent === 0.5) return x.sqrt();
    return generalPower(x, exponent);
  },
  push: ({ at }) => ({ at, where: always }),
  vjp: ([g], { inputs: [x], attrs: { exponent } }) => [
    exponent === 0 ? mul(g!, 0) : mul(g!, mul(pow(x!, exponent - 1), exponent)),
  ],
  note: (a) => String(a.exponent),
  tests: {
    samples: [
      {
        inputs: [[2, -3, 0.5]],
        call: (x) => [pow(x!, 2), pow(x!, 3), pow(x!, 0), pow(x!, -1), pow(x!, 17)],
        outputs: [
          [4, 9, 0.25],
          [8, -27, 0.125],
          [1, 1, 1],
          [0.5, -1 / 3, 2],
          [131072, -129140163, 7.62939453125e-6],
        ],
      },
      {
        inputs: [[4, 2, 0]],
        call: (x) => [pow(x!, 0.5), pow(x!, 1.5)],
        outputs: [
          [2, Math.SQRT2, 0],
          [8, 2.828427125, 0],
        ],
      },
    ],
    cases: [
      {
        claim: "a fraction of positive numbers",
        inputs: [{ shape: [7, 13], range: [0.2, 3] }],
        call: (x) => [pow(x!, 1.7), pow(x!, -0.5)],
        smooth: true,
      },
      {
        claim: "whole exponents of both signs",
        inputs: [{ shape: [7, 13] }],
        call: (x) => [pow(x!, 3), pow(x!, 1)],
        smooth: true,
      },
    ],
  },
};

/** `x` to a constant, finite power. Throws E101 for another one. */
export function pow<D extends DType, S extends Shape>(
  x: Tensor<D, S>,
  exponent: number,
): Tensor<D, S> {
  checkTensors("pow", { x });
  checkNumber("pow", [x], "the exponent", exponent);
  return apply(op, [x], { exponent })[0] as unknown as Tensor<D, S>;
}

const isProduct = (exponent: number) =>
  Number.isInteger(exponent) && Math.abs(exponent) <= mostProducts;

/**
 * x^n by way of the logarithm. Of negative numbers only whole powers are real; those of an infinity and of
 * 0 are what PyTorch gives.
 */
function generalPower(x: Value, exponent: number): Value {
  const power = x.abs().log().mul(exponent).exp();
  const isOdd = Math.abs(exponent % 2) === 1;
  const isUnreal = x.lt(0).and(x.lt(-largest).not());
  const ofNegative = isOdd ? x.lt(0).select(power.neg(), power) : power;
  const real = Number.isInteger(exponent) ? ofNegative : isUnreal.select(Number.NaN, power);
  const atZero = exponent > 0 ? literal(0, "f32") : isOdd ? literal(1, "f32").div(x) : infinity;
  return x.eq(0).select(atZero, real);
}

const { largest } = formatOf("f32");
const infinity = literal(Number.POSITIVE_INFINITY, "f32");

/** x^n by repeated squaring. */
function product(x: Value, n: number): Value {
  if (n === 0) return literal(1, "f32");
  if (n === 1) return x;
  const half = product(x, Math.floor(n / 2));
  return n % 2 === 0 ? half.mul(half) : half.mul(half).mul(x);
}
