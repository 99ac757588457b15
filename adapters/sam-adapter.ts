/**
 * SAM-Adapter: a prompt for every block, made of what the patches hold and of the image's edges.
 */
import type { Init, Site, Tensor } from "../compiler/index.ts";
import { zeros } from "../compiler/index.ts";
import { add, conv2d, gelu, permute, reshape } from "../ops/index.ts";
import { defineAdapter } from "./adapter.ts";
import { affine } from "./affine.ts";
import { highPass } from "./high-pass.ts";
import { count, positive, unfit } from "./refusals.ts";
import type { AdapterTests } from "./samples.ts";
import { settle } from "./settings.ts";

export interface SamAdapterOptions {
  /**
   * The prompts' width is the encoder's over this: 16 unless given, the comparison's; 32 published.
   */
  readonly scaleFactor?: number;
  /** The share of frequencies, by area, that the high-pass takes away: 0.25 unless given. */
  readonly lowFrequencies?: number;
}

/**
 * x = prompt_i + x before every block i, prompt_i = Up(GELU(Linear_i(F_hf + F_pe))) (SAM-Adapter,
 * `PromptGenerator`). F_pe is a linear layer of the patches before their positions are added, F_hf
 * a convolution of the image's high frequencies, a patch at a time (high-pass.ts); Up is shared by
 * all blocks. Weights are drawn from a normal with deviation 0.02, cut at two, biases are zero.
 *
 * The parameters that blocks share lie beside them, at `blocks.prompt_generator`; a block's own is
 * `blocks.N.lightweight_mlp`. The image is the one that the encoder sees: normalised and padded.
 *
 * At places of kind `block`. @throws E134 for settings that cannot be, E131 where the width does
 * not divide, or the model does not say what its patches and its image are.
 */
export function samAdapter(options: SamAdapterOptions = {}) {
  const { values, kept } = settle("samAdapter", options, {
    scaleFactor: [16, count, "by shapes"],
    lowFrequencies: [0.25, positive],
  });
  const { scaleFactor, lowFrequencies } = values;
  // Blocks of one pass share their features: they are known by the patches that they come from.
  const made = new WeakMap<Tensor, Tensor<"f32">>();
  return defineAdapter({
    name: "sam-adapter",
    ...kept,
    block(site, x, base) {
      const { patches, image } = sourcesOf(site);
      const [width, embedDim] = widthsOf(site, patches, scaleFactor);
      const shared = site.own.parent.at("prompt_generator");
      const features =
        made.get(patches) ??
        add(
          affine(shared.at("embedding_generator"), patches, width, init),
          edges(shared.at("prompt_generator"), highPass(image, lowFrequencies), width, site),
        );
      made.set(patches, features);
      const own = gelu(affine(site.own.at("lightweight_mlp"), features, width, init));
      return base(add(affine(shared.at("shared_mlp"), own, embedDim, init), x));
    },
  });
}

const init: Init = { kind: "truncated normal", deviation: 0.02 };

function sourcesOf(site: Site): { patches: Tensor<"f32">; image: Tensor<"f32"> } {
  const { patches, image } = site as Partial<Record<"patches" | "image", Tensor<"f32">>>;
  if (patches && image && site.map) return { patches, image };
  throw unfit(
    "samAdapter",
    site,
    "the model does not say what its patches, its image and its map are",
    "give the facts patches, image and map where the block is named",
  );
}

function widthsOf(site: Site, patches: Tensor<"f32">, scaleFactor: number) {
  const embedDim = patches.shape.at(-1)!;
  if (embedDim % scaleFactor === 0) return [embedDim / scaleFactor, embedDim] as const;
  throw unfit(
    "samAdapter",
    site,
    `the width ${embedDim} over a scale factor of ${scaleFactor} is no whole number`,
    `give a divisor of ${embedDim}: { scaleFactor: ${embedDim % 4 === 0 ? 4 : 1} }`,
  );
}

/** An image `[batch, 3, S, S]` convolved patch by patch: rows `[batch * grid * grid, width]`. */
function edges(p: Site["own"], image: Tensor<"f32">, width: number, site: Site): Tensor<"f32"> {
  const [channels, side] = [image.shape[1]!, image.shape[2]! / site.map![1]];
  const weight = p.f32("weight", [width, channels, side, side], { init });
  const bias = p.f32("bias", [width], { init: zeros });
  const map = conv2d(image, weight, { bias, stride: side });
  return reshape(permute(map, [0, 2, 3, 1]), [
    map.shape.slice(2).reduce((a, b) => a * b, map.shape[0]!),
    width,
  ]);
}

export const tests: AdapterTests = {
  samAdapter: [{ adapter: () => samAdapter({ scaleFactor: 2 }), unmergeable: "E160" }],
};
