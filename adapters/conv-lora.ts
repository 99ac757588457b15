/** Conv-LoRA: LoRA with a mixture of convolutions at several scales inside its bottleneck. */
import { type Init, kaiming, type Site, type Tensor, zeros } from "../compiler/index.ts";
import { shown } from "../diagnostics/options.ts";
import { add, iota, matmul, mul, reshape, scaledConvolution, stack, sum } from "../ops/index.ts";
import { defineAdapter } from "./adapter.ts";
import { mapOf } from "./map.ts";
import { dropped } from "./noise.ts";
import { type Routing, route } from "./noisy-gate.ts";
import {
  checkSettings,
  count,
  listed,
  positive,
  share,
  widthsOf,
  wrongSetting,
} from "./refusals.ts";
import type { AdapterTests } from "./samples.ts";
import { settle } from "./settings.ts";

export interface ConvLoraOptions {
  /** 3 unless given. */
  readonly rank?: number;
  /** The bottleneck's results are scaled by alpha / rank: 32 unless given. */
  readonly alpha?: number;
  /** Of the input, on the adapter's path alone: 0 unless given. */
  readonly dropout?: number;
  /** How many experts, of scales 1, 2, 3, …, or their scales: 8 unless given. */
  readonly experts?: number | readonly number[];
  /** Experts that see a map: 1 unless given. */
  readonly topK?: number;
  /** Whether experts mix channels, as published, or see each by itself: "dense" unless given. */
  readonly convolution?: "dense" | "depthwise";
  /** Whether a gate chooses among experts: true unless given. Without it the results of all are added. */
  readonly gate?: boolean;
}

/**
 * y = W x + b + (alpha / rank) B (z + v), z = A x, where v is what the chosen expert makes of the
 * map z (autogluon, `ConvLoRALinear`): resized s times, convolved 3 x 3 with padding, GELU, resized
 * back, both bicubic without antialiasing. A map is a window in windowed blocks, an image in global
 * ones, and chooses by its mean (noisy-gate.ts). Parameters as published: `lora_A` `[rank,
 * inputs]`, `lora_B` `[outputs, rank]`, which begins as zeros, `lora_moe_gating.w_gate` and
 * `.w_noise`, and `lora_moe_experts.N.0.weight` and `.bias`. An expert that no map was routed to
 * has no gradient.
 *
 * Without a gate v is the sum over all experts, as in the paper's comparison with scales that are simply added: there
 * are no `lora_moe_gating` and no `moe_loss`.
 *
 * Left open: for `topK` above 1 experts count by the softmax of the kept logits, as in the paper's
 * formula (the code takes the logarithm of summed exponentials, which equals it for one expert
 * alone); then the task's loss reaches the gate too. It depends on the input: it cannot be merged.
 *
 * At places of kind `linear` whose rows are maps. @throws E134 for settings that cannot be, E131
 * for a rank above the layer's width, and where rows are no map.
 */
