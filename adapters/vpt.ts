/** Visual prompt tuning: learned tokens that the image's tokens attend to. */
import type { Init, Parameters, Site, Tensor } from "../compiler/index.ts";
import {
  add,
  attention,
  attentionWithStatistics,
  broadcastTo,
  concat,
  gelu,
  layerNorm,
  matmul,
  mean,
  mul,
  permute,
  reshape,
  sigmoid,
  slice,
  sub,
} from "../ops/index.ts";
import { defineAdapter, type Heads } from "./adapter.ts";
import { dropped } from "./noise.ts";
import { count, share, unfit } from "./refusals.ts";
import type { AdapterTests } from "./samples.ts";
import { settle } from "./settings.ts";

export interface VptOptions {
  /** Learned tokens, of every block or of the first: 12 unless given, the comparison's. */
  readonly tokens?: number;
  /** Of the prompts: 0 unless given. */
  readonly dropout?: number;
  /** Side of the encoder's patches, by which prompts are drawn: 16 unless given. */
  readonly patchSize?: number;
}

type Rows = Tensor<"f32">;

/**
 * VPT deep: each block has prompts of its own, `prompts` `[tokens, width]` beside the block's
 * attention.
 *
 * Left open for windowed attention: the prompts of a block are more keys and values of every
 * window. They pass the block's first norm and its qkv; no relative positions go to them. What they
 * would become as queries is thrown away at the next block, so it is never computed. Map and
 * prompts are attended to apart and merged by the statistics of both, which equals one softmax over
 * all keys. The norm's and qkv's own parameters are used as they are: adapters bound to those do
 * not see the prompts. The decoder takes the place of the classifier on the class token, which SAM
 * lacks.
 *
 * Prompts begin uniform within sqrt(6 / (3 patch² + width)). At places of kind `attention`.
 * @throws E134 for settings that cannot be.
 */
export function vptDeep(options: VptOptions = {}) {
  const { values, kept } = settled("vptDeep", options);
  return defineAdapter({
    name: "vpt-deep",
    ...kept,
    attention(site, heads) {
      const { shape } = heads.query;
      const prompts = promptsOf(site, site.own, shape[1]! * shape[3]!, values);
      const { key, value } = promptHeads(site.p, prompts, shape);
      return withPrompts(heads, repeated(key, shape[0]!), repeated(value, shape[0]!));
    },
  });
}

/**
 * VPT shallow: prompts `[tokens, width]` enter before the first block, at `blocks.0.prompts`, and
 * pass through all blocks like the image's tokens.
 *
 * Left open for windowed attention: every window attends to its image's prompts, as in the deep
 * form. As queries the prompts attend, in each window, to its tokens (padded ones too) and to
 * themselves, without relative positions; what they become is the mean over the image's windows.
 * The projection, the residuals and the MLP are the block's own, without adapters that are bound to
 * them. Behind the last block they are dropped.
 *
 * At places of kinds `block` and `attention`, both of every block.
 * @throws E134 for settings that cannot be, E131 where a pattern leaves out either kind.
 */
export function vptShallow(options: VptOptions = {}) {
  const { values, kept } = settled("vptShallow", options);
  // The trace goes from block to block; what a trace knows is dropped with it.
  const streams = new WeakMap<object, Stream>();
  return defineAdapter({
    name: "vpt-shallow",
    ...kept,
    block(site, x, base) {
      const { terms: trace } = site.own.scope;
      if (site.index === 0) {
        const learned = promptsOf(site, site.own, x.shape[1]!, values);
        const images = [site.map?.[0] ?? 1, ...(learned.shape as number[])];
        streams.set(trace, { prompts: broadcastTo(learned, images) });
      }
      const y = base(x);
      const { prompts, attended } = streams.get(trace) ?? {};
      if (!prompts || !attended) throw halfBound(site);
      streams.set(trace, { prompts: throughBlock(site, prompts, attended) });
      return y;
    },
    attention(site, heads) {
      const { terms: trace } = site.own.scope;
      const { prompts } = streams.get(trace) ?? {};
      if (!prompts) throw halfBound(site);
      const { shape } = heads.query;
      const { query, key, value } = promptHeads(site.p, prompts, shape);
      const [q, k, v] = [query, key, value].map((part) => repeated(part, shape[0]!));
      const all = attention(q!, concat([heads.key, k!], 2), concat([heads.value, v!], 2));
      streams.set(trace, { prompts, attended: meanOfWindows(all, prompts.shape[0]!) });
      return withPrompts(heads, k!, v!);
    },
  });
}

/** Prompts `[images, tokens, width]` before a block, and what its attention makes of them. */
interface Stream {
  readonly prompts: Rows;
  readonly attended?: Rows;
}

