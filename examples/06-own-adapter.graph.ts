/**
 * An adapter of your own: DoRA (Liu et al. 2024), which inarch does not have. It says what to
 * compute at a kind of place; kernels and derivatives follow from the ops, so it trains like any
 * other:
 *   npx inarch show examples/06-own-adapter.graph.ts
 *
 * How to write one: `defineAdapter` takes a function for each kind of place where it works
 * (`linear`, `norm`, `attention`, `block`, `trunk`). The function gets the place, its input, and
 * `base`, which computes what the model does there. `p` are the model's parameters at this path,
 * frozen; `own` are the adapter's: they train unless they say `train: false`, and are saved in its
 * file; `own.shared()` are those that all places share. `init` says how a parameter begins.
 * `settings` go into the file too: it is not loaded into an adapter that was made otherwise.
 */
import { adapt, defineModel, input, kaiming, type Tensor, zeros } from "inarch";
import { defineAdapter } from "inarch/adapters";
import { linear } from "inarch/models";
import { add, div, gelu, matmul, mul, reshape, sqrt, sum } from "inarch/ops";

/** W' = m V / |V|, V = W + (alpha / rank) B A, by rows. m begins as |W|; its change trains. */
export const dora = (rank: number, alpha = 2 * rank) =>
  defineAdapter({
    name: "dora",
    settings: { rank, alpha },
    linear({ p, own, inputs = 0, outputs = 0 }, x) {
      const down = own.f32("lora_A", [rank, inputs], { init: kaiming(inputs) });
      const up = own.f32("lora_B", [outputs, rank], { init: zeros });
      const change = own.f32("magnitude_change", [outputs], { init: zeros });
      const frozen = p.f32("weight", [outputs, inputs]);
      const moved = add(frozen, mul(matmul(up, down), alpha / rank));
      const scale = div(add(lengths(frozen), change), lengths(moved));
      const y = matmul(x, mul(moved, reshape(scale, [outputs, 1])), { transpose: "right" });
      return add(y, p.f32("bias", [outputs]));
    },
  });

/** The length of each row. */
const lengths = (x: Tensor<"f32">): Tensor<"f32"> => sqrt(sum(mul(x, x), 1));

const model = defineModel({
  name: "own-adapter",
  build(p) {
    const hidden = gelu(linear(p.at("up"), input("x", "f32", [16, 32]), 32, 64));
    return { y: linear(p.at("down"), hidden, 64, 8) };
  },
});

/** Grafted on the second layer alone. */
export default adapt(model, dora(4), { where: "down" });
