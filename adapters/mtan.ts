/** MTAN: every task looks at a shared encoder through masks of its own. */
import { kaiming, type Parameters, type Tensor, zeros } from "../compiler/index.ts";
import { concat, conv2d, mul, permute, relu, reshape, sigmoid } from "../ops/index.ts";
import { defineAdapter } from "./adapter.ts";
import { affine, norm } from "./affine.ts";
import { mapOf } from "./map.ts";
import { count, taskAt } from "./refusals.ts";
import type { AdapterTests } from "./samples.ts";
import { settle } from "./settings.ts";
import { endsOfStages } from "./stages.ts";

export interface MtanOptions {
  /** Even parts of the encoder, each with a mask for each task: 4 unless given, or a block each where there are fewer. */
  readonly stages?: number;
}

type Rows = Tensor<"f32">;

/**
 * f_0 = m_0 p_0, f_i = m_i p_i with m_i = sigmoid(N(W2 relu(N(W1 [u_i; C_{i-1} f_{i-1}] + b1)) + b2)): u_i are the features
 * before the last block of stage i, p_i those behind it, m_i is the task's own, and C_i = relu(N(conv3x3 + b)) one for all
 * tasks. f of the last stage takes the place of the encoder's result (Multi-Task Attention Network: LibMTL `MTAN.py`,
 * lorenmt/mtan).
 *
 * Left open for transformers: a stage is an even part of the blocks; W1 leaves a quarter of the features, as
 * in LibMTL's ResNet-50. N is a layer norm of each place and not a batch norm, so that a step in parts is the step of the whole
 * batch. All stages have the same map, so nothing is pooled. Layers begin as PyTorch's linear ones do. The encoder itself
 * trains with it where `adapt` is told so: `{ train: ["**.image_encoder.**"] }`.
 *
 * At places of kind `trunk` of a model that says which task it computes. @throws E134 for settings that cannot be, E135
 * where the task is missing.
 */
export function mtan(options: MtanOptions = {}) {
  const { values, kept } = settle("mtan", options, { stages: [4, count] });
  return defineAdapter({
    name: "mtan",
    ...kept,
    trunk(site, x, base) {
      const own = site.own.at("mtan");
      const mine = own.at("tasks", taskAt("mtan", site));
      const map = mapOf("mtan", site, x);
      const blocks = base(x);
      const ends = endsOfStages(blocks.length, values.stages);
      const seen = ends.reduce<Rows | undefined>((before, end, stage) => {
        const first = end === 0 ? x : blocks[end - 1]!;
        const shared = before ? convolved(own.at("stages", stage - 1), before, map) : undefined;
        return mul(maskOf(mine.at("stages", stage), first, shared), blocks[end]!);
      }, undefined);
      return [...blocks.slice(0, -1), seen!];
    },
  });
}

/** Rows `[places, features]` -> a factor from 0 to 1 of each. */
function maskOf(p: Parameters, first: Rows, before: Rows | undefined): Rows {
  const features = first.shape.at(-1)!;
  const seen = before ? concat([first, before], 1) : first;
  const inner = Math.max(1, Math.floor(features / 4));
  const narrow = relu(norm(p.at("norm1"), affine(p.at("narrow"), seen, inner)));
  return sigmoid(norm(p.at("norm2"), affine(p.at("wide"), narrow, features)));
}

/** Rows of maps to rows of maps. */
function convolved(
  p: Parameters,
  x: Rows,
  [maps, height, width]: readonly [number, number, number],
): Rows {
  const features = x.shape.at(-1)!;
  const weight = p.f32("conv.weight", [features, features, 3, 3], { init: kaiming(9 * features) });
  const bias = p.f32("conv.bias", [features], { init: zeros });
  const map = permute(reshape(x, [maps, height, width, features]), [0, 3, 1, 2]);
  const wide = permute(conv2d(map, weight, { padding: 1, bias }), [0, 2, 3, 1]);
  return relu(norm(p.at("norm"), reshape(wide, [maps * height * width, features])));
}

export const tests: AdapterTests = {
  mtan: [
    { adapter: () => mtan(), unmergeable: "E160" },
    { claim: "in one stage", adapter: () => mtan({ stages: 1 }), unmergeable: "E160" },
  ],
};
