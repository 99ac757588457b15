/**
 * gelu(x) = x Phi(x), with Phi the normal distribution: the exact (erf) form; and its slope,
 * Phi(x) + x phi(x), with phi the density of Phi.
 *
 * Computed as max(x, 0) - |x| erfc(|x| / sqrt 2) / 2, which has one branch and no cancellation.
 */
import {
  type Builder,
  type ElementOp,
  literal,
  type Tensor,
  type Value,
} from "../../compiler/op-kit.ts";
import { elementwiseOp, type Unary, unary } from "./elementwise.ts";
import { erfcOf } from "./erf.ts";
import { exp } from "./exp.ts";
import { mul } from "./mul.ts";
import { sub } from "./sub.ts";

/** phi(0). */
const peak = 1 / Math.sqrt(2 * Math.PI);

/** GELU of a number, and its slope, which share an exponential. */
export function geluOf(k: Builder, x: Value) {
  const size = k.let("size", x.abs());
  const z = k.let("z", size.mul(Math.SQRT1_2));
  const bell = k.let("bell", z.mul(z).neg().exp());
  const upper = k.let("upper", erfcOf(k, z, bell).mul(0.5));
  const below = k.let("below", x.lt(0).select(upper, literal(1, "f32").sub(upper)));
  return { value: x.mul(below), slope: () => x.mul(peak).fma(bell, below) };
}

/** Phi(x) + x phi(x). */
export const slopeOp: ElementOp<null> = elementwiseOp("geluSlope", {
  at: (k, x) => geluOf(k, x!).slope(),
  // phi(x) (2 - x^2).
  vjp: (g, { inputs: [x] }) => {
    const square = mul(x!, x!);
    return [mul(g, mul(mul(exp(mul(square, -0.5)), peak), sub(2, square)))];
  },
  cost: 45,
  tests: {
    samples: [
      {
        inputs: [[0, 1, -1, 0.5, -3, 10, -10]],
        call: (x) => geluSlope(x!),
        outputs: [
          [0.5, 1.0833154706, -0.0833154706, 0.8674951247, -0.0119456472, 1, -7.6184000965e-22],
        ],
      },
    ],
    cases: [
      {
        claim: "both signs",
        inputs: [{ shape: [9, 31], range: [-4, 4] }],
        call: (x) => geluSlope(x!),
        smooth: true,
      },
    ],
  },
});

const geluSlope: Unary = unary(slopeOp);

export const op: ElementOp<null> = elementwiseOp("gelu", {
  at: (k, x) => geluOf(k, x!).value,
  vjp: (g, { inputs: [x] }) => [mul(g, geluSlope(x!) as Tensor)],
  cost: 40,
  tests: {
    samples: [
      {
        inputs: [[0, 1, -1, 0.5, -3, 10, -10]],
        call: (x) => gelu(x!),
        outputs: [
          [0, 0.8413447461, -0.1586552539, 0.3457312306, -0.004049694094, 10, -7.619853024e-23],
        ],
      },
    ],
    cases: [
      {
        claim: "both signs",
        inputs: [{ shape: [9, 31], range: [-4, 4] }],
        call: (x) => gelu(x!),
        smooth: true,
      },
    ],
  },
});

export const gelu: Unary = unary(op);
