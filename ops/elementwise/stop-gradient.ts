/** stopGradient(x) = x, through which no gradient passes. */
import type { ElementOp, Tensor } from "../../compiler/op-kit.ts";
import { elementwiseOp, type Unary, unary } from "./elementwise.ts";
import { mul } from "./mul.ts";

export const op: ElementOp<null> = elementwiseOp("stopGradient", {
  at: (_k, x) => x!,
  vjp: () => [undefined],
  takes: ["f32", "i32", "u32", "bool"],
  cost: 0,
  tests: {
    samples: [{ inputs: [[1, -2]], call: (x) => stopGradient(x!), outputs: [[1, -2]] }],
    cases: [
      {
        claim: "the value passes beside a gradient",
        inputs: [{ shape: [3, 41] }],
        call: (x?: Tensor) => mul(stopGradient(x!), 2),
        smooth: false,
      },
    ],
  },
});

export const stopGradient: Unary = unary(op);
