/** abs(x) = |x|. */
import type { ElementOp, Tensor } from "../../compiler/op-kit.ts";
import { elementwiseOp, type Unary, unary } from "./elementwise.ts";
import { gt } from "./gt.ts";
import { lt } from "./lt.ts";
import { mul } from "./mul.ts";
import { neg } from "./neg.ts";
import { where } from "./where.ts";

export const op: ElementOp<null> = elementwiseOp("abs", {
  at: (_k, x) => x!.abs(),
  // The sign; 0 at 0, NaN at NaN.
  vjp: (g, { inputs: [x] }) => [
    where(gt(x!, 0), g, where(lt(x!, 0), neg(g), mul(g, x! as Tensor<"f32">))),
  ],
  takes: ["f32", "i32"],
  tests: {
    samples: [
      { inputs: [[1.5, -2, 0]], call: (x) => abs(x!), outputs: [[1.5, 2, 0]] },
      {
        inputs: [{ dtype: "i32", data: [3, -4] }],
        call: (x) => abs(x!),
        outputs: [{ dtype: "i32", data: [3, 4] }],
      },
    ],
    cases: [
      {
        claim: "both signs in an odd shape",
        inputs: [{ shape: [5, 29] }],
        call: (x) => abs(x!),
        smooth: true,
      },
    ],
  },
});

export const abs: Unary = unary(op);
