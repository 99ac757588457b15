/** neg(x) = -x. */
import type { ElementOp } from "../../compiler/op-kit.ts";
import { elementwiseOp, type Unary, unary } from "./elementwise.ts";

export const op: ElementOp<null> = elementwiseOp("neg", {
  at: (_k, x) => x!.neg(),
  vjp: (g) => [neg(g)],
  takes: ["f32", "i32"],
  tests: {
    samples: [
      { inputs: [[1, -2.5, 0]], call: (x) => neg(x!), outputs: [[-1, 2.5, 0]] },
      {
        inputs: [{ dtype: "i32", data: [3, -4] }],
        call: (x) => neg(x!),
        outputs: [{ dtype: "i32", data: [-3, 4] }],
      },
    ],
    cases: [
      {
        claim: "more elements than one workgroup has threads",
        inputs: [{ shape: [3, 67] }],
        call: (x) => neg(x!),
        smooth: true,
      },
    ],
  },
});

export const neg: Unary = unary(op);