const halfBound = (site: Site) =>
  unfit(
    "vptShallow",
    site,
    "prompts pass from block to block, through the attention of each",
    'bind it to all blocks and what is in them: { where: "**.blocks.**" }',
  );

interface Settings {
  readonly tokens: number;
  readonly dropout: number;
  readonly patchSize: number;
}

const settled = (adapter: string, options: VptOptions) =>
  settle(adapter, options, {
    tokens: [12, count, "by shapes"],
    dropout: [0, share, "in training"],
    patchSize: [16, count, "in training"],
  });

function promptsOf(site: Site, own: Parameters, width: number, settings: Settings): Rows {
  const { tokens, dropout, patchSize } = settings;
  const bound = Math.sqrt(6 / (3 * patchSize ** 2 + width));
  const init: Init = { kind: "uniform", bound };
  return dropped(site, own.f32("prompts", [tokens, width], { init }), dropout);
}

/** Of the norms of vision transformers. */
const epsilon = 1e-6;

const affine = (p: Parameters, x: Rows, outputs: number): Rows => {
  const weight = p.f32("weight", [outputs, x.shape.at(-1)!]);
  const product = matmul(x, weight, { transpose: "right" });
  return add(product, p.f32("bias", [outputs]));
};

const norm = (p: Parameters, x: Rows): Rows => {
  const channels = x.shape.at(-1)!;
  return layerNorm(x, p.f32("weight", [channels]), p.f32("bias", [channels]), epsilon);
};

/**
 * Queries, keys and values of prompts `[(images,) tokens, width]`: `[images, heads, tokens,
 * depth]`. `p` holds the parameters of the block's attention.
 */
function promptHeads(p: Parameters, prompts: Rows, [, heads, , depth]: Rows["shape"]) {
  const [tokens, width] = prompts.shape.slice(-2) as [number, number];
  const qkv = affine(p.at("qkv"), norm(p.parent.at("norm1"), prompts), 3 * width);
  const rows = reshape(qkv, [qkv.shape.length === 3 ? qkv.shape[0]! : 1, tokens, 3 * width]);
  const [query, key, value] = [0, 1, 2].map((i) => {
    const third = slice(rows, [[], [], [i * width, (i + 1) * width]]);
    return permute(reshape(third, [rows.shape[0]!, tokens, heads!, depth!]), [0, 2, 1, 3]);
  });
  return { query: query!, key: key!, value: value! };
}

/** `[images, ...]`, each as often as it has windows: `[windows, ...]`. */
function repeated(x: Rows, windows: number): Rows {
  const [images, ...rest] = x.shape as readonly number[] as [number, ...number[]];
  const apart = reshape(x, [images, 1, ...rest]);
  return reshape(broadcastTo(apart, [images, windows / images, ...rest]), [windows, ...rest]);
}

/**
 * Attention to the map and to the prompts `[windows, heads, tokens, depth]`, as one softmax: each
 * softmax's share of the whole is its sum of exponentials over both.
 */
function withPrompts({ query, key, value, relative }: Heads, k: Rows, v: Rows): Rows {
  const map = attentionWithStatistics(query, key, value, relative ? { relative } : {});
  const prompts = attentionWithStatistics(query, k, v);
  const share = sigmoid(sub(prompts.statistics, map.statistics));
  const weight = reshape(share, [...(share.shape as number[]), 1]);
  return add(map.out, mul(weight, sub(prompts.out, map.out)));
}

/**
 * `[windows, heads, tokens, depth]` to the mean over an image's windows, `[images, tokens, width]`.
 */
function meanOfWindows(x: Rows, images: number): Rows {
  const [windows, heads, tokens, depth] = x.shape as [number, number, number, number];
  const apart = reshape(permute(x, [0, 2, 1, 3]), [
    images,
    windows / images,
    tokens,
    heads * depth,
  ]);
  return mean(apart, 1);
}

/** The rest of a block: projection, residual, and the MLP with its own. */
function throughBlock(site: Site, prompts: Rows, attended: Rows): Rows {
  const width = prompts.shape.at(-1)!;
  const { hidden } = site;
  if (typeof hidden !== "number")
    throw unfit(
      "vptShallow",
      site,
      "the model does not say how wide the block's MLP is",
      "give the fact hidden where the block is named",
    );
  const h = add(prompts, affine(site.p.at("attn", "proj"), attended, width));
  const wide = gelu(affine(site.p.at("mlp", "lin1"), norm(site.p.at("norm2"), h), hidden));
  return add(h, affine(site.p.at("mlp", "lin2"), wide, width));
}

export const tests: AdapterTests = {
  vptDeep: [{ adapter: () => vptDeep({ tokens: 3 }), unmergeable: "E160" }],
  vptShallow: [{ adapter: () => vptShallow({ tokens: 3, dropout: 0.4 }), unmergeable: "E160" }],
};