export function convLora(options: ConvLoraOptions = {}) {
  const { values, kept } = settle(
    "convLora",
    options,
    {
      rank: [3, count, "by shapes"],
      alpha: [32, positive],
      dropout: [0, share, "in training"],
      topK: [1, count],
    },
    ["experts", "convolution", "gate"],
  );
  const { experts = 8, convolution = "dense", gate = true } = options;
  const scales = scalesOf(experts);
  checkSettings("convLora", { topK: [values.topK, upTo(scales.length)] });
  if (convolution !== "dense" && convolution !== "depthwise")
    throw wrongSetting(
      `convLora: convolution is ${shown(convolution)}`,
      'give "dense" or "depthwise"',
    );
  if (typeof gate !== "boolean")
    throw wrongSetting(`convLora: gate is ${shown(gate)}`, "give true or false");
  if (!gate && options.topK !== undefined)
    throw wrongSetting("convLora: topK is of a gate, and there is none", "leave one of them out");
  const { rank, alpha, dropout, topK } = values;
  return defineAdapter({
    name: "conv-lora",
    ...kept,
    settings: { ...kept.settings, experts: scales, convolution, gate },
    assumed: [...kept.assumed, ...(options.experts === undefined ? ["experts"] : [])],
    linear(site, x, base) {
      const [inputs, outputs] = widthsOf("convLora", site, rank);
      const [maps, height, width] = mapOf("convLora", site, x);
      const down = site.own.f32("lora_A", [rank, inputs], { init: kaiming(inputs) });
      const up = site.own.f32("lora_B", [outputs, rank], { init: zeros });
      const z: Tensor<"f32"> = matmul(dropped(site, x, dropout), down, { transpose: "right" });
      const routing: Omit<Routing, "used"> & { readonly used?: Routing["used"] } = gate
        ? route(site, reshape(z, [maps, height * width, rank]), scales.length, topK)
        : { choice: iota([maps, scales.length], 1), weights: undefined };
      const kept = routing.choice.shape[1]!;
      const each = convolution === "dense" ? rank : 1;
      const mixture = scales.map((_, i) => expertOf(site, i, [rank, each], routing));
      const seen = scaledConvolution(
        reshape(z, [maps, height, width, rank]),
        routing.choice,
        stack(mixture.map(({ weight }) => weight)),
        stack(mixture.map(({ bias }) => bias)),
        { scales, groups: rank / each },
      );
      const v = routing.weights
        ? sum(mul(seen, reshape(routing.weights, [maps, kept, 1, 1, 1])), 1)
        : kept === 1
          ? seen
          : sum(seen, 1);
      const rows: Tensor<"f32"> = add(reshape(v, z.shape as readonly number[]), z);
      // The scale goes to the narrowest tensor.
      return add(base(x), matmul(mul(rows, alpha / rank), up, { transpose: "right" }));
    },
  });
}

/** The parameters of an expert, which count as used where any map is routed to it. */
function expertOf(
  site: Site,
  index: number,
  [rank, each]: readonly [number, number],
  { used }: { readonly used?: Routing["used"] },
) {
  const p = site.own.at("lora_moe_experts", index, 0);
  // As PyTorch's convolutions begin; the bias is set to zero by the published code.
  const init: Init = kaiming(9 * each);
  const weight = p.f32("weight", [rank, each, 3, 3], { init });
  const bias = p.f32("bias", [rank], { init: zeros });
  if (used) for (const parameter of [weight, bias]) site.usedWhen(parameter, used(index));
  return { weight, bias };
}

const upTo = (experts: number) => ({
  words: `a whole number from 1 to the ${experts} experts that there are`,
  holds: (v: number) => count.holds(v) && v <= experts,
});

function scalesOf(experts: number | readonly number[]): readonly number[] {
  if (typeof experts === "number") {
    checkSettings("convLora", { experts: [experts, count] });
    return Array.from({ length: experts }, (_, i) => i + 1);
  }
  if (Array.isArray(experts) && experts.length > 0 && experts.every(count.holds)) return experts;
  throw wrongSetting(
    `convLora: experts are at the scales ${Array.isArray(experts) ? listed(experts) : shown(experts)}`,
    "give one whole number from 1 up for each expert, or how many experts there are",
  );
}

export const tests: AdapterTests = {
  convLora: [
    {
      adapter: () => convLora({ rank: 2, experts: [1, 6], dropout: 0.3 }),
      where: "blocks.*.attn.qkv",
      unmergeable: "E160",
    },
    {
      claim: "depthwise, two experts a map",
      adapter: () => convLora({ rank: 2, experts: [2, 5], topK: 2, convolution: "depthwise" }),
      where: "blocks.*.attn.qkv",
      unmergeable: "E160",
    },
    {
      claim: "without a gate",
      adapter: () => convLora({ rank: 2, experts: [1, 2, 5], gate: false }),
      where: "blocks.*.attn.qkv",
      unmergeable: "E160",
    },
  ],
};
