/** ne(a, b): a is not b, with broadcasting. A bool. */
import type { ElementOp } from "../../compiler/op-kit.ts";
import { type Comparison, comparison, comparisonOp } from "./elementwise.ts";

export const op: ElementOp<null> = comparisonOp("ne", (a, b) => a.eq(b).not(), {
  samples: [
    {
      inputs: [
        [1, 2, 3],
        [2, 2, 2],
      ],
      call: (a, b) => ne(a!, b!),
      outputs: [{ dtype: "bool", data: [1, 0, 1] }],
    },
    {
      claim: "integers, against a number",
      inputs: [{ dtype: "i32", data: [-3, 0, 5] }],
      call: (a) => ne(a!, 0),
      outputs: [{ dtype: "bool", data: [1, 0, 1] }],
    },
  ],
  cases: [
    {
      claim: "a matrix against a row of small integers",
      inputs: [
        { shape: [11, 13], dtype: "i32", range: [-2, 2] },
        { shape: [13], dtype: "i32", range: [-2, 2] },
      ],
      call: (a, b) => ne(a!, b!),
      smooth: false,
    },
  ],
});

export const ne: Comparison = comparison(op);
