/** sub(a, b) = a - b, with broadcasting. */
import type { ElementOp } from "../../compiler/op-kit.ts";
import { type Binary, binary, elementwiseOp } from "./elementwise.ts";
import { neg } from "./neg.ts";

export const op: ElementOp<null> = elementwiseOp("sub", {
  at: (_k, a, b) => a!.sub(b!),
  vjp: (g) => [g, neg(g)],
  takes: ["f32", "i32"],
  tests: {
    samples: [
      {
        inputs: [
          [1, -2],
          [0.5, 2],
        ],
        call: (a, b) => sub(a!, b!),
        outputs: [[0.5, -4]],
      },
      {
        claim: "a number stands on either side",
        inputs: [[1, 2]],
        call: (a) => [sub(1, a!), sub(a!, 1)],
        outputs: [
          [0, -1],
          [0, 1],
        ],
      },
    ],
    cases: [
      {
        claim: "a column minus a row",
        inputs: [{ shape: [13, 1] }, { shape: [7] }],
        call: (a, b) => sub(a!, b!),
        smooth: true,
      },
    ],
  },
});

export const sub: Binary = binary(op);
