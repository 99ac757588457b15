/** not(x): the condition does not hold. */
import type { ElementOp } from "../../compiler/op-kit.ts";
import { elementwiseOp, type Unary, unary } from "./elementwise.ts";

export const op: ElementOp<null> = elementwiseOp("not", {
  at: (_k, x) => x!.not(),
  vjp: () => [undefined],
  takes: ["bool"],
  tests: {
    samples: [
      {
        inputs: [{ dtype: "bool", data: [0, 1] }],
        call: (x) => not(x!),
        outputs: [{ dtype: "bool", data: [1, 0] }],
      },
    ],
    cases: [
      {
        claim: "an odd shape",
        inputs: [{ shape: [7, 13], dtype: "bool" }],
        call: (x) => not(x!),
        smooth: false,
      },
    ],
  },
});

export const not: Unary = unary(op);
