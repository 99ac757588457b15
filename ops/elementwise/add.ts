/** add(a, b) = a + b, with broadcasting. Integers are summed modulo 2^32. */
import { addNumbers, type ElementOp } from "../../compiler/op-kit.ts";
import { type Binary, binary, elementwiseOp } from "./elementwise.ts";

export const op: ElementOp<null> = elementwiseOp("add", {
  at: (_k, a, b) => addNumbers(a!, b!),
  vjp: (g) => [g, g],
  takes: ["f32", "i32", "u32"],
  sums: true,
  tests: {
    samples: [
      {
        inputs: [
          [1, -2],
          [0.5, 2],
        ],
        call: (a, b) => add(a!, b!),
        outputs: [[1.5, 0]],
      },
      {
        claim: "a column and a row broadcast",
        inputs: [
          [[1], [2]],
          [10, 20],
        ],
        call: (a, b) => add(a!, b!),
        outputs: [
          [
            [11, 21],
            [12, 22],
          ],
        ],
      },
      {
        claim: "a number is an operand",
        inputs: [[1, 2]],
        call: (a) => add(a!, 3),
        outputs: [[4, 5]],
      },
    ],
    cases: [
      {
        claim: "odd sizes broadcast",
        inputs: [{ shape: [3, 1, 7] }, { shape: [5, 1] }],
        call: (a, b) => add(a!, b!),
        smooth: true,
      },
    ],
  },
});

export const add: Binary = binary(op);
