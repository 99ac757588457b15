/**
 * SAM in plain double precision, loop by loop, after the published description: an oracle that
 * shares no code with the compiled programs. A map is `[height * width][channels]`, rows of numbers.
 */
import type { SamConfig } from "../../models/sam/config.ts";

/** A matrix as a list of rows. */
export type Rows = Float64Array[];
/** A parameter's values, row-major, by its key in the checkpoint. */
export type Lookup = (name: string) => Float64Array;

/**
 * The image encoder on one normalised image `[3, imageSize, imageSize]`. Every map it returns has
 * one row per grid cell.
 */
export function plainEncoder(config: SamConfig, at: Lookup, image: ArrayLike<number>) {
  const grid = config.imageSize / config.patchSize;
  const own: Lookup = (name) => at(`image_encoder.${name}`);
  const patchEmbed = patches(config, own, image, grid);
  const position = own("pos_embed");
  let x: Rows = patchEmbed.map((row, r) => row.map((v, c) => v + position[r * row.length + c]!));
  const blocks: Rows[] = [];
  for (let i = 0; i < config.depth; i++) {
    const window = config.globalAttnIndexes.includes(i) ? grid : config.windowSize;
    const block: Lookup = (name) => own(`blocks.${i}.${name}`);
    x = encoderBlock(block, x, { grid, window, heads: config.numHeads });
    blocks.push(x);
  }
  const narrow = norm(own, "neck.1", times(x, own("neck.0.weight"), config.outChans), 1e-6);
  const wide = convolve3x3(narrow, own("neck.2.weight"), grid);
  return { patchEmbed, blocks, output: norm(own, "neck.3", wide, 1e-6) };
}

export interface PlainPrompts {
  /** In pixels of the model's input. */
  readonly points: readonly (readonly [number, number])[];
  readonly labels: readonly number[];
  readonly box?: readonly [number, number, number, number];
  /** `[4 * grid, 4 * grid]` logits. */
  readonly mask?: ArrayLike<number>;
}

/** Prompt encoder and mask decoder on an embedding of one row per grid cell. */
export function plainDecoder(
  config: SamConfig,
  at: Lookup,
  embedding: Rows,
  prompts: PlainPrompts,
) {
  const grid = config.imageSize / config.patchSize;
  const sparse = promptTokens(config, at, prompts);
  const dense = promptMap(config, at, grid, prompts.mask);
  return { sparse, dense, ...plainMasks(config, at, plus(embedding, dense), sparse) };
}

/** The mask decoder alone: what is prompted is in the map, and in tokens of its own. */
export function plainMasks(config: SamConfig, at: Lookup, map: Rows, sparse: Rows) {
  const grid = config.imageSize / config.patchSize;
  const position = cells(grid).map(([x, y]) => place(at, (x + 0.5) / grid, (y + 0.5) / grid));
  const own: Lookup = (name) => at(`mask_decoder.${name}`);
  const [iouToken, maskTokens] = ["iou_token.weight", "mask_tokens.weight"].map((name) =>
    split(own(name), config.outChans),
  );
  const tokens = [...iouToken!, ...maskTokens!, ...sparse];
  const { queries, keys } = twoWay(config, own, tokens, map, position);
  const upscaled = upscale(own, keys, grid);
  const masks = maskTokens!.map((_, m) => {
    const h = mlp(own, `output_hypernetworks_mlps.${m}`, [queries[1 + m]!], 3)[0]!;
    return Float64Array.from(upscaled, (u) => dot(u, h));
  });
  const iou = mlp(own, "iou_prediction_head", [queries[0]!], config.iouHeadDepth)[0]!;
  return { masks, iou, queries };
}

function patches(
  { patchSize, imageSize, embedDim }: SamConfig,
  own: Lookup,
  image: ArrayLike<number>,
  grid: number,
): Rows {
  const weight = own("patch_embed.proj.weight");
  const bias = own("patch_embed.proj.bias");
  return cells(grid).map(([gx, gy]) =>
    Float64Array.from({ length: embedDim }, (_, o) => {
      let sum = bias[o]!;
      for (let c = 0; c < 3; c++)
        for (let y = 0; y < patchSize; y++)
          for (let x = 0; x < patchSize; x++) {
            const pixel = (c * imageSize + gy * patchSize + y) * imageSize + gx * patchSize + x;
            sum += image[pixel]! * weight[((o * 3 + c) * patchSize + y) * patchSize + x]!;
          }
      return sum;
    }),
  );
}

