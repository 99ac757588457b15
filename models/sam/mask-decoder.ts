/**
 * SAM's mask decoder: a few tokens (one for the quality, one for each mask, the prompts) and the
 * image's map attend to each other; the tokens then say how to weigh the enlarged map's channels.
 * Tokens and map are rows of channels, item by item: an item is an image, or an image seen for one
 * output channel. (Rows of all items in one matrix, not a third axis: then every product is one of
 * matrices, and no view stands between it and its neighbours.) There may be more slots than tokens:
 * those beyond `count` are computed, but nobody attends to them.
 */
import type { Parameters, Tensor } from "../../compiler/index.ts";
import {
  add,
  attention,
  broadcastTo,
  concat,
  ge,
  gelu,
  iota,
  matmul,
  permute,
  relu,
  reshape,
  slice,
  where,
} from "../../ops/index.ts";
import { linear, norm, perceptron } from "../layers.ts";
import type { SamConfig } from "./config.ts";

/** PyTorch's default, which the published decoder uses for its rows. */
const epsilon = 1e-5;

export interface DecoderInputs {
  /** `[items * grid * grid, outChans]`: the embedding plus the mask prompt. */
  readonly map: Tensor<"f32">;
  /** `[grid * grid, outChans]`: where each cell is. */
  readonly position: Tensor<"f32">;
  /** Left out where nothing is prompted. */
  readonly prompts?: DecoderPrompts;
}

export interface DecoderPrompts {
  /** `[items * slots, outChans]`. */
  readonly tokens: Tensor<"f32">;
  /** i32 `[1]`: how many of the slots are prompts, in every item. */
  readonly count: Tensor<"i32">;
}

export interface MaskTokens {
  readonly count: number;
  /** Whether each mask token has a perceptron of its own, or all of them the first. */
  readonly perceptrons: "own" | "shared";
}

export interface DecodedMasks {
  /** `[items, masks, 4 grid, 4 grid]` logits: the single mask, then the others. */
  readonly logits: Tensor<"f32">;
  /** `[items, masks]`. Its head is in the graph only if this is used. */
  readonly iou: Tensor<"f32">;
  /** `[items, masks, outChans]`: the mask tokens, having seen the image. */
  readonly maskTokens: Tensor<"f32">;
}

/** `p` holds the parameters below `mask_decoder`; SAM's own masks unless others are asked for. */
export function decodeMasks(
  p: Parameters,
  inputs: DecoderInputs,
  config: SamConfig,
  asked: MaskTokens = { count: 1 + config.numMultimaskOutputs, perceptrons: "own" },
): DecodedMasks {
  const { outChans, iouHeadHiddenDim, iouHeadDepth } = config;
  const { map, position, prompts } = inputs;
  const items = map.shape[0]! / position.shape[0]!;
  const masks = asked.count;
  const own = concat(
    [
      p.at("iou_token").f32("weight", [1, outChans]),
      p.at("mask_tokens").f32("weight", [masks, outChans]),
    ],
    0,
  );
  const repeated = repeatRows(own, items);
  const tokens = prompts ? joinRows(repeated, prompts.tokens, items) : repeated;
  const count = tokens.shape[0]! / items;
  const unused = prompts && unusedKeys(count, 1 + masks, prompts.count);
  const places = repeatRows(position, items);
  const { queries, keys } = twoWay(p.at("transformer"), tokens, map, {
    config,
    items,
    places,
    unused,
  });

  // Every item's token of this number.
  const row = (i: number) => slice(queries, [[i, (items - 1) * count + i + 1, count]]);
  const hidden = Array<number>(iouHeadDepth - 1).fill(iouHeadHiddenDim);
  const iou = perceptron(p.at("iou_prediction_head"), row(0), [outChans, ...hidden, masks]);
  const maskRows = Array.from({ length: masks }, (_, m) => row(1 + m));
  const weights = maskWeights(p.at("output_hypernetworks_mlps"), maskRows, asked);
  const upscaled = upscale(p.at("output_upscaling"), keys, outChans);
  return { logits: weigh(weights, upscaled, config), iou, maskTokens: stack(maskRows) };
}

