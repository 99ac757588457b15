/** exp(x). */
import type { ElementOp } from "../../compiler/op-kit.ts";
import { elementwiseOp, type Unary, unary } from "./elementwise.ts";
import { mul } from "./mul.ts";

export const op: ElementOp<null> = elementwiseOp("exp", {
  at: (_k, x) => x!.exp(),
  vjp: (g, { result }) => [mul(g, result)],
  cost: 16,
  tests: {
    samples: [
      {
        inputs: [[0, 1, -1, -30]],
        call: (x) => exp(x!),
        outputs: [[1, Math.E, 0.3678794412, 9.357622969e-14]],
      },
    ],
    cases: [
      {
        claim: "values from tiny to large",
        inputs: [{ shape: [11, 13], range: [-20, 5] }],
        call: (x) => exp(x!),
        smooth: true,
      },
    ],
  },
});

export const exp: Unary = unary(op);
