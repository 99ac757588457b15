/** and(a, b): both hold. Conditions broadcast. */
import type { ElementOp } from "../../compiler/op-kit.ts";
import { type Binary, binary, elementwiseOp } from "./elementwise.ts";

export const op: ElementOp<null> = elementwiseOp("and", {
  at: (_k, a, b) => a!.and(b!),
  vjp: () => [undefined, undefined],
  takes: ["bool"],
  tests: {
    samples: [
      {
        inputs: [
          { dtype: "bool", data: [0, 0, 1, 1] },
          { dtype: "bool", data: [0, 1, 0, 1] },
        ],
        call: (a, b) => and(a!, b!),
        outputs: [{ dtype: "bool", data: [0, 0, 0, 1] }],
      },
    ],
    cases: [
      {
        claim: "a column and a row",
        inputs: [
          { shape: [9, 1], dtype: "bool" },
          { shape: [11], dtype: "bool" },
        ],
        call: (a, b) => and(a!, b!),
        smooth: false,
      },
    ],
  },
});

export const and: Binary = binary(op);
