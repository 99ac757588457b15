/**
 * A model in twenty lines. The editor knows its shapes; the compiler makes two kernels of it:
 *   npx inarch show examples/01-mlp.graph.ts --stage regions
 */
import { defineModel, input } from "inarch";
import { add, gelu, matmul } from "inarch/ops";

export default defineModel({
  name: "tiny-mlp",
  doc: "A perceptron of two layers.",
  dims: { batch: 4 },
  build(p) {
    const x = input("x", "f32", ["batch", 64], { doc: "One row for each sample." });
    const up = add(matmul(x, p.f32("up.weight", [64, 256])), p.f32("up.bias", [256]));
    return { y: matmul(gelu(up), p.f32("down.weight", [256, 10])) };
  },
});
