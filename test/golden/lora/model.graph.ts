/** A frozen product and its adapter share one accumulator: LoRA is a second segment. */
import { defineModel, input } from "../../../compiler/index.ts";
import { matmul, matmulSegments, mul } from "../../../ops/index.ts";

export default defineModel({
  name: "lora",
  build(p) {
    const x = input("x", "f32", [33, 40]);
    const reduced = matmul(x, p.at("lora").f32("A", [40, 4]));
    const scaled = mul(p.at("lora").f32("B", [4, 36]), 2);
    return {
      y: matmulSegments([
        [x, p.f32("weight", [40, 36])],
        [reduced, scaled],
      ]),
    };
  },
});
