/** Houlsby's adapter: a bottleneck behind the attention's projection, and one behind the MLP. */
import { defineAdapter } from "./adapter.ts";
import { throughBottleneck } from "./bottleneck.ts";
import { count } from "./refusals.ts";
import type { AdapterTests } from "./samples.ts";
import { settle } from "./settings.ts";

export interface HoulsbyOptions {
  /**
   * Features of the bottleneck: 2 unless given, which gives the count of the comparison on ViT-H.
   */
  readonly bottleneck?: number;
}

/**
 * h <- h + W2 GELU(W1 h + b1) + b2 behind a linear layer (adapter-bert, `feedforward_adapter`).
 * Weights are drawn from a normal with deviation 0.001, cut at two deviations; biases are zero: it
 * begins close to the identity, not as it.
 *
 * Published for BERT, whose norms stand behind the residual; SAM's stand before. What stays is the
 * place within the half: behind its last linear layer, before the residual is added. So it is bound
 * to places of kind `linear` (in SAM's encoder: `houlsbyPlaces`). In windowed blocks it is behind
 * the windows' way back, and sees each patch once.
 *
 * @throws E134 for a bottleneck that cannot be, E131 for one wider than the layer.
 */
export function houlsby(options: HoulsbyOptions = {}) {
  const { values, kept } = settle("houlsby", options, { bottleneck: [2, count, "by shapes"] });
  const init = { kind: "truncated normal", deviation: 1e-3 } as const;
  return defineAdapter({
    name: "houlsby",
    ...kept,
    linear: (site, x, base) =>
      throughBottleneck("houlsby", site, base(x), values.bottleneck, { down: init, up: init }),
  });
}

export const tests: AdapterTests = {
  houlsby: [{ adapter: () => houlsby(), where: "**.mlp.*", unmergeable: "E160" }],
};
