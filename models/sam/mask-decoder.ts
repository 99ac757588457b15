/**
 * SAM's mask decoder: a few tokens (one for the quality, one for each mask, the prompts) and the
 * image's map attend to each other; the tokens then say how to weigh the enlarged map's channels.
 * Tokens and map are rows of channels. There may be more slots than tokens: those beyond `count` are
 * computed, but nobody attends to them.
 */
import type { Parameters, Tensor } from "../../compiler/index.ts";
import {
  add,
  attention,
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
  /** `[grid * grid, outChans]`: the embedding plus the mask prompt. */
  readonly map: Tensor<"f32">;
  /** `[grid * grid, outChans]`: where each cell is. */
  readonly position: Tensor<"f32">;
  /** `[slots, outChans]`. */
  readonly prompts: Tensor<"f32">;
  /** i32 `[1]`: how many of the slots are prompts. */
  readonly count: Tensor<"i32">;
}

export interface DecodedMasks {
  /** `[masks, 4 grid, 4 grid]` logits: the single mask, then the others. */
  readonly logits: Tensor<"f32">;
  /** `[masks]`. */
  readonly iou: Tensor<"f32">;
}

/** `p` holds the parameters below `mask_decoder`. */
export function decodeMasks(p: Parameters, inputs: DecoderInputs, config: SamConfig): DecodedMasks {
  const { outChans, numMultimaskOutputs, iouHeadHiddenDim, iouHeadDepth } = config;
  const masks = 1 + numMultimaskOutputs;
  const own = [
    p.at("iou_token").f32("weight", [1, outChans]),
    p.at("mask_tokens").f32("weight", [masks, outChans]),
  ];
  const tokens = concat([...own, inputs.prompts], 0);
  const unused = unusedKeys(tokens.shape[0]!, 1 + masks, inputs.count);
  const { queries, keys } = twoWay(p.at("transformer"), tokens, unused, inputs, config);

  const row = (i: number) => slice(queries, [[i, i + 1]]);
  const hidden = Array<number>(iouHeadDepth - 1).fill(iouHeadHiddenDim);
  const iou = perceptron(p.at("iou_prediction_head"), row(0), [outChans, ...hidden, masks]);
  const sizes = [outChans, outChans, outChans, outChans / 8];
  const weights = Array.from({ length: masks }, (_, m) =>
    perceptron(p.at("output_hypernetworks_mlps", m), row(1 + m), sizes),
  );
  const logits = weigh(
    concat(weights, 0),
    upscale(p.at("output_upscaling"), keys, outChans),
    config,
  );
  return { logits, iou: reshape(iou, [masks]) };
}

/** A bias for scores, `[1, 1, 1, tokens]`, that shuts out slots that hold no prompt. */
function unusedKeys(tokens: number, own: number, count: Tensor<"i32">): Tensor<"f32"> {
  const slot = iota([tokens], 0);
  const bias = where(ge(slot, add(count, own)), -1e30, 0);
  return reshape(bias, [1, 1, 1, tokens]);
}

function twoWay(
  p: Parameters,
  tokens: Tensor<"f32">,
  unused: Tensor<"f32">,
  { map, position }: DecoderInputs,
  config: SamConfig,
) {
  const { decoderDepth, outChans, decoderMlpDim } = config;
  let queries = tokens;
  let keys = map;
  for (let i = 0; i < decoderDepth; i++) {
    const layer = p.at("layers", i);
    const cross = (
      name: string,
      q: Tensor<"f32">,
      k: Tensor<"f32">,
      v: Tensor<"f32">,
      bias?: Tensor<"f32">,
    ) => attend(layer.at(name), q, k, v, { config, inner: outChans / 2, bias });
    const self = i === 0 ? queries : add(queries, tokens);
    const inner = { config, inner: outChans, bias: unused };
    const seen = attend(layer.at("self_attn"), self, self, queries, inner);
    // The first layer forgets what the tokens were: they come back as their own positions.
    queries = norm(layer.at("norm1"), i === 0 ? seen : add(queries, seen), epsilon);
    const places = add(keys, position);
    const read = cross("cross_attn_token_to_image", add(queries, tokens), places, keys);
    queries = norm(layer.at("norm2"), add(queries, read), epsilon);
    const wide = relu(linear(layer.at("mlp", "lin1"), queries, outChans, decoderMlpDim));
    const narrow = linear(layer.at("mlp", "lin2"), wide, decoderMlpDim, outChans);
    queries = norm(layer.at("norm3"), add(queries, narrow), epsilon);
    const named = add(queries, tokens);
    const told = cross("cross_attn_image_to_token", places, named, queries, unused);
    keys = norm(layer.at("norm4"), add(keys, told), epsilon);
  }
  const [q, k] = [add(queries, tokens), add(keys, position)];
  const read = attend(p.at("final_attn_token_to_image"), q, k, keys, {
    config,
    inner: outChans / 2,
  });
  return { queries: norm(p.at("norm_final_attn"), add(queries, read), epsilon), keys };
}

interface Attending {
  readonly config: SamConfig;
  /** Channels of queries, keys and values, all heads together. */
  readonly inner: number;
  readonly bias?: Tensor<"f32"> | undefined;
}

/** Rows to rows: projections, attention of several heads, and the projection back. */
function attend(
  p: Parameters,
  query: Tensor<"f32">,
  key: Tensor<"f32">,
  value: Tensor<"f32">,
  { config: { outChans, decoderNumHeads: heads }, inner, bias }: Attending,
): Tensor<"f32"> {
  const project = (name: string, x: Tensor<"f32">) => {
    const y = linear(p.at(name), x, outChans, inner);
    return permute(reshape(y, [1, x.shape[0]!, heads, inner / heads]), [0, 2, 1, 3]);
  };
  const [q, k, v] = [project("q_proj", query), project("k_proj", key), project("v_proj", value)];
  const out = attention(q, k, v, bias ? { bias } : {});
  const rows = reshape(permute(out, [0, 2, 1, 3]), [query.shape[0]!, inner]);
  return linear(p.at("out_proj"), rows, inner, outChans);
}

/**
 * The map at four times its side: `[16 * grid * grid, outChans / 8]`. Rows are cells, then the four
 * parts of each, then their four parts: the transposed convolutions do not overlap, so each is a
 * product of rows, and the pixels are put in order only once, at the end.
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

/** weights `[masks, channels]` times the enlarged map, with its pixels in order. */
function weigh(
  weights: Tensor<"f32">,
  map: Tensor<"f32">,
  { imageSize, patchSize }: SamConfig,
): Tensor<"f32"> {
  const grid = imageSize / patchSize;
  const masks = weights.shape[0]!;
  const product = matmul(weights, map, { transpose: "right" });
  // Rows of cells, of their halves, of the halves' halves; then columns in the same way.
  const nested = reshape(product, [masks, grid, grid, 2, 2, 2, 2]);
  return reshape(permute(nested, [0, 1, 3, 5, 2, 4, 6]), [masks, 4 * grid, 4 * grid]);
}
