/**
 * SAM's prompt encoder. Positions are sines and cosines of random frequencies; a point or a corner of
 * a box adds what kind of thing it is, a mask is convolved down to the embedding's map.
 */
import type { Parameters, Tensor } from "../../compiler/index.ts";
import {
  add,
  cast,
  concat,
  conv2d,
  cos,
  div,
  gather,
  gelu,
  iota,
  layerNorm2d,
  lt,
  maximum,
  mul,
  ne,
  permute,
  reshape,
  sin,
  slice,
  sub,
  where,
} from "../../ops/index.ts";
import type { SamConfig } from "./config.ts";

/**
 * Tokens `[slots, outChans]` of points and corners of boxes. `p` holds the parameters below
 * `prompt_encoder`.
 * @param points f32 `[slots, 2]`, x and y in pixels of the model's input.
 * @param labels i32 `[slots]`: -1 not a point, 0 and 1 points, 2 and 3 the corners of a box.
 */
export function encodePoints(
  p: Parameters,
  points: Tensor<"f32">,
  labels: Tensor<"i32">,
  { imageSize, outChans }: SamConfig,
): Tensor<"f32"> {
  const slots = points.shape[0]!;
  // Prompts name pixels; the encoding takes their centres, as a share of the input's side.
  const centre = div(add(points, 0.5), imageSize);
  const place = position(p, slice(centre, [[], [0, 1]]), slice(centre, [[], [1, 2]]), outChans);
  const kinds = [0, 1, 2, 3].map((kind) =>
    p.at("point_embeddings", kind).f32("weight", [1, outChans]),
  );
  const kind = gather(concat(kinds, 0), maximum(labels, 0));
  const none = p.at("not_a_point_embed").f32("weight", [1, outChans]);
  return where(lt(reshape(labels, [slots, 1]), 0), none, add(place, kind));
}

/** Where each cell of the map is, one row per cell: `[grid * grid, outChans]`. */
export function encodeGrid(
  p: Parameters,
  { imageSize, patchSize, outChans }: SamConfig,
): Tensor<"f32"> {
  const grid = imageSize / patchSize;
  const share = (axis: number) => {
    const centre = div(add(cast(iota([grid, grid], axis), "f32"), 0.5), grid);
    return reshape(centre, [grid * grid, 1]);
  };
  return position(p, share(1), share(0), outChans);
}

/** x and y `[count, 1]`, shares of the side from 0 to 1, to `[count, channels]`. */
function position(
  p: Parameters,
  x: Tensor<"f32">,
  y: Tensor<"f32">,
  channels: number,
): Tensor<"f32"> {
  const name = "positional_encoding_gaussian_matrix";
  const frequencies = p.at("pe_layer").f32(name, [2, channels / 2]);
  const turn = (share: Tensor<"f32">, axis: number) =>
    mul(sub(mul(share, 2), 1), slice(frequencies, [[axis, axis + 1]]));
  const angle = mul(add(turn(x, 0), turn(y, 1)), 2 * Math.PI);
  return concat([sin(angle), cos(angle)], 1);
}

/**
 * What mask prompts add to the embedding, rows of cells of each item: `[items * grid * grid, outChans]`.
 * @param mask f32 `[items, 1, 4 grid, 4 grid]` logits; an item's count only where `hasMask`, i32 `[items]`, is not 0.
 */
export function encodeMask(
  p: Parameters,
  mask: Tensor<"f32">,
  hasMask: Tensor<"i32">,
  { imageSize, patchSize, outChans, maskInChans }: SamConfig,
): Tensor<"f32"> {
  const items = mask.shape[0]!;
  const cells = (imageSize / patchSize) ** 2;
  const down = p.at("mask_downscaling");
  const narrow = maskInChans / 4;
  let x: Tensor<"f32"> = halve(down, 0, mask, narrow);
  x = halve(down, 3, x, maskInChans);
  const weight = down.at(6).f32("weight", [outChans, maskInChans, 1, 1]);
  x = conv2d(x, weight, { bias: down.at(6).f32("bias", [outChans]) });
  const rows = permute(reshape(x, [items, outChans, cells]), [0, 2, 1]);
  const none = p.at("no_mask_embed").f32("weight", [1, outChans]);
  const given = reshape(ne(hasMask, 0), [items, 1, 1]);
  return reshape(where(given, rows, none), [items * cells, outChans]);
}

/** Half the side: a convolution, its norm and the activation, numbered one after another. */
function halve(p: Parameters, index: number, x: Tensor<"f32">, outputs: number): Tensor<"f32"> {
  const weight = p.at(index).f32("weight", [outputs, x.shape[1]!, 2, 2]);
  const smaller = conv2d(x, weight, { stride: 2, bias: p.at(index).f32("bias", [outputs]) });
  const scale = p.at(index + 1);
  const [gamma, beta] = [scale.f32("weight", [outputs]), scale.f32("bias", [outputs])];
  return gelu(layerNorm2d(smaller, gamma, beta));
}
