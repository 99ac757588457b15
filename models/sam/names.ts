/**
 * The two namings of SAM's tensors: Meta's, of the published checkpoints and of this project, and
 * Hugging Face's (transformers, and adapters made with it). Only names differ, never numbers; the
 * one tensor more that Hugging Face may have is a second name of the same positional encoding.
 */
import { diagnose } from "../../diagnostics/index.ts";
import {
  isWrapped,
  namedBy,
  type Unprefixed,
  type Weights,
  withoutPrefix,
} from "../../runtime/weights/index.ts";

export type Naming = "meta" | "hf";

/** Layers of the IoU head in every published model; the names of its last layer depend on it. */
const publishedIouHeadDepth = 3;

/**
 * Hugging Face's names of a tensor that Meta calls `name`: one, or for the positional encoding two
 * (the tied copy of the prompt encoder last). Names of no known part stay as they are.
 */
export function toHuggingFace(name: string, iouHeadDepth = publishedIouHeadDepth): string[] {
  const found = rename(name, rows(iouHeadDepth), 0, 1);
  return found === gaussian.hf ? [found, gaussian.tied] : [found];
}

/** Meta's name of a tensor that Hugging Face calls `name`. Undoes every name of `toHuggingFace`. */
export function toMeta(name: string, iouHeadDepth = publishedIouHeadDepth): string {
  return name === gaussian.tied ? gaussian.meta : rename(name, rows(iouHeadDepth), 1, 0);
}

/**
 * Which naming the names of a file follow; `undefined` when none of them tells (not a SAM, or only
 * parts that are named alike). Errors: E233 when some follow one and some the other.
 */
export function detectNaming(names: Iterable<string>, where?: string): Naming | undefined {
  let meta: string | undefined;
  let hf: string | undefined;
  for (const name of names) {
    if (onlyMeta.test(name)) meta ??= name;
    else if (onlyHuggingFace.test(name)) hf ??= name;
  }
  if (meta !== undefined && hf !== undefined) {
    throw diagnose("E233", {
      message: `the checkpoint mixes two namings: "${meta}" is Meta's, "${hf}" is Hugging Face's`,
      where,
      help: "two checkpoints were merged: save the tensors of one of them alone",
    });
  }
  if (meta !== undefined) return "meta";
  return hf === undefined ? undefined : "hf";
}

/**
 * The checkpoint under Meta's names, whichever it uses. Of a tied pair one is seen.
 * Errors: E233 (mixed namings).
 */
export function withMetaNames(weights: Weights): Weights {
  return namedBy(weights, metaNames);
}

/**
 * By Meta's names those of a file in Hugging Face's, of a tied pair one, or of a file whose names have a
 * prefix; undefined for any other file. Errors: E233 (mixed namings), E463 (several prefixes).
 */
export function metaNames(
  names: readonly string[],
  file: string,
): ReadonlyMap<string, string> | undefined {
  const own = ownNames(names, file);
  const plain = own ? [...own.names.keys()] : names;
  const inFile = (name: string) => own?.names.get(name) ?? name;
  if (detectNaming(plain, file) !== "hf") return own?.names;
  const depth = iouHeadDepth(plain);
  const isSecond = (name: string) => name === gaussian.tied && plain.includes(gaussian.hf);
  return new Map(
    plain.filter((name) => !isSecond(name)).map((name) => [toMeta(name, depth), inFile(name)]),
  );
}

/** What every name of a SAM begins with, in either naming. */
const samParts =
  /^(?:image_encoder|vision_encoder|prompt_encoder|mask_decoder|shared_image_embedding)\./;

/**
 * A SAM's names without what stands in front of them, such as "module."; undefined where nothing does.
 * @throws E463 where there are several SAMs.
 */
export const ownNames = (names: Iterable<string>, file: string): Unprefixed | undefined =>
  withoutPrefix(names, (name) => samParts.test(name) && !isWrapped(name), file);

/** Layers of the IoU head, counted in the names of a file of either naming; 3 if it has none. */
export function iouHeadDepth(names: Iterable<string>): number {
  let last = -1;
  let ends = 0;
  for (const name of names) {
    const [, part] = /^mask_decoder\.iou_prediction_head\.(.+)\.weight$/.exec(name) ?? [];
    if (part === "proj_in" || part === "proj_out") ends++;
    else if (part?.startsWith("layers.")) last = Math.max(last, Number(part.slice(7)));
  }
  return last + 1 + ends || publishedIouHeadDepth;
}

/** The positional encoding: a buffer, shared by the image and the prompts. */
export const gaussian = {
  meta: "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix",
  hf: "shared_image_embedding.positional_embedding",
  tied: "prompt_encoder.shared_embedding.positional_embedding",
} as const;

