/** Pfeiffer's adapter: one bottleneck a block, behind the MLP. */
import { zeros } from "../compiler/index.ts";
import { defineAdapter } from "./adapter.ts";
import { throughBottleneck } from "./bottleneck.ts";
import { count } from "./refusals.ts";
import type { AdapterTests } from "./samples.ts";
import { settle } from "./settings.ts";

export interface PfeifferOptions {
  /** Features of the bottleneck: 64 unless given. */
  readonly bottleneck?: number;
}

/**
 * x = mlp(norm2(x)); x = x + Up(GELU(Down x)); then the block's residual (as in VPT's repository).
 * At places of kind `linear`, bound to the MLP's second layer (in SAM's encoder: `pfeifferPlaces`).
 *
 * Left open: that repository begins with zeros everywhere, where neither weight ever gets a
 * gradient and only the last bias learns. Here Up begins as zeros, so that the first step is the
 * model's own, and Down as PyTorch's linear layers do.
 *
 * @throws E134 for a bottleneck that cannot be, E131 for one wider than the layer.
 */
export function pfeiffer(options: PfeifferOptions = {}) {
  const { values, kept } = settle("pfeiffer", options, { bottleneck: [64, count, "by shapes"] });
  return defineAdapter({
    name: "pfeiffer",
    ...kept,
    linear: (site, x, base) =>
      throughBottleneck("pfeiffer", site, base(x), values.bottleneck, { up: zeros }),
  });
}

export const tests: AdapterTests = {
  pfeiffer: [
    { adapter: () => pfeiffer({ bottleneck: 3 }), where: "**.mlp.lin2", unmergeable: "E160" },
  ],
};
