/** VeRA: low-rank updates whose matrices are random, frozen and shared; two vectors a layer train. */
import { kaiming, type Tensor, zeros } from "../compiler/index.ts";
import { add, matmul, mul } from "../ops/index.ts";
import { defineAdapter } from "./adapter.ts";
import { dropped } from "./noise.ts";
import { count, positive, share, widthsOf } from "./refusals.ts";
import type { AdapterTests } from "./samples.ts";
import { settle } from "./settings.ts";

export interface VeraOptions {
  /** Rows of A and columns of B, which nothing trains: 256 unless given. */
  readonly rank?: number;
  /** What every element of d begins as: 0.1 unless given. */
  readonly begin?: number;
  /** Of the input, on the adapter's path alone: 0 unless given. */
  readonly dropout?: number;
}

/**
 * y = W x + b + Λb B Λd A x, with Λb and Λd diagonal (Kopiczko et al. 2024). A `[rank, inputs]` and
 * B `[outputs, rank]` begin as PyTorch's linear layers do, never train, and are shared: all places
 * of one width have the same (`vera.A_WIDTH`, `vera.B_WIDTH`). Each place trains `vera_d` `[rank]`
 * and `vera_b` `[outputs]`, which begins as zeros: the first step is the model's own.
 *
 * Left open by the paper: layers of several widths. PEFT cuts all of them from the largest; here
 * each width has matrices of its own, so that what one place adds does not depend on another's.
 *
 * At places of kind `linear`. @throws E134 for settings that cannot be, E131 where the model does
 * not say the layer's widths.
 */
export function vera(options: VeraOptions = {}) {
  const { values, kept } = settle("vera", options, {
    rank: [256, count, "by shapes"],
    begin: [0.1, positive, "in training"],
    dropout: [0, share, "in training"],
  });
  const { rank, begin, dropout } = values;
  return defineAdapter({
    name: "vera",
    ...kept,
    linear(site, x, base) {
      const [inputs, outputs] = widthsOf("vera", site);
      const frozen = (name: string, rows: number, columns: number): Tensor<"f32"> =>
        site.own.shared().f32(name, [rows, columns], { init: kaiming(columns), train: false });
      const down = frozen(`A_${inputs}`, rank, inputs);
      const up = frozen(`B_${outputs}`, outputs, rank);
      const d = site.own.f32("vera_d", [rank], { init: { kind: "constant", value: begin } });
      const b = site.own.f32("vera_b", [outputs], { init: zeros });
      const z = mul(matmul(dropped(site, x, dropout), down, { transpose: "right" }), d);
      return add(base(x), mul(matmul(z, up, { transpose: "right" }), b));
    },
  });
}

export const tests: AdapterTests = {
  vera: [{ adapter: () => vera({ rank: 3, dropout: 0.3 }), where: "**.mlp.*" }],
};