/** Maps as rows: `[items, outChans, grid, grid]` to `[items * grid * grid, outChans]`. */
export function cellsOf(embedding: Tensor<"f32">): Tensor<"f32"> {
  const [items, channels, height, width] = embedding.shape as [number, number, number, number];
  const rows = permute(reshape(embedding, [items, channels, height * width]), [0, 2, 1]);
  return reshape(rows, [items * height * width, channels]);
}

/** `[rows, channels]` once for each item: `[items * rows, channels]`. */
export function repeatRows(x: Tensor<"f32">, items: number): Tensor<"f32"> {
  const [rows, channels] = x.shape as [number, number];
  return items === 1
    ? x
    : reshape(broadcastTo(x, [items, rows, channels]), [items * rows, channels]);
}

/** The rows of `a`, then those of `b`, item by item. */
function joinRows(a: Tensor<"f32">, b: Tensor<"f32">, items: number): Tensor<"f32"> {
  if (items === 1) return concat([a, b], 0);
  const channels = a.shape[1]!;
  const parts = [a, b].map((x) => reshape(x, [items, x.shape[0]! / items, channels]));
  return reshape(concat(parts, 1), [a.shape[0]! + b.shape[0]!, channels]);
}

/** Rows `[items, channels]` as one more axis: `[items, rows.length, channels]`. */
function stack(rows: readonly Tensor<"f32">[]): Tensor<"f32"> {
  const [items, channels] = rows[0]!.shape as [number, number];
  return concat(
    rows.map((x) => reshape(x, [items, 1, channels])),
    1,
  );
}

/** The layers of the perceptron of a mask token. */
export const perceptronLayers = (channels: number) =>
  [channels, channels, channels / 8].map((outputs) => ({ inputs: channels, outputs }));

/** How each mask weighs the channels of the enlarged map: `[items, masks, outChans / 8]`. */
function maskWeights(
  p: Parameters,
  tokens: readonly Tensor<"f32">[],
  { perceptrons }: MaskTokens,
): Tensor<"f32"> {
  const channels = tokens[0]!.shape[1]!;
  const sizes = [channels, ...perceptronLayers(channels).map(({ outputs }) => outputs)];
  if (perceptrons === "shared") return perceptron(p.at(0), stack(tokens), sizes);
  return stack(tokens.map((token, m) => perceptron(p.at(m), token, sizes)));
}

/** A bias for scores, `[1, 1, 1, tokens]`, that shuts out slots that hold no prompt. */
function unusedKeys(tokens: number, own: number, count: Tensor<"i32">): Tensor<"f32"> {
  const slot = iota([tokens], 0);
  const bias = where(ge(slot, add(count, own)), -1e30, 0);
  return reshape(bias, [1, 1, 1, tokens]);
}

interface Setting {
  readonly config: SamConfig;
  readonly items: number;
  /** `[items * grid * grid, outChans]`: where each cell is. */
  readonly places: Tensor<"f32">;
  /** What shuts out unused slots; undefined where all are used. */
  readonly unused: Tensor<"f32"> | undefined;
}

