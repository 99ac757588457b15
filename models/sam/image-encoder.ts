/**
 * SAM's image encoder: a vision transformer whose blocks attend within windows, a few of them to the
 * whole map. The map is kept as rows, one per patch, so that every product is one matrix product;
 * windows, heads and the crop behind them are views.
 */

import { type Heads, site } from "../../adapters/adapter.ts";
import type { Parameters, Tensor } from "../../compiler/index.ts";
import {
  add,
  attention,
  conv2d,
  gelu,
  layerNorm2d,
  matmul,
  pad,
  permute,
  resample,
  reshape,
  slice,
} from "../../ops/index.ts";
import { linear, norm } from "../layers.ts";
import { encoderMlpDim, type SamConfig } from "./config.ts";
import { isGlobal } from "./tensors.ts";

const epsilon = 1e-6;

export interface EncodedImage {
  /** `[batch, outChans, grid, grid]`. */
  readonly embedding: Tensor<"f32">;
  /** `[batch, grid, grid, embedDim]`: the patches before their positions are added. */
  readonly patches: Tensor<"f32">;
  /** `[batch, grid, grid, embedDim]` behind each block. */
  readonly blocks: readonly Tensor<"f32">[];
}

/**
 * Encodes normalised, padded images `[batch, 3, imageSize, imageSize]`. `p` holds the parameters
 * below `image_encoder`. `tableRows` tells how many rows a table of relative positions has in the
 * checkpoint, by its path, where they are not 2 * size - 1.
 */
export function encodeImage(
  p: Parameters,
  image: Tensor<"f32">,
  config: SamConfig,
  tableRows: ReadonlyMap<string, number> = new Map(),
): EncodedImage {
  const { tokens, facts, oneBlock, asMap, embed } = partsOfEncoder(p, image, config, tableRows);
  const trunk = (first: Tensor<"f32">) => {
    const outputs: Tensor<"f32">[] = [];
    for (let i = 0; i < config.depth; i++) outputs.push(oneBlock(outputs.at(-1) ?? first, i));
    return outputs;
  };
  const blocks = site("trunk", p.at("blocks"), tokens, trunk, facts);
  const [patches, all] = [asMap(facts.patches), blocks.map(asMap)];
  return { embedding: embed(blocks.at(-1)!), patches, blocks: all };
}

/** An encoder in parts, for models that do more between its blocks; as `encodeImage` otherwise. */
export function partsOfEncoder(
  p: Parameters,
  image: Tensor<"f32">,
  config: SamConfig,
  tableRows: ReadonlyMap<string, number> = new Map(),
) {
  const batch = image.shape[0]!;
  const grid = config.imageSize / config.patchSize;
  const { embedDim } = config;
  const patches = embedPatches(p.at("patch_embed", "proj"), image, config);
  const positions = reshape(p.f32("pos_embed", [1, grid, grid, embedDim]), [grid * grid, embedDim]);
  const placed = add(reshape(patches, [batch, grid * grid, embedDim]), positions);
  const hidden = encoderMlpDim(config);
  const facts = { map: [batch, grid, grid], patches, image, hidden } as const;
  const asMap = (rows: Tensor<"f32">) => reshape(rows, [batch, grid, grid, embedDim]);
  return {
    /** `[batch * grid * grid, embedDim]`, before the first block. */
    tokens: reshape(placed, [batch * grid * grid, embedDim]) as Tensor<"f32">,
    facts,
    asMap,
    oneBlock(before: Tensor<"f32">, i: number): Tensor<"f32"> {
      const window = isGlobal(config, i) ? grid : config.windowSize;
      const cut = { batch, grid, window };
      const one = (rows: Tensor<"f32">) => block(p.at("blocks", i), rows, config, cut, tableRows);
      return site("block", p.at("blocks", i), before, one, { ...facts, index: i });
    },
    /** `[batch, outChans, grid, grid]` from what is behind the last block. */
    embed: (rows: Tensor<"f32">) => neck(p.at("neck"), asMap(rows), config),
  };
}

/** A patch is a row: `[batch * grid * grid, 3 * patch * patch]` times the convolution's kernel. */
function embedPatches(p: Parameters, image: Tensor<"f32">, config: SamConfig): Tensor<"f32"> {
  const { imageSize, patchSize: side, embedDim } = config;
  const batch = image.shape[0]!;
  const grid = imageSize / side;
  const split = reshape(image, [batch, 3, grid, side, grid, side]);
  const inputs = 3 * side * side;
  const rows = reshape(permute(split, [0, 2, 4, 1, 3, 5]), [batch * grid * grid, inputs]);
  const base = (x: Tensor<"f32">) => {
    const weight = reshape(p.f32("weight", [embedDim, 3, side, side]), [embedDim, inputs]);
    return add(matmul(x, weight, { transpose: "right" }), p.f32("bias", [embedDim]));
  };
  return site("linear", p, rows, base, { inputs, outputs: embedDim });
}

/** How the map is cut: `across` windows of side `window` along each axis, the last ones padded. */
interface Cut {
  readonly batch: number;
  readonly grid: number;
  readonly window: number;
}

