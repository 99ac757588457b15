/** A convolution is an implicit product: the windows are a view that melts in front of it. */
import { defineModel, input } from "../../../compiler/index.ts";
import { conv2d, relu } from "../../../ops/index.ts";

export default defineModel({
  name: "convolution",
  build(p) {
    const image = input("image", "f32", [1, 3, 18, 14]);
    const bias = p.f32("bias", [8]);
    return {
      map: relu(conv2d(image, p.f32("weight", [8, 3, 3, 3]), { stride: 2, padding: 1, bias })),
    };
  },
});
