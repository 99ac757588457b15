/** LoRA: a frozen linear layer plus a product of two thin matrices that train. */
import { kaiming, type Site, type Tensor, zeros } from "../compiler/index.ts";
import { add, matmul, mul, slice } from "../ops/index.ts";
import { defineAdapter } from "./adapter.ts";
import { dropped } from "./noise.ts";
import { amongParts, chosenParts, type QkvPart, widthOfPart } from "./qkv-parts.ts";
import { count, positive, share, widthsOf } from "./refusals.ts";
import type { AdapterTests } from "./samples.ts";
import { settle } from "./settings.ts";

export interface LoraOptions {
  /** 3 unless given, as Conv-LoRA's authors use it on SAM. */
  readonly rank?: number;
  /** The product is scaled by alpha / rank: 32 unless given. */
  readonly alpha?: number;
  /** Of the input, on the adapter's path alone: 0 unless given. */
  readonly dropout?: number;
  /** Parts of a fused qkv, each with matrices of its own; the layer as a whole unless given. */
  readonly parts?: readonly QkvPart[];
}

/**
 * y = W x + b + (alpha / rank) B A x (loralib, `Linear`). `lora_A` `[rank, inputs]` begins as
 * PyTorch's linear layers do, `lora_B` `[outputs, rank]` as zeros: the first step is the model's
 * own.
 *
 * With `parts`, queries, keys and values of a fused qkv are adapted apart, as in loralib's
 * `MergedLinear`: `lora_A` is `[parts * rank, inputs]` and `lora_B` `[parts * outputs / 3, rank]`, part after
 * part.
 *
 * At places of kind `linear`. @throws E134 for settings that cannot be, E131 for a rank above the
 * layer's width, and for parts of a layer that has none.
 */
export function lora(options: LoraOptions = {}) {
  const { values, kept } = settle(
    "lora",
    options,
    {
      rank: [3, count, "by shapes"],
      alpha: [32, positive],
      dropout: [0, share, "in training"],
    },
    ["parts"],
  );
  const { rank, alpha, dropout } = values;
  const parts = options.parts === undefined ? undefined : chosenParts("lora", options.parts);
  return defineAdapter({
    name: "lora",
    ...kept,
    settings: { ...kept.settings, parts },
    linear(site, x, base) {
      const input = dropped(site, x, dropout);
      const factors = { rank, scale: alpha / rank };
      const delta = parts
        ? deltaOfParts(site, input, factors, parts)
        : product(site, input, factors);
      return add(base(x), delta);
    },
  });
}

interface Factors {
  readonly rank: number;
  readonly scale: number;
}

function product(site: Site, x: Tensor<"f32">, { rank, scale }: Factors): Tensor<"f32"> {
  const [inputs, outputs] = widthsOf("lora", site, rank);
  const down = site.own.f32("lora_A", [rank, inputs], { init: kaiming(inputs) });
  const up = site.own.f32("lora_B", [outputs, rank], { init: zeros });
  // The scale goes to the narrowest tensor.
  const z = mul(matmul(x, down, { transpose: "right" }), scale);
  return matmul(z, up, { transpose: "right" });
}

function deltaOfParts(
  site: Site,
  x: Tensor<"f32">,
  { rank, scale }: Factors,
  chosen: readonly QkvPart[],
): Tensor<"f32"> {
  const [inputs, outputs] = widthsOf("lora", site, rank);
  const width = widthOfPart("lora", site, outputs);
  const down = site.own.f32("lora_A", [chosen.length * rank, inputs], { init: kaiming(inputs) });
  const up = site.own.f32("lora_B", [chosen.length * width, rank], { init: zeros });
  const pieces = chosen.map((_, i) => {
    const a = slice(down, [[i * rank, (i + 1) * rank]]);
    const b = slice(up, [[i * width, (i + 1) * width]]);
    const z = mul(matmul(x, a, { transpose: "right" }), scale);
    return matmul(z, b, { transpose: "right" });
  });
  return amongParts(chosen, pieces);
}

export const tests: AdapterTests = {
  lora: [
    { adapter: () => lora({ rank: 2, dropout: 0.3 }), where: "**.mlp.*" },
    {
      claim: "on queries and values",
      adapter: () => lora({ rank: 2, parts: ["q", "v"] }),
      where: "blocks.*.attn.qkv",
    },
  ],
};