/**
 * Names that only one of the two has. `iou_prediction_head.layers.0` is in both, for two layers.
 */
const onlyMeta = anyOf(
  /^image_encoder\./,
  /\.(?:pe_layer|point_embeddings|mask_downscaling|output_upscaling)\./,
  /^mask_decoder\.transformer\..*\bnorm(?:[1-4]|_final_attn)\./,
  /_mlps\.\d+\.layers\.2\./,
);
const onlyHuggingFace = anyOf(
  /^vision_encoder\./,
  /\bshared_(?:image_)?embedding\./,
  /\.(?:point_embed|mask_embed|proj_in|proj_out)\./,
  /\.(?:upscale_|layer_norm)/,
);

function anyOf(...patterns: readonly RegExp[]): RegExp {
  return new RegExp(patterns.map(({ source }) => source).join("|"));
}

type Row = readonly [meta: string, hf: string];

/** Parts of the model under both names, the first match counts; `*` is a number, kept as it is. */
const parts: readonly Row[] = [
  [gaussian.meta, gaussian.hf],
  ["image_encoder.patch_embed.proj", "vision_encoder.patch_embed.projection"],
  ["image_encoder.blocks.*.norm1", "vision_encoder.layers.*.layer_norm1"],
  ["image_encoder.blocks.*.norm2", "vision_encoder.layers.*.layer_norm2"],
  ["image_encoder.blocks", "vision_encoder.layers"],
  ["image_encoder.neck.0", "vision_encoder.neck.conv1"],
  ["image_encoder.neck.1", "vision_encoder.neck.layer_norm1"],
  ["image_encoder.neck.2", "vision_encoder.neck.conv2"],
  ["image_encoder.neck.3", "vision_encoder.neck.layer_norm2"],
  ["image_encoder", "vision_encoder"],
  ["prompt_encoder.point_embeddings", "prompt_encoder.point_embed"],
  ["prompt_encoder.mask_downscaling.0", "prompt_encoder.mask_embed.conv1"],
  ["prompt_encoder.mask_downscaling.1", "prompt_encoder.mask_embed.layer_norm1"],
  ["prompt_encoder.mask_downscaling.3", "prompt_encoder.mask_embed.conv2"],
  ["prompt_encoder.mask_downscaling.4", "prompt_encoder.mask_embed.layer_norm2"],
  ["prompt_encoder.mask_downscaling.6", "prompt_encoder.mask_embed.conv3"],
  ...[1, 2, 3, 4].map(
    (n): Row => [
      `mask_decoder.transformer.layers.*.norm${n}`,
      `mask_decoder.transformer.layers.*.layer_norm${n}`,
    ],
  ),
  ["mask_decoder.transformer.norm_final_attn", "mask_decoder.transformer.layer_norm_final_attn"],
  ["mask_decoder.output_upscaling.0", "mask_decoder.upscale_conv1"],
  ["mask_decoder.output_upscaling.1", "mask_decoder.upscale_layer_norm"],
  ["mask_decoder.output_upscaling.3", "mask_decoder.upscale_conv2"],
  ...layers("mask_decoder.output_hypernetworks_mlps.*", 3),
];

/**
 * Meta numbers the layers of a small MLP; Hugging Face names the first and last, numbers the rest.
 */
function layers(mlp: string, depth: number): Row[] {
  return Array.from({ length: depth }, (_, i): Row => {
    const middle = i === depth - 1 ? "proj_out" : `layers.${i - 1}`;
    return [`${mlp}.layers.${i}`, `${mlp}.${i === 0 ? "proj_in" : middle}`];
  });
}

const rows = (iouHeadDepth: number): readonly Row[] => [
  ...parts,
  ...layers("mask_decoder.iou_prediction_head", iouHeadDepth),
];

function rename(name: string, table: readonly Row[], from: 0 | 1, to: 0 | 1): string {
  for (const row of table) {
    const numbers: string[] = [];
    const rest = afterPart(name, row[from], numbers);
    if (rest !== undefined) return row[to].replace(/\*/g, () => numbers.shift()!) + rest;
  }
  return name;
}

/**
 * What follows `part` in `name` ("" or from a dot on), with the numbers that stood for its stars.
 */
function afterPart(name: string, part: string, numbers: string[]): string | undefined {
  let at = 0;
  for (const piece of part.split("*")) {
    if (at > 0) {
      const [digits] = /^\d+/.exec(name.slice(at)) ?? [];
      if (digits === undefined) return undefined;
      numbers.push(digits);
      at += digits.length;
    }
    if (!name.startsWith(piece, at)) return undefined;
    at += piece.length;
  }
  return at === name.length || name[at] === "." ? name.slice(at) : undefined;
}