function block(
  p: Parameters,
  x: Tensor<"f32">,
  config: SamConfig,
  cut: Cut,
  tableRows: ReadonlyMap<string, number>,
): Tensor<"f32"> {
  const { embedDim } = config;
  // Padding comes behind the norm: a padded token is zero, so its query, key and value are the bias.
  const inside = toWindows(norm(p.at("norm1"), x, epsilon), cut);
  const attended = toMap(attend(p.at("attn"), inside, config, cut.window, tableRows), cut);
  const facts = { map: [cut.batch, cut.grid, cut.grid] } as const;
  const h = add(x, linear(p.at("attn", "proj"), attended, embedDim, embedDim, facts));
  const hidden = encoderMlpDim(config);
  const normed = norm(p.at("norm2"), h, epsilon);
  const wide = gelu(linear(p.at("mlp", "lin1"), normed, embedDim, hidden, facts));
  return add(h, linear(p.at("mlp", "lin2"), wide, hidden, embedDim, facts));
}

/** `[windows * window * window, embedDim]`, window by window, to the same before the projection. */
function attend(
  p: Parameters,
  x: Tensor<"f32">,
  { embedDim, numHeads }: SamConfig,
  window: number,
  tableRows: ReadonlyMap<string, number>,
): Tensor<"f32"> {
  const depth = embedDim / numHeads;
  const tokens = window * window;
  const windows = x.shape[0]! / tokens;
  const map = [windows, window, window] as const;
  const qkv = linear(p.at("qkv"), x, embedDim, 3 * embedDim, { map });
  const third = (i: number) => {
    const part = slice(qkv, [[], [i * embedDim, (i + 1) * embedDim]]);
    return permute(reshape(part, [windows, tokens, numHeads, depth]), [0, 2, 1, 3]);
  };
  const table = (name: string) =>
    relativeTable(p, name, tableRows.get(`${p.path}.${name}`), [2 * window - 1, depth]);
  const [height, width] = [table("rel_pos_h"), table("rel_pos_w")];
  const relative = { height, width, grid: [window, window] as const };
  const heads = { query: third(0), key: third(1), value: third(2), relative };
  const out = site("attention", p, heads, plainAttention, { map });
  return reshape(permute(out, [0, 2, 1, 3]), [windows * tokens, embedDim]);
}

const plainAttention = ({ query, key, value, relative }: Heads) =>
  attention(query, key, value, relative ? { relative } : {});

/** A table of another length is interpolated linearly along its rows. */
function relativeTable(
  p: Parameters,
  name: string,
  rows: number | undefined,
  [wanted, depth]: readonly [number, number],
): Tensor<"f32"> {
  if (rows === undefined || rows === wanted) return p.f32(name, [wanted, depth]);
  const map = reshape(p.f32(name, [rows, depth]), [1, 1, rows, depth]);
  const resized = resample(map, { size: [wanted, depth], mode: "bilinear" });
  return reshape(resized, [wanted, depth]);
}

/** Rows of the map to rows of padded windows. */
function toWindows(x: Tensor<"f32">, { batch, grid, window }: Cut): Tensor<"f32"> {
  if (window === grid) return x;
  const across = Math.ceil(grid / window);
  const depth = x.shape[1]!;
  const missing = across * window - grid;
  const map = reshape(x, [batch, grid, grid, depth]);
  const padded = pad(map, [[], [0, missing], [0, missing]]);
  const cut = reshape(padded, [batch, across, window, across, window, depth]);
  const rows = batch * across * across * window * window;
  return reshape(permute(cut, [0, 1, 3, 2, 4, 5]), [rows, depth]);
}

/** The way back: rows of windows to rows of the map, without the padding. */
function toMap(x: Tensor<"f32">, { batch, grid, window }: Cut): Tensor<"f32"> {
  if (window === grid) return x;
  const across = Math.ceil(grid / window);
  const depth = x.shape[1]!;
  const side = across * window;
  const windows = reshape(x, [batch, across, across, window, window, depth]);
  const joined = reshape(permute(windows, [0, 1, 3, 2, 4, 5]), [batch, side, side, depth]);
  const cropped = slice(joined, [[], [0, grid], [0, grid]]);
  return reshape(cropped, [batch * grid * grid, depth]);
}

/** `[batch, grid, grid, embedDim]` to the embedding, `[batch, outChans, grid, grid]`. */
function neck(p: Parameters, map: Tensor<"f32">, { embedDim, outChans }: SamConfig): Tensor<"f32"> {
  const weight = reshape(p.at(0).f32("weight", [outChans, embedDim, 1, 1]), [outChans, embedDim]);
  const narrow = norm(p.at(1), matmul(map, weight, { transpose: "right" }), epsilon);
  const kernel = p.at(2).f32("weight", [outChans, outChans, 3, 3]);
  const wide = conv2d(permute(narrow, [0, 3, 1, 2]), kernel, { padding: 1 });
  const [gamma, beta] = [p.at(3).f32("weight", [outChans]), p.at(3).f32("bias", [outChans])];
  return layerNorm2d(wide, gamma, beta, epsilon);
}
