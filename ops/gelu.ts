/**
 * gelu(x) = x Phi(x), with Phi the normal distribution: the exact (erf) form.
 *
 * Computed as max(x, 0) - |x| erfc(|x| / sqrt 2) / 2, which has one branch and no cancellation.
 */
import type { ElementOp } from "../compiler/op.ts";
import { add } from "./add.ts";
import { elementwiseOp, type Unary, unary } from "./elementwise.ts";
import { erf, erfcOf } from "./erf.ts";
import { exp } from "./exp.ts";
import { mul } from "./mul.ts";

export const op: ElementOp<null> = elementwiseOp("gelu", {
  at: (k, x) => {
    const size = k.let("size", x!.abs());
    const upper = erfcOf(k, k.let("z", size.mul(Math.SQRT1_2)));
    return x!.max(0).sub(size.mul(0.5).mul(upper));
  },
  // Phi(x) + x phi(x).
  vjp: (g, { inputs: [x] }) => {
    const below = mul(add(erf(mul(x!, Math.SQRT1_2)), 1), 0.5);
    const density = mul(exp(mul(mul(x!, x!), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return [mul(g, add(below, mul(x!, density)))];
  },
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
