/** le(a, b): a <= b, with broadcasting. A bool. */
import type { ElementOp } from "../../compiler/op-kit.ts";
import { type Comparison, comparison, comparisonOp } from "./elementwise.ts";

export const op: ElementOp<null> = comparisonOp("le", (a, b) => a.le(b), {
  samples: [
    {
      inputs: [
        [1, 2, 3],
        [2, 2, 2],
      ],
      call: (a, b) => le(a!, b!),
      outputs: [{ dtype: "bool", data: [1, 1, 0] }],
    },
    {
      claim: "integers, against a number",
      inputs: [{ dtype: "i32", data: [-3, 0, 5] }],
      call: (a) => le(a!, 0),
      outputs: [{ dtype: "bool", data: [1, 1, 0] }],
    },
  ],
  cases: [
    {
      claim: "a matrix against a row of small integers",
      inputs: [
        { shape: [11, 13], dtype: "i32", range: [-2, 2] },
        { shape: [13], dtype: "i32", range: [-2, 2] },
      ],
      call: (a, b) => le(a!, b!),
      smooth: false,
    },
  ],
});

export const le: Comparison = comparison(op);
