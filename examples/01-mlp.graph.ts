/**
 * A two-layer perceptron. Look at what becomes of it:
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
    const up = p.at("up").f32("weight", [256, 64]);
    const hidden = gelu(add(matmul(x, up, { transpose: "right" }), p.at("up").f32("bias", [256])));
    const down = p.at("down").f32("weight", [10, 256]);
    return { y: matmul(hidden, down, { transpose: "right" }) };
  },
});
