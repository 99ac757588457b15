/**
 * An op of your own. It says how to compute one element, and melts into its neighbours like any
 * other; with its derivative it can be trained through, with its samples it can be tested:
 *   npx inarch show examples/04-own-op.graph.ts --stage wgsl
 */
import { defineModel, input } from "inarch";
import { add, div, elementwiseOp, gt, lt, matmul, mul, unary, where } from "inarch/ops";

export const op = elementwiseOp("hardSwish", {
  at: (_k, x) => x!.mul(x!.add(3).max(0).min(6)).div(6),
  vjp: (g, { inputs: [x] }) => {
    const between = div(add(mul(x!, 2), 3), 6);
    return [mul(g, where(lt(x!, -3), 0, where(gt(x!, 3), 1, between)))];
  },
  // In multiplications: the fuser weighs computing it again against keeping it.
  cost: 5,
  tests: {
    samples: [
      {
        inputs: [[-4, -1, 0, 3, 5]],
        call: (x) => hardSwish(x!),
        outputs: [[0, -1 / 3, 0, 3, 5]],
      },
    ],
  },
});

/** hardSwish(x) = x * min(max(x + 3, 0), 6) / 6 */
export const hardSwish = unary(op);

export default defineModel({
  name: "own-op",
  build(p) {
    const x = input("x", "f32", [16, 32]);
    return { y: hardSwish(matmul(x, p.f32("weight", [32, 8]))) };
  },
});