interface BlockSizes {
  readonly grid: number;
  readonly window: number;
  readonly heads: number;
}

function encoderBlock(own: Lookup, x: Rows, { grid, window, heads }: BlockSizes): Rows {
  const depth = x[0]!.length;
  const normed = norm(own, "norm1", x, 1e-6);
  const attended: Rows = x.map(() => new Float64Array(depth));
  for (let wy = 0; wy < grid; wy += window)
    for (let wx = 0; wx < grid; wx += window) {
      // What lies beyond the map is zero after the norm, and takes part all the same.
      const places = cells(window).map(([dx, dy]) =>
        wx + dx < grid && wy + dy < grid ? (wy + dy) * grid + wx + dx : undefined,
      );
      const inside = places.map((p) => (p === undefined ? new Float64Array(depth) : normed[p]!));
      const out = windowAttention(own, inside, window, heads);
      places.forEach((p, i) => {
        if (p !== undefined) attended[p] = out[i]!;
      });
    }
  const h = plus(x, attended);
  const hidden = linear(own, "mlp.lin1", norm(own, "norm2", h, 1e-6)).map((row) => row.map(gelu));
  return plus(h, linear(own, "mlp.lin2", hidden));
}

function windowAttention(own: Lookup, x: Rows, size: number, heads: number): Rows {
  const width = x[0]!.length;
  const depth = width / heads;
  const qkv = linear(own, "attn.qkv", x);
  const [tall, wide] = ["h", "w"].map((axis) => split(own(`attn.rel_pos_${axis}`), depth));
  const out: Rows = x.map(() => new Float64Array(width));
  for (let head = 0; head < heads; head++) {
    const part = (third: number) =>
      qkv.map((row) =>
        row.subarray(third * width + head * depth, third * width + (head + 1) * depth),
      );
    const [q, k, v] = [part(0), part(1), part(2)];
    q.forEach((qi, i) => {
      const scores = k.map((kj, j) => {
        const down = Math.floor(i / size) - Math.floor(j / size) + size - 1;
        const right = (i % size) - (j % size) + size - 1;
        return dot(qi, kj) / Math.sqrt(depth) + dot(qi, tall![down]!) + dot(qi, wide![right]!);
      });
      mix(scores, v, out[i]!.subarray(head * depth, (head + 1) * depth));
    });
  }
  return linear(own, "attn.proj", out);
}

/** The position of a point of the unit square: sines, then cosines, of random frequencies. */
function place(at: Lookup, x: number, y: number): Float64Array {
  const gaussian = at("prompt_encoder.pe_layer.positional_encoding_gaussian_matrix");
  const half = gaussian.length / 2;
  const angles = Array.from(
    { length: half },
    (_, i) => 2 * Math.PI * ((2 * x - 1) * gaussian[i]! + (2 * y - 1) * gaussian[half + i]!),
  );
  return Float64Array.from([...angles.map(Math.sin), ...angles.map(Math.cos)]);
}

function promptTokens(config: SamConfig, at: Lookup, { points, labels, box }: PlainPrompts): Rows {
  const own: Lookup = (name) => at(`prompt_encoder.${name}.weight`);
  const token = (x: number, y: number, kind: number): Float64Array => {
    if (kind < 0) return own("not_a_point_embed");
    const shift = own(`point_embeddings.${kind}`);
    const size = config.imageSize;
    return place(at, (x + 0.5) / size, (y + 0.5) / size).map((v, c) => v + shift[c]!);
  };
  const tokens = points.map(([x, y], i) => token(x, y, labels[i]!));
  if (points.length > 0 && !box) tokens.push(token(0, 0, -1));
  if (box) tokens.push(token(box[0], box[1], 2), token(box[2], box[3], 3));
  return tokens;
}

