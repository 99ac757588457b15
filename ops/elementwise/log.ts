/** log(x): the natural logarithm of a positive number. */
import type { ElementOp } from "../../compiler/op-kit.ts";
import { div } from "./div.ts";
import { elementwiseOp, type Unary, unary } from "./elementwise.ts";

export const op: ElementOp<null> = elementwiseOp("log", {
  at: (_k, x) => x!.log(),
  vjp: (g, { inputs: [x] }) => [div(g, x!)],
  cost: 16,
  tests: {
    samples: [
      {
        inputs: [[1, Math.E, 0.001, 1e6]],
        call: (x) => log(x!),
        outputs: [[0, 1, -6.907755279, 13.81551056]],
      },
    ],
    cases: [
      {
        claim: "positive numbers",
        inputs: [{ shape: [7, 19], range: [0.1, 9] }],
        call: (x) => log(x!),
        smooth: true,
      },
    ],
  },
});

export const log: Unary = unary(op);
