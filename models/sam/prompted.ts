/** SAM with prompts in one program, picture and all, for many prompts at once: what training with prompts takes. */
import { defineModel, input, type Model } from "../../compiler/index.ts";
import { diagnose } from "../../diagnostics/index.ts";
import { checkOptions } from "../../diagnostics/options.ts";
import { add, reshape } from "../../ops/index.ts";
import type { SamConfig } from "./config.ts";
import { encodeImage } from "./image-encoder.ts";
import { cellsOf, decodeMasks } from "./mask-decoder.ts";
import { metaNames } from "./names.ts";
import { encodeGrid, encodeMask, encodePoints } from "./prompt-encoder.ts";

export interface PromptSizes {
  /** Prompts for each picture: each of them asks for masks of its own. */
  readonly prompts: number;
  /** The most points of a prompt; a box takes two, and a prompt without a box one that is none. */
  readonly slots: number;
}

export interface PromptedSamOptions {
  readonly name?: string;
  /** Rows of tables of relative positions that are to be interpolated, by path. */
  readonly tableRows?: ReadonlyMap<string, number>;
}

/**
 * The program `segment`, with the dim `batch`. Items are prompts: `items = batch * prompts`, those of the first
 * picture, then those of the second. S is the side of the model's input.
 * - `image` f32 `[batch, 3, S, S]`, normalised
 * - `points` f32 `[items, slots, 2]`, x and y in pixels of the model's input; `labels` i32 `[items, slots]`: -1
 *   nothing, 0 a point beside the object, 1 one on it, 2 and 3 the corners of a box; `count` i32 `[1]`: how many
 *   slots are used, in every item
 * - `mask` f32 `[items, 1, 4 grid, 4 grid]`, logits such as those of an earlier run; `has_mask` i32 `[items]`
 *
 * -> `logits` f32 `[items, masks, 4 grid, 4 grid]`, the single mask first, and `iou` f32 `[items, masks]`.
 *
 * For each item that is what `samModel` computes, with the same parameters.
 *
 * @throws E334 for numbers of prompts or slots that cannot be.
 */
export function promptedSam(
  config: SamConfig,
  sizes: PromptSizes,
  options: PromptedSamOptions = {},
): Model {
  checkOptions<PromptSizes>("promptedSam", sizes, { prompts: true, slots: true });
  checkOptions<PromptedSamOptions>("promptedSam", options, { name: true, tableRows: true });
  checkSizes(sizes);
  const { prompts, slots } = sizes;
  const { name = "prompted-sam", tableRows } = options;
  const { imageSize, patchSize, outChans } = config;
  const grid = imageSize / patchSize;
  const cells = grid * grid;
  return defineModel({
    name,
    doc: "Segment Anything with prompts: pictures and many prompts for each in, masks and their quality out.",
    dims: { batch: 1 },
    tensorNames: metaNames,
    programs: {
      segment(p) {
        const image = input("image", "f32", ["batch", 3, imageSize, imageSize], {
          doc: "The images, normalised; what is missing to the square is zero.",
        });
        const batch = image.shape[0]!;
        const items = batch * prompts;
        const points = input("points", "f32", [items, slots, 2]);
        const labels = input("labels", "i32", [items, slots]);
        const count = input("count", "i32", [1]);
        const mask = input("mask", "f32", [items, 1, 4 * grid, 4 * grid]);
        const hasMask = input("has_mask", "i32", [items]);
        const { embedding } = encodeImage(p.at("image_encoder"), image, config, tableRows);
        const prompt = p.at("prompt_encoder");
        const places = reshape(points, [items * slots, 2]);
        const kinds = reshape(labels, [items * slots]);
        const tokens = encodePoints(prompt, places, kinds, config);
        const dense = encodeMask(prompt, mask, hasMask, config);
        const seen = reshape(cellsOf(embedding), [batch, 1, cells, outChans]);
        const map = add(seen, reshape(dense, [batch, prompts, cells, outChans]));
        const position = encodeGrid(prompt, config);
        const decoder = p.at("mask_decoder");
        const { logits, iou } = decodeMasks(
          decoder,
          { map: reshape(map, [items * cells, outChans]), position, prompts: { tokens, count } },
          config,
        );
        return { logits, iou };
      },
    },
  });
}

/** More is a typing error, and would take all memory. */
const most = 4096;

function checkSizes(sizes: PromptSizes): void {
  for (const what of ["prompts", "slots"] as const) {
    const count = sizes[what];
    if (Number.isInteger(count) && count >= 1 && count <= most) continue;
    throw diagnose("E334", {
      message: `a prompted SAM of ${count} ${what} cannot be`,
      help: `give ${what} as a whole number from 1 to ${most}`,
    });
  }
}
