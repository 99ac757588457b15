/** rsqrt(x) = 1 / sqrt(x) of positive numbers. */
import { type ElementOp, literal } from "../../compiler/op-kit.ts";
import { div } from "./div.ts";
import { elementwiseOp, type Unary, unary } from "./elementwise.ts";
import { mul } from "./mul.ts";

export const op: ElementOp<null> = elementwiseOp("rsqrt", {
  at: (_k, x) => literal(1, "f32").div(x!.sqrt()),
  vjp: (g, { inputs: [x], result }) => [div(mul(g, mul(result, -0.5)), x!)],
  cost: 12,
  tests: {
    samples: [
      { inputs: [[1, 4, 0.25, 2]], call: (x) => rsqrt(x!), outputs: [[1, 0.5, 2, Math.SQRT1_2]] },
    ],
    cases: [
      {
        claim: "positive numbers",
        inputs: [{ shape: [70], range: [0.2, 9] }],
        call: (x) => rsqrt(x!),
        smooth: true,
      },
    ],
  },
});

export const rsqrt: Unary = unary(op);