function promptMap(config: SamConfig, at: Lookup, grid: number, mask?: ArrayLike<number>): Rows {
  const own: Lookup = (name) => at(`prompt_encoder.${name}`);
  if (!mask) return cells(grid).map(() => own("no_mask_embed.weight"));
  const pixels = cells(4 * grid).map((_, i) => Float64Array.of(mask[i]!));
  let x = halve(own, "mask_downscaling.0", pixels, 4 * grid, config.maskInChans / 4);
  x = norm(own, "mask_downscaling.1", x, 1e-6).map((row) => row.map(gelu));
  x = halve(own, "mask_downscaling.3", x, 2 * grid, config.maskInChans);
  x = norm(own, "mask_downscaling.4", x, 1e-6).map((row) => row.map(gelu));
  return linear(own, "mask_downscaling.6", x);
}

/** A convolution of kernel 2 and stride 2. */
function halve(own: Lookup, name: string, x: Rows, side: number, outputs: number): Rows {
  const weight = own(`${name}.weight`);
  const bias = own(`${name}.bias`);
  const inputs = x[0]!.length;
  return cells(side / 2).map(([cx, cy]) =>
    Float64Array.from({ length: outputs }, (_, o) => {
      let sum = bias[o]!;
      for (let i = 0; i < inputs; i++)
        for (const [dx, dy] of cells(2))
          sum +=
            x[(2 * cy + dy) * side + 2 * cx + dx]![i]! *
            weight[((o * inputs + i) * 2 + dy) * 2 + dx]!;
      return sum;
    }),
  );
}

/** A transposed convolution of kernel 2 and stride 2: every cell becomes four. */
function double(own: Lookup, name: string, x: Rows, side: number): Rows {
  const weight = own(`${name}.weight`);
  const bias = own(`${name}.bias`);
  return cells(2 * side).map(([cx, cy]) => {
    const from = x[(cy >> 1) * side + (cx >> 1)]!;
    const tap = (cy % 2) * 2 + (cx % 2);
    return bias.map((b, o) =>
      from.reduce((sum, v, i) => sum + v * weight[(i * bias.length + o) * 4 + tap]!, b),
    );
  });
}

function twoWay(config: SamConfig, own: Lookup, tokens: Rows, map: Rows, position: Rows) {
  const heads = config.decoderNumHeads;
  let [queries, keys] = [tokens, map];
  for (let i = 0; i < config.decoderDepth; i++) {
    const layer: Lookup = (name) => own(`transformer.layers.${i}.${name}`);
    const self = i === 0 ? queries : plus(queries, tokens);
    const selfOut = attend(layer, "self_attn", self, self, queries, heads);
    queries = norm(layer, "norm1", i === 0 ? selfOut : plus(queries, selfOut));
    const place = plus(keys, position);
    const seen = attend(
      layer,
      "cross_attn_token_to_image",
      plus(queries, tokens),
      place,
      keys,
      heads,
    );
    queries = norm(layer, "norm2", plus(queries, seen));
    queries = norm(layer, "norm3", plus(queries, mlp2(layer, queries)));
    const back = attend(
      layer,
      "cross_attn_image_to_token",
      place,
      plus(queries, tokens),
      queries,
      heads,
    );
    keys = norm(layer, "norm4", plus(keys, back));
  }
  const last: Lookup = (name) => own(`transformer.${name}`);
  const seen = attend(
    last,
    "final_attn_token_to_image",
    plus(queries, tokens),
    plus(keys, position),
    keys,
    heads,
  );
  return { queries: norm(last, "norm_final_attn", plus(queries, seen)), keys };
}

function attend(own: Lookup, name: string, query: Rows, key: Rows, value: Rows, heads: number) {
  const [q, k, v] = (["q", "k", "v"] as const).map((part, i) =>
    linear(own, `${name}.${part}_proj`, [query, key, value][i]!),
  ) as [Rows, Rows, Rows];
  const depth = q[0]!.length / heads;
  const out: Rows = q.map((row) => new Float64Array(row.length));
  for (let head = 0; head < heads; head++) {
    const part = (rows: Rows) => rows.map((row) => row.subarray(head * depth, (head + 1) * depth));
    const [qh, kh, vh] = [part(q), part(k), part(v)];
    qh.forEach((qi, i) => {
      const scores = kh.map((kj) => dot(qi, kj) / Math.sqrt(depth));
      mix(scores, vh, out[i]!.subarray(head * depth, (head + 1) * depth));
    });
  }
  return linear(own, `${name}.out_proj`, out);
}

