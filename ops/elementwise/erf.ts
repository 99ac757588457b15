/**
 * erf(x), exact to about 1e-7. Near zero it is an odd polynomial, elsewhere 1 - erfc(|x|).
 *
 * Coefficients: minimax fits of erf(x) / x in x^2 on [0, 1] (relative error 3e-11) and of
 * (1 + 2z) exp(z^2) erfc(z) in (z - 3) / (z + 3) on z >= 0 (relative error 5e-8).
 */
import { type Builder, type ElementOp, literal, type Value } from "../../compiler/op-kit.ts";
import { elementwiseOp, type Unary, unary } from "./elementwise.ts";
import { exp } from "./exp.ts";
import { mul } from "./mul.ts";
import { neg } from "./neg.ts";

const nearZero = [
  1.1283791671, -0.37612638435, 0.11283781974, -0.026865400048, 0.0052209454484, -0.00084828290574,
  0.00011256949356, -9.6415199876e-6,
];
const tail = [
  1.253008115, -0.1356215336, -0.04756741255, 0.1296554136, -0.1191952894, 0.06827671995,
  -0.02418233424, 0.002324269616, 0.002571738099,
];

export const op: ElementOp<null> = elementwiseOp("erf", {
  at: (k, x) => {
    const size = k.let("size", x!.abs());
    const inner = x!.mul(polynomial(nearZero, k.let("square", x!.mul(x!))));
    const outer = k.let("outer", literal(1, "f32").sub(erfcOf(k, size)));
    const signed = x!.lt(0).select(outer.neg(), outer);
    return size.lt(1).select(inner, signed);
  },
  vjp: (g, { inputs: [x] }) => [mul(g, mul(exp(neg(mul(x!, x!))), 2 / Math.sqrt(Math.PI)))],
  cost: 60,
  tests: {
    samples: [
      {
        inputs: [[0, 0.1, 0.5, 0.99, 1.01, 2, 3.5, 9, -1, -0.5]],
        call: (x) => erf(x!),
        outputs: [
          [
            0, 0.112462916, 0.5204998778, 0.8385080696, 0.8468104962, 0.995322265, 0.9999992569, 1,
            -0.8427007929, -0.5204998778,
          ],
        ],
      },
    ],
    cases: [
      {
        claim: "both branches and both signs",
        inputs: [{ shape: [9, 31], range: [-4, 4] }],
        call: (x) => erf(x!),
        smooth: true,
      },
    ],
  },
});

export const erf: Unary = unary(op);

/**
 * erfc(z) = 1 - erf(z) of a number from 0 up, with its relative precision kept in the tail; `bell` is
 * exp(-z^2), for those who need it too.
 */
export function erfcOf(k: Builder, z: Value, bell = z.mul(z).neg().exp()): Value {
  // Far below what is left of erfc there, and finite where z is not.
  const near = k.let("near", z.min(30));
  const q = k.let("q", near.sub(3).div(near.add(3)));
  return bell.mul(polynomial(tail, q)).div(near.fma(2, 1));
}

/** The sum of c[i] x^i. */
export function polynomial(c: readonly number[], x: Value): Value {
  return c.slice(0, -1).reduceRight<Value>((sum, a) => sum.fma(x, a), literal(c.at(-1)!, "f32"));
}
