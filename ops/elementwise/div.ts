/** div(a, b) = a / b, with broadcasting. Integers are divided towards zero; divided by 0 they stay. */
import type { ElementOp } from "../../compiler/op-kit.ts";
import { type Binary, binary, elementwiseOp } from "./elementwise.ts";
import { mul } from "./mul.ts";
import { neg } from "./neg.ts";

export const op: ElementOp<null> = elementwiseOp("div", {
  at: (_k, a, b) => a!.div(b!),
  vjp: (g, { inputs: [, b], result }) => {
    const left = div(g, b!);
    return [left, neg(mul(left, result))];
  },
  takes: ["f32", "i32", "u32"],
  cost: 4,
  tests: {
    samples: [
      {
        inputs: [
          [1, -9],
          [4, 2],
        ],
        call: (a, b) => div(a!, b!),
        outputs: [[0.25, -4.5]],
      },
      {
        claim: "integers are divided towards zero",
        inputs: [{ dtype: "i32", data: [7, -7, 6] }],
        call: (a) => div(a!, 2),
        outputs: [{ dtype: "i32", data: [3, -3, 3] }],
      },
    ],
    cases: [
      {
        claim: "a matrix over a column",
        inputs: [{ shape: [9, 11] }, { shape: [9, 1], range: [0.5, 2] }],
        call: (a, b) => div(a!, b!),
        smooth: true,
      },
    ],
  },
});

export const div: Binary = binary(op);
