/** relu(x) = max(x, 0). Its derivative at 0 is 0. */
import type { ElementOp } from "../../compiler/op-kit.ts";
import { elementwiseOp, type Unary, unary } from "./elementwise.ts";
import { le } from "./le.ts";
import { where } from "./where.ts";

export const op: ElementOp<null> = elementwiseOp("relu", {
  at: (_k, x) => x!.max(0),
  vjp: (g, { inputs: [x] }) => [where(le(x!, 0), 0, g)],
  tests: {
    samples: [{ inputs: [[-2, 0, 3.5]], call: (x) => relu(x!), outputs: [[0, 0, 3.5]] }],
    cases: [
      {
        claim: "both signs in an odd shape",
        inputs: [{ shape: [3, 5, 9] }],
        call: (x) => relu(x!),
        smooth: true,
      },
    ],
  },
});

export const relu: Unary = unary(op);
