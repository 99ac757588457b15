/** The model whose files are damaged: a layer, a state, and a program without parameters. */
import { defineModel, input, state, type Tensor } from "../../../compiler/index.ts";
import { linear } from "../../../models/layers.ts";
import { add, gelu, mean, mul } from "../../../ops/index.ts";

export const smallModel = (name: string) =>
  defineModel({
    name,
    programs: {
      forward: (p) => {
        const x = input("x", "f32", [2, 4]);
        const seen = state("seen", "f32", [4]);
        return {
          y: gelu(linear(p, x, 4, 3)),
          seen: add(seen, mean(x, 0) as Tensor<"f32">),
        } as Record<string, Tensor>;
      },
      twice: () => ({ z: mul(input("x", "f32", [5]), 2) as Tensor }),
    },
  });
