/** mul(a, b) = a * b, with broadcasting. Integers are multiplied modulo 2^32. */
import { type ElementOp, mulNumbers } from "../../compiler/op-kit.ts";
import { type Binary, binary, elementwiseOp } from "./elementwise.ts";

export const op: ElementOp<null> = elementwiseOp("mul", {
  at: (_k, a, b) => mulNumbers(a!, b!),
  vjp: (g, { inputs: [a, b] }) => [mul(g, b!), mul(g, a!)],
  takes: ["f32", "i32", "u32"],
  tests: {
    samples: [
      {
        inputs: [
          [2, -3],
          [0.5, 4],
        ],
        call: (a, b) => mul(a!, b!),
        outputs: [[1, -12]],
      },
    ],
    cases: [
      {
        claim: "a row times a matrix",
        inputs: [{ shape: [5, 7] }, { shape: [7] }],
        call: (a, b) => mul(a!, b!),
        smooth: true,
      },
    ],
  },
});

export const mul: Binary = binary(op);