function upscale(own: Lookup, keys: Rows, grid: number): Rows {
  const first = norm(
    own,
    "output_upscaling.1",
    double(own, "output_upscaling.0", keys, grid),
    1e-6,
  );
  const wide = first.map((row) => row.map(gelu));
  return double(own, "output_upscaling.3", wide, 2 * grid).map((row) => row.map(gelu));
}

const mlp2 = (own: Lookup, x: Rows) =>
  linear(
    own,
    "mlp.lin2",
    linear(own, "mlp.lin1", x).map((row) => row.map(relu)),
  );

function mlp(own: Lookup, name: string, x: Rows, layers: number): Rows {
  for (let i = 0; i < layers; i++) {
    x = linear(own, `${name}.layers.${i}`, x);
    if (i < layers - 1) x = x.map((row) => row.map(relu));
  }
  return x;
}

/** softmax(scores) times `values`, into `out`. */
function mix(scores: readonly number[], values: Rows, out: Float64Array): void {
  const most = Math.max(...scores);
  const shares = scores.map((s) => Math.exp(s - most));
  const total = shares.reduce((a, b) => a + b, 0);
  shares.forEach((share, j) => {
    for (let c = 0; c < out.length; c++) out[c]! += (share / total) * values[j]![c]!;
  });
}

/** `[x, y]` of a square of cells, row by row. */
const cells = (side: number): [number, number][] =>
  Array.from({ length: side * side }, (_, i) => [i % side, Math.floor(i / side)]);

export const split = (data: Float64Array, width: number): Rows =>
  Array.from({ length: data.length / width }, (_, i) => data.subarray(i * width, (i + 1) * width));

const plus = (a: Rows, b: Rows): Rows => a.map((row, r) => row.map((v, c) => v + b[r]![c]!));
const relu = (x: number) => Math.max(0, x);

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Rows times a `[outputs, inputs]` weight. */
const times = (x: Rows, weight: Float64Array, outputs: number): Rows => {
  const columns = split(weight, weight.length / outputs);
  return x.map((row) => Float64Array.from(columns, (column) => dot(row, column)));
};

function linear(own: Lookup, name: string, x: Rows): Rows {
  const bias = own(`${name}.bias`);
  return times(x, own(`${name}.weight`), bias.length).map((row) => row.map((v, o) => v + bias[o]!));
}

function norm(own: Lookup, name: string, x: Rows, epsilon = 1e-5): Rows {
  const [weight, bias] = [own(`${name}.weight`), own(`${name}.bias`)];
  return x.map((row) => {
    const mean = row.reduce((a, b) => a + b, 0) / row.length;
    const spread = row.reduce((a, b) => a + (b - mean) ** 2, 0) / row.length;
    return row.map((v, c) => ((v - mean) / Math.sqrt(spread + epsilon)) * weight[c]! + bias[c]!);
  });
}

function convolve3x3(x: Rows, weight: Float64Array, side: number): Rows {
  const inputs = x[0]!.length;
  const outputs = weight.length / inputs / 9;
  return cells(side).map(([cx, cy]) =>
    Float64Array.from({ length: outputs }, (_, o) => {
      let sum = 0;
      for (const [dx, dy] of cells(3)) {
        const [sx, sy] = [cx + dx - 1, cy + dy - 1];
        if (sx < 0 || sy < 0 || sx >= side || sy >= side) continue;
        const from = x[sy * side + sx]!;
        for (let i = 0; i < inputs; i++)
          sum += from[i]! * weight[((o * inputs + i) * 3 + dy) * 3 + dx]!;
      }
      return sum;
    }),
  );
}

/** x * Phi(x), with the error function summed to double precision. */
function gelu(x: number): number {
  return 0.5 * x * (1 + erf(x / Math.SQRT2));
}

/** Its Taylor series near zero, a continued fraction far from it. */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  if (Math.abs(x) < 3) {
    let [term, sum] = [x, x];
    for (let n = 1; n < 100 && Math.abs(term) > 1e-17; n++) {
      term *= (-x * x) / n;
      sum += term / (2 * n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let n = 60; n >= 1; n--) fraction = n / 2 / (Math.abs(x) + fraction);
  const tail = Math.exp(-x * x) / (Math.sqrt(Math.PI) * (Math.abs(x) + fraction));
  return Math.sign(x) * (1 - tail);
}
