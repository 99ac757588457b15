/** Two products with what stands between and behind them: everything melts into the two anchors. */
import { defineModel, input } from "../../../compiler/index.ts";
import { add, gelu, matmul } from "../../../ops/index.ts";

export default defineModel({
  name: "mlp",
  dims: { rows: 40 },
  build(p) {
    const x = input("x", "f32", ["rows", 24], { doc: "Rows of features." });
    const up = add(matmul(x, p.at("up").f32("weight", [24, 48])), p.at("up").f32("bias", [48]));
    const down = matmul(gelu(up), p.at("down").f32("weight", [48, 24]));
    return { y: add(x, down) };
  },
});
