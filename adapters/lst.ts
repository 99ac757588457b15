/**
 * Ladder side tuning: a narrow transformer beside the frozen one, which it reads and never changes.
 */
import { type Parameters, type Tensor, zeros } from "../compiler/index.ts";
import {
  add,
  attention,
  gelu,
  mul,
  permute,
  reshape,
  sigmoid,
  slice,
  stopGradient,
  sub,
} from "../ops/index.ts";
import { defineAdapter } from "./adapter.ts";
import { affine, norm } from "./affine.ts";
import { mapOf } from "./map.ts";
import { count, positive, unfit } from "./refusals.ts";
import type { AdapterTests } from "./samples.ts";
import { settle } from "./settings.ts";

export interface LstOptions {
  /** The side network's width is the encoder's over this: 8 unless given. */
  readonly reduction?: number;
  /** Heads of a side block's attention: 4 unless given. */
  readonly heads?: number;
  /** How sharply the gates turn: 0.1 unless given. */
  readonly temperature?: number;
}

type Rows = Tensor<"f32">;

/**
 * s <- mu_i s + (1 - mu_i) D_i h_i, then s <- SideBlock_i(s), for every block i of the encoder,
 * whose output is h_i; mu_i = sigmoid(a_i / T), a_i = 0 at first. s begins as a projection of the
 * tokens, and a last projection of s takes the place of the encoder's result (Ladder-Side-Tuning,
 * `modeling_side_t5.py`). No gradient goes into the encoder.
 *
 * Left open for SAM: a side block is a transformer block of the narrow width with norms in front,
 * as SAM's, an MLP of four times the width, and attention to the whole map without tables of
 * positions (the features carry them); every block has a rung; weights begin as PyTorch's linear
 * layers do, not by pruning. With a reduction of 8 that is 16,866,752 parameters on ViT-H; the
 * published 11.49M with the decoder could not be reproduced.
 *
 * At places of kind `trunk`. @throws E134 for settings that cannot be, E131 where the width does
 * not divide.
 */
export function lst(options: LstOptions = {}) {
  const { values, kept } = settle("lst", options, {
    reduction: [8, count, "by shapes"],
    heads: [4, count],
    temperature: [0.1, positive],
  });
  const { reduction, heads, temperature } = values;
  return defineAdapter({
    name: "lst",
    ...kept,
    trunk(site, x, base) {
      const embedDim = x.shape.at(-1)!;
      const width = embedDim / reduction;
      if (!Number.isInteger(width) || width % heads !== 0)
        throw unfit(
          "lst",
          site,
          `the width ${embedDim} over ${reduction} is not ${heads} heads of one depth`,
          `give a reduction and heads whose product divides ${embedDim}`,
        );
      const [images, height, columns] = mapOf("lst", site, x);
      const shape = { images, tokens: height * columns, heads };
      const own = (...path: (string | number)[]) => site.own.at("side", ...path);
      const frozen = base(x);
      const side = frozen.reduce(
        (s, h, i) => {
          const rung = affine(own("rungs", i), stopGradient(h), width);
          const gate = own("rungs", i).f32("gate", [1], { init: zeros });
          const kept = sigmoid(mul(gate, 1 / temperature));
          const mixed = add(mul(kept, s), mul(sub(1, kept), rung));
          return sideBlock(own("blocks", i), mixed, shape);
        },
        affine(own("first"), x, width),
      );
      return [...frozen.slice(0, -1), affine(own("last"), side, embedDim)];
    },
  });
}

interface SideShape {
  readonly images: number;
  readonly tokens: number;
  readonly heads: number;
}

function sideBlock(p: Parameters, x: Rows, { images, tokens, heads }: SideShape): Rows {
  const width = x.shape[1]!;
  const depth = width / heads;
  const qkv = affine(p.at("qkv"), norm(p.at("norm1"), x), 3 * width);
  const [q, k, v] = [0, 1, 2].map((i) => {
    const third = slice(qkv, [[], [i * width, (i + 1) * width]]);
    return permute(reshape(third, [images, tokens, heads, depth]), [0, 2, 1, 3]);
  });
  const attended = reshape(permute(attention(q!, k!, v!), [0, 2, 1, 3]), [images * tokens, width]);
  const h = add(x, affine(p.at("proj"), attended, width));
  const wide = gelu(affine(p.at("lin1"), norm(p.at("norm2"), h), 4 * width));
  return add(h, affine(p.at("lin2"), wide, width));
}

export const tests: AdapterTests = {
  lst: [{ adapter: () => lst({ reduction: 2, heads: 1 }), unmergeable: "E160" }],
};
