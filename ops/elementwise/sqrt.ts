/** sqrt(x) of numbers from 0 up. */
import type { ElementOp } from "../../compiler/op-kit.ts";
import { div } from "./div.ts";
import { elementwiseOp, type Unary, unary } from "./elementwise.ts";
import { mul } from "./mul.ts";

export const op: ElementOp<null> = elementwiseOp("sqrt", {
  at: (_k, x) => x!.sqrt(),
  vjp: (g, { result }) => [div(mul(g, 0.5), result)],
  cost: 8,
  tests: {
    samples: [{ inputs: [[0, 2, 9]], call: (x) => sqrt(x!), outputs: [[0, Math.SQRT2, 3]] }],
    cases: [
      {
        claim: "positive numbers",
        inputs: [{ shape: [70], range: [0.1, 9] }],
        call: (x) => sqrt(x!),
        smooth: true,
      },
    ],
  },
});

export const sqrt: Unary = unary(op);
