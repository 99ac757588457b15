/** TA-LoRA: one low-rank update per task, all of them one tensor in Tucker form. */
import { type Site, type Tensor, zeros } from "../compiler/index.ts";
import { shown } from "../diagnostics/options.ts";
import { add, matmul, mul, reshape, slice } from "../ops/index.ts";
import { defineAdapter } from "./adapter.ts";
import { dropped } from "./noise.ts";
import { addOrthogonality } from "./orthogonality.ts";
import { amongParts, chosenParts, type QkvPart, widthOfPart } from "./qkv-parts.ts";
import {
  checkSettings,
  count,
  fromZero,
  positive,
  share,
  taskAt,
  unfit,
  widthsOf,
  wrongSetting,
} from "./refusals.ts";
import type { AdapterTests } from "./samples.ts";
import { settle } from "./settings.ts";
import type { TuckerFactors } from "./terms.ts";

export interface TaLoraOptions {
  /** How many tasks share the layer. */
  readonly tasks: number;
  /**
   * Of the input, the output and the tasks: 32, 32 and 4 unless given. The last may exceed `tasks`.
   */
  readonly ranks?: readonly [inputs: number, outputs: number, tasks: number];
  /** What the update is multiplied with: 0.5 unless given. */
  readonly scale?: number;
  /** Of the input, on the adapter's path alone: 0.1 unless given. */
  readonly dropout?: number;
  /** Parts of a fused qkv, in one tensor; the layer as a whole unless given. */
  readonly parts?: readonly QkvPart[];
  /** The weight of the term `orthogonal_reg`: 1 unless given, 0 leaves it out. */
  readonly orthogonality?: number;
}

/**
 * y = W x + b + scale * DW[:, :, t]ᵀ x for task t, where DW = G x1 U1 x2 U2 x3 U3 (MTSAM,
 * `tensorlib`). Computed as ((x U1) M_t) U2ᵀ with M_t = sum over c of U3[t, c] G[:, :, c]: DW is
 * never formed. Parameters `td_G` `[p, q, v]`, which begins as zeros, `td_U1` `[inputs, p]`,
 * `td_U2` `[outputs, q]` and `td_U3` `[tasks, v]`, standard normal. With `parts` the outputs are
 * the chosen parts only.
 *
 * Adds the term `orthogonal_reg`: the mean over all layers' factors of their distance from
 * orthonormal columns, times the weight. A layer counts once, however many tasks a program
 * computes.
 *
 * Left open by the paper, taken from its successor's code: which projections (the fused qkv of
 * every block), the ranks, the scale, the dropout, and the weight of the term.
 *
 * At places of kind `linear` of a model that says which task it computes. @throws E134 for settings
 * that cannot be, E131 for ranks above the layer's widths, E135 where the task is missing or
 * unknown.
 */
export function taLora(options: TaLoraOptions) {
  const { values, kept } = settle(
    "taLora",
    options === undefined ? {} : options,
    {
      scale: [0.5, positive],
      dropout: [0.1, share, "in training"],
      orthogonality: [1, fromZero, "in training"],
    },
    ["tasks", "ranks", "parts"],
  );
  const { tasks, ranks = [32, 32, 4] } = options ?? {};
  if (!Array.isArray(ranks))
    throw wrongSetting(`taLora: ranks are ${shown(ranks)}`, "give three whole numbers from 1 up");
  checkSettings("taLora", {
    tasks: [tasks, count],
    "the input's rank": [ranks[0], count],
    "the output's rank": [ranks[1], count],
    "the tasks' rank": [ranks[2], count],
  });
  const { scale, dropout, orthogonality } = values;
  const chosen = options.parts === undefined ? undefined : chosenParts("taLora", options.parts);
  return defineAdapter({
    name: "ta-lora",
    ...kept,
    settings: { ...kept.settings, tasks, ranks, parts: chosen },
    linear(site, x, base) {
      const [inputs, outputs] = widthsOf("taLora", site);
      const width = chosen && widthOfPart("taLora", site, outputs);
      const adapted = chosen && width ? chosen.length * width : outputs;
      const { left, right, core } = factorsOf(site, [inputs, adapted], ranks);
      const byTask = site.own.f32("td_U3", [tasks, ranks[2]], { init: standard });
      if (orthogonality > 0) addOrthogonality(site, { left, right, core }, orthogonality);
      const task = taskAt("taLora", site, tasks);
      const row = reshape(slice(byTask, [[task, task + 1]]), [ranks[2], 1]);
      const middle = matmul(reshape(core, [ranks[0] * ranks[1], ranks[2]]), row);
      const within = matmul(dropped(site, x, dropout), left);
      // The scale goes to the narrowest tensor.
      const mixed = mul(matmul(within, reshape(middle, [ranks[0], ranks[1]])), scale);
      if (!chosen || !width) return add(base(x), matmul(mixed, right, { transpose: "right" }));
      const pieces = chosen.map((_, i) => {
        const own = slice(right, [[i * width, (i + 1) * width]]);
        return matmul(mixed, own, { transpose: "right" });
      });
      return add(base(x), amongParts(chosen, pieces));
    },
  });
}

const standard = { kind: "normal", deviation: 1 } as const;

function factorsOf(
  site: Site,
  widths: readonly [number, number],
  ranks: readonly [number, number, number],
): TuckerFactors & { readonly [K in "left" | "right" | "core"]: Tensor<"f32"> } {
  for (const [i, side] of (["input", "output"] as const).entries())
    if (ranks[i]! > widths[i]!)
      throw unfit(
        "taLora",
        site,
        `the ${side}'s rank ${ranks[i]} is above the ${widths[i]} features that it adapts`,
        `give ranks of at most ${widths.join(" and ")}: { ranks: [p, q, v] }`,
      );
  return {
    left: site.own.f32("td_U1", [widths[0], ranks[0]], { init: standard }),
    right: site.own.f32("td_U2", [widths[1], ranks[1]], { init: standard }),
    core: site.own.f32("td_G", ranks, { init: zeros }),
  };
}

export const tests: AdapterTests = {
  taLora: [
    { adapter: () => taLora({ tasks: 2, ranks: [3, 4, 5] }), where: "**.mlp.*" },
    {
      claim: "on queries and values",
      adapter: () => taLora({ tasks: 2, ranks: [2, 3, 1], parts: ["v", "q"], dropout: 0 }),
      where: "blocks.*.attn.qkv",
    },
  ],
};
