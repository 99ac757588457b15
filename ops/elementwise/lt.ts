/** lt(a, b): a < b, with broadcasting. A bool. */
import type { ElementOp } from "../../compiler/op-kit.ts";
import { type Comparison, comparison, comparisonOp } from "./elementwise.ts";

export const op: ElementOp<null> = comparisonOp("lt", (a, b) => a.lt(b), {
  samples: [
    {
      inputs: [
        [1, 2, 3],
        [2, 2, 2],
      ],
      call: (a, b) => lt(a!, b!),
      outputs: [{ dtype: "bool", data: [1, 0, 0] }],
    },
    {
      claim: "integers, against a number",
      inputs: [{ dtype: "i32", data: [-3, 0, 5] }],
      call: (a) => lt(a!, 0),
      outputs: [{ dtype: "bool", data: [1, 0, 0] }],
    },
  ],
  cases: [
    {
      claim: "a matrix against a row of small integers",
      inputs: [
        { shape: [11, 13], dtype: "i32", range: [-2, 2] },
        { shape: [13], dtype: "i32", range: [-2, 2] },
      ],
      call: (a, b) => lt(a!, b!),
      smooth: false,
    },
  ],
});

export const lt: Comparison = comparison(op);
