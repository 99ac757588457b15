/** A SAM as two programs over one set of parameters, whose paths are the keys of Meta's checkpoint. */

import {
  defineModel,
  input,
  type Model,
  type Parameters,
  type Tensor,
} from "../../compiler/index.ts";
import { checkOptions } from "../../diagnostics/options.ts";
import { add, permute, reshape } from "../../ops/index.ts";
import { tokenBuckets } from "../../predict/tokens.ts";
import { formatSamConfig, parseSamConfig, type SamConfig } from "./config.ts";
import { encodeImage } from "./image-encoder.ts";
import { cellsOf, decodeMasks } from "./mask-decoder.ts";
import { metaNames } from "./names.ts";
import { encodeGrid, encodeMask, encodePoints } from "./prompt-encoder.ts";

export interface SamModelOptions {
  readonly name?: string;
  /** Whether the programs also return what lies between, to compare it with a reference. */
  readonly taps?: "none" | "all";
  /** Rows of tables of relative positions that are to be interpolated, by path. */
  readonly tableRows?: ReadonlyMap<string, number>;
}

/**
 * - `encode`, dims `batch`: `image` -> `embedding`
 * - `decode`, dims `tokens`: `embedding`, `points`, `labels`, `count`, `mask`, `has_mask` ->
 *   `low_res_logits`, `iou`
 *
 * With taps, `encode` also returns `patch_embed` and `block.N`, each `[batch, grid, grid,
 * embedDim]`, and `decode` returns `sparse` `[tokens, outChans]`, `dense` and `dense_pe`, each
 * `[1, outChans, grid, grid]`.
 */
export function samModel(config: SamConfig, options: SamModelOptions = {}): Model {
  checkOptions<SamModelOptions>("samModel", options, { name: true, taps: true, tableRows: true });
  const { name = "sam", taps = "none", tableRows } = options;
  return defineModel({
    name,
    doc: "Segment Anything: encode an image once, then decode masks from prompts.",
    dims: { batch: 1, tokens: 8 },
    facts: { kind: "sam", config: formatSamConfig(config) },
    tensorNames: metaNames,
    bundle: {
      sizes: { decode: { tokens: tokenBuckets } },
      loader: { module: "inarch/runtime", load: "loadSamBundle", type: "SamPredictor" },
    },
    programs: {
      encode(p) {
        const image = input("image", "f32", ["batch", 3, config.imageSize, config.imageSize], {
          doc: "The image, normalised; what is missing to the square is zero.",
        });
        const { embedding, patches, blocks } = encodeImage(
          p.at("image_encoder"),
          image,
          config,
          tableRows,
        );
        if (taps === "none") return { embedding };
        const between = blocks.map((x, i) => [`block.${i}`, x] as const);
        return { embedding, patch_embed: patches, ...Object.fromEntries(between) };
      },
      decode(p) {
        const { results, between } = decode(p, config);
        return taps === "none" ? results : { ...results, ...between };
      },
    },
  });
}

/** The configuration of a model that `samModel` made, adapted or not; undefined for any other. */
export const samConfigOf = ({ facts }: Pick<Model, "facts">): SamConfig | undefined =>
  facts?.kind === "sam" ? parseSamConfig(facts.config) : undefined;

function decode(p: Parameters, config: SamConfig) {
  const { outChans } = config;
  const grid = config.imageSize / config.patchSize;
  const embedding = input("embedding", "f32", [1, outChans, grid, grid], {
    doc: "The image's embedding, as `encode` returns it.",
  });
  const { points, labels, count, mask, hasMask } = promptInputs(grid);
  const prompt = p.at("prompt_encoder");
  const sparse = encodePoints(prompt, points, labels, config);
  const dense = encodeMask(prompt, mask, hasMask, config);
  const position = encodeGrid(prompt, config);
  const { logits, iou } = decodeMasks(
    p.at("mask_decoder"),
    { map: add(cellsOf(embedding), dense), position, prompts: { tokens: sparse, count } },
    config,
  );
  const map = (rows: Tensor<"f32">) => reshape(permute(rows, [1, 0]), [1, outChans, grid, grid]);
  return {
    results: {
      low_res_logits: reshape(logits, logits.shape.slice(1)),
      iou: reshape(iou, iou.shape.slice(1)),
    },
    between: { sparse, dense: map(dense), dense_pe: map(position) },
  };
}

function promptInputs(grid: number) {
  const points = input("points", "f32", ["tokens", 2], {
    doc: "x and y of points and of corners of boxes, in pixels of the model's input.",
  });
  const labels = input("labels", "i32", ["tokens"], {
    doc: "What each is: -1 nothing, 0 a point beside the object, 1 one on it, 2 and 3 the corners of a box.",
  });
  const count = input("count", "i32", [1], { doc: "How many of the slots are used." });
  const mask = input("mask", "f32", [1, 1, 4 * grid, 4 * grid], {
    doc: "A mask as logits, such as `low_res_logits` of an earlier run.",
  });
  const hasMask = input("has_mask", "i32", [1], { doc: "Whether the mask counts: 0 or 1." });
  return { points, labels, count, mask, hasMask };
}
