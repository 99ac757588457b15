/**
 * finite(x): neither NaN nor infinite. Told from the bits: a shader's compiler may assume that
 * there are no NaNs, and then x = x always holds.
 */
import {
  type DType,
  type ElementOp,
  isFiniteOf,
  type Shape,
  type Tensor,
} from "../../compiler/op-kit.ts";
import { applyElementwise, elementwiseOp } from "./elementwise.ts";

export const op: ElementOp<null> = elementwiseOp("finite", {
  at: (_k, x) => isFiniteOf(x!),
  vjp: () => [undefined],
  result: "bool",
  cost: 2,
  tests: {
    samples: [
      {
        claim: "NaN and both infinities, the largest and the smallest numbers",
        inputs: [[Number.NaN, Infinity, -Infinity, 3.4028234e38, -3.4028234e38, 1e-45, -0, 1]],
        call: (x) => finite(x!),
        outputs: [{ dtype: "bool", data: [0, 0, 0, 1, 1, 1, 1, 1] }],
      },
    ],
    cases: [
      {
        claim: "an odd shape of numbers",
        inputs: [{ shape: [7, 13] }],
        call: (x) => finite(x!),
        smooth: false,
      },
    ],
  },
});

/** True where `x` (float32) is a number, and not infinite. Throws E101 for other dtypes. */
export const finite = <S extends Shape>(x: Tensor<DType, S>): Tensor<"bool", S> =>
  applyElementwise(op, [x]) as Tensor<"bool", S>;
