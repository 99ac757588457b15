/** sigmoid(x) = 1 / (1 + exp(-x)). The exponent is never positive, so nothing overflows. */
import { type ElementOp, literal } from "../../compiler/op-kit.ts";
import { elementwiseOp, type Unary, unary } from "./elementwise.ts";
import { mul } from "./mul.ts";
import { sub } from "./sub.ts";

export const op: ElementOp<null> = elementwiseOp("sigmoid", {
  at: (k, x) => {
    const small = k.let("small", x!.abs().neg().exp());
    return x!.ge(0).select(literal(1, "f32"), small).div(small.add(1));
  },
  vjp: (g, { result }) => [mul(g, mul(result, sub(1, result)))],
  cost: 22,
  tests: {
    samples: [
      {
        inputs: [[0, 1, -1, 200, -200]],
        call: (x) => sigmoid(x!),
        outputs: [[0.5, 0.7310585786, 0.2689414214, 1, 0]],
      },
      {
        claim: "the tail keeps its digits",
        inputs: [[-30]],
        call: (x) => sigmoid(x!),
        outputs: [[9.357622969e-14]],
      },
    ],
    cases: [
      {
        claim: "both signs",
        inputs: [{ shape: [6, 23], range: [-5, 5] }],
        call: (x) => sigmoid(x!),
        smooth: true,
      },
    ],
  },
});

export const sigmoid: Unary = unary(op);