function twoWay(
  p: Parameters,
  tokens: Tensor<"f32">,
  map: Tensor<"f32">,
  { config, items, places, unused }: Setting,
) {
  const { decoderDepth, outChans, decoderMlpDim } = config;
  const across = { config, items, inner: outChans / 2 };
  let queries = tokens;
  let keys = map;
  for (let i = 0; i < decoderDepth; i++) {
    const layer = p.at("layers", i);
    const self = i === 0 ? queries : add(queries, tokens);
    const among = { config, items, inner: outChans, bias: unused };
    const seen = attend(layer.at("self_attn"), self, self, queries, among);
    // The first layer forgets what the tokens were: they come back as their own positions.
    queries = norm(layer.at("norm1"), i === 0 ? seen : add(queries, seen), epsilon);
    const placed = add(keys, places);
    const reading = layer.at("cross_attn_token_to_image");
    const read = attend(reading, add(queries, tokens), placed, keys, across);
    queries = norm(layer.at("norm2"), add(queries, read), epsilon);
    const wide = relu(linear(layer.at("mlp", "lin1"), queries, outChans, decoderMlpDim));
    const narrow = linear(layer.at("mlp", "lin2"), wide, decoderMlpDim, outChans);
    queries = norm(layer.at("norm3"), add(queries, narrow), epsilon);
    const telling = layer.at("cross_attn_image_to_token");
    const named = add(queries, tokens);
    const told = attend(telling, placed, named, queries, { ...across, bias: unused });
    keys = norm(layer.at("norm4"), add(keys, told), epsilon);
  }
  const [q, k] = [add(queries, tokens), add(keys, places)];
  const read = attend(p.at("final_attn_token_to_image"), q, k, keys, across);
  return { queries: norm(p.at("norm_final_attn"), add(queries, read), epsilon), keys };
}

interface Attending {
  readonly config: SamConfig;
  readonly items: number;
  /** Channels of queries, keys and values, all heads together. */
  readonly inner: number;
  readonly bias?: Tensor<"f32"> | undefined;
}

/** Rows to rows: projections, attention of several heads within each item, and the projection back. */
function attend(
  p: Parameters,
  query: Tensor<"f32">,
  key: Tensor<"f32">,
  value: Tensor<"f32">,
  { config: { outChans, decoderNumHeads: heads }, items, inner, bias }: Attending,
): Tensor<"f32"> {
  const project = (name: string, x: Tensor<"f32">) => {
    const y = linear(p.at(name), x, outChans, inner);
    const own = x.shape[0]! / items;
    return permute(reshape(y, [items, own, heads, inner / heads]), [0, 2, 1, 3]);
  };
  const [q, k, v] = [project("q_proj", query), project("k_proj", key), project("v_proj", value)];
  const out = attention(q, k, v, bias ? { bias } : {});
  const rows = reshape(permute(out, [0, 2, 1, 3]), [query.shape[0]!, inner]);
  return linear(p.at("out_proj"), rows, inner, outChans);
}

/**
 * The map at four times its side: `[items * 16 * grid * grid, outChans / 8]`. Rows are cells, then
 * the four parts of each, then their four parts: the transposed convolutions do not overlap, so each
 * is a product of rows, and the pixels are put in order only once, at the end.
 */
function upscale(p: Parameters, keys: Tensor<"f32">, channels: number): Tensor<"f32"> {
  const wide = norm(p.at(1), double(p.at(0), keys, channels / 4), 1e-6);
  return gelu(double(p.at(3), gelu(wide), channels / 8));
}

/** A transposed convolution of kernel 2 and stride 2: every row becomes four. */
function double(p: Parameters, x: Tensor<"f32">, outputs: number): Tensor<"f32"> {
  const [rows, inputs] = x.shape as [number, number];
  const weight = permute(p.f32("weight", [inputs, outputs, 2, 2]), [0, 2, 3, 1]);
  const parts = matmul(x, reshape(weight, [inputs, 4 * outputs]));
  return add(reshape(parts, [4 * rows, outputs]), p.f32("bias", [outputs]));
}

/** weights `[items, masks, channels]` times the enlarged map, with its pixels in order. */
function weigh(
  weights: Tensor<"f32">,
  map: Tensor<"f32">,
  { imageSize, patchSize }: SamConfig,
): Tensor<"f32"> {
  const grid = imageSize / patchSize;
  const [items, masks, channels] = weights.shape as [number, number, number];
  const maps = reshape(map, [items, map.shape[0]! / items, channels]);
  const product = matmul(weights, maps, { transpose: "right" });
  // Rows of cells, of their halves, of the halves' halves; then columns in the same way.
  const nested = reshape(product, [items * masks, grid, grid, 2, 2, 2, 2]);
  return reshape(permute(nested, [0, 1, 3, 5, 2, 4, 6]), [items, masks, 4 * grid, 4 * grid]);
}
