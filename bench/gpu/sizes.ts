/** What is timed, on a GPU and on a software device. */
import { type SamConfig, samPresets } from "../../models/index.ts";
import type { Scale } from "./part.ts";

/** Rows, depth, columns. */
export type Product = readonly [m: number, k: number, n: number];

export interface Heads {
  /** Images or windows. */
  readonly maps: number;
  readonly heads: number;
  /** The tokens lie on a square of this side. */
  readonly grid: number;
  readonly depth: number;
}

export interface Model {
  readonly name: string;
  readonly config: SamConfig;
}

export interface Sizes {
  readonly products: readonly Product[];
  readonly attentions: readonly Heads[];
  readonly models: readonly Model[];
  readonly trained: readonly Model[];
}

const vitB: Model = { name: "SAM ViT-B", config: samPresets.vit_b };
const vitH: Model = { name: "SAM ViT-H", config: samPresets.vit_h };
const little: Model = {
  name: "a little SAM",
  config: {
    ...samPresets.vit_b,
    ...{ imageSize: 96, embedDim: 48, depth: 2, numHeads: 2, windowSize: 4 },
    ...{ globalAttnIndexes: [1], outChans: 32 },
  },
};

export const sizes: Readonly<Record<Scale, Sizes>> = {
  full: {
    products: [
      // ViT-B's layers at 1024 pixels: qkv, the projection, the perceptron. Then ViT-H's.
      ...([
        [4096, 768, 2304],
        [4096, 768, 768],
        [4096, 768, 3072],
        [4096, 3072, 768],
      ] as const),
      ...([
        [4096, 1280, 3840],
        [4096, 1280, 5120],
        [4096, 5120, 1280],
      ] as const),
      ...([
        [1024, 1024, 1024],
        [4096, 4096, 4096],
        [8192, 8192, 8192],
      ] as const),
    ],
    attentions: [
      { maps: 1, heads: 12, grid: 64, depth: 64 },
      { maps: 25, heads: 12, grid: 14, depth: 64 },
      { maps: 1, heads: 16, grid: 64, depth: 80 },
      { maps: 25, heads: 16, grid: 14, depth: 80 },
    ],
    models: [vitB, vitH],
    trained: [vitB, vitH],
  },
  small: {
    products: [
      [196, 384, 384],
      [61, 67, 71],
    ],
    attentions: [{ maps: 2, heads: 2, grid: 7, depth: 16 }],
    models: [little],
    trained: [little],
  },
};

export const productName = ([m, k, n]: Product): string => `matmul ${m} x ${k} x ${n}`;

export const attentionName = ({ maps, heads, grid, depth }: Heads): string =>
  `attention, ${maps} x ${heads} heads, ${grid * grid} tokens, ${depth} dims, relative positions`;
