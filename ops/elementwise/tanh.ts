/** tanh(x). */
import type { ElementOp } from "../../compiler/op-kit.ts";
import { elementwiseOp, type Unary, unary } from "./elementwise.ts";
import { mul } from "./mul.ts";
import { sub } from "./sub.ts";

export const op: ElementOp<null> = elementwiseOp("tanh", {
  at: (_k, x) => x!.tanh(),
  vjp: (g, { result }) => [mul(g, sub(1, mul(result, result)))],
  cost: 20,
  tests: {
    samples: [
      {
        claim: "large arguments reach 1 and do not overflow",
        inputs: [[0, 0.5, -2, 200, -200]],
        call: (x) => tanh(x!),
        outputs: [[0, 0.4621171573, -0.9640275801, 1, -1]],
      },
    ],
    cases: [
      {
        claim: "from flat to steep",
        inputs: [{ shape: [5, 27], range: [-4, 4] }],
        call: (x) => tanh(x!),
        smooth: true,
      },
    ],
  },
});

export const tanh: Unary = unary(op);
