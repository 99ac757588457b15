/**
 * What makes an adapter testable: samples of it, each on a small model. One walker over all adapters
 * checks derivatives, files, sessions, merging and exports from them.
 */

import type { Tensor } from "../compiler/index.ts";
import {
  type Adapter,
  defineModel,
  input,
  type Model,
  type Parameters,
} from "../compiler/index.ts";
import type { Code } from "../diagnostics/index.ts";
import { add, attention, gelu, layerNorm, matmul, permute, reshape, slice } from "../ops/index.ts";
import { type Heads, site } from "./adapter.ts";

export interface AdapterSample {
  /** What it shows, where that is not plain. */
  readonly claim?: string;
  readonly adapter: () => Adapter;
  /** `sampleModel` unless given. */
  readonly model?: Model;
  /** Where on the model: everywhere unless given. */
  readonly where?: string | readonly string[];
  /** The code with which merging refuses it. Unless given, the merged model must compute the same. */
  readonly unmergeable?: Code;
  /** The code with which an export to ONNX refuses it. Unless given, it must be exported. */
  readonly unexportable?: Code;
}

/**
 * By the name under which a file exports its adapter, one or more samples:
 * `export const tests: AdapterTests = { lora: [{ adapter: () => lora({ rank: 2 }) }] }`.
 */
export type AdapterTests = Readonly<Record<string, readonly [AdapterSample, ...AdapterSample[]]>>;

type Rows = Tensor<"f32">;

/** Rows and columns of patches, the side of a patch, features of a token and inside the MLP. */
const [height, width, side, features, hidden] = [2, 3, 2, 4, 6];
const tokens = height * width;
const [heads, depth] = [2, features / 2];

/**
 * A small vision transformer that names every kind of place: patches of an image `[1, 3, 4, 6]`, two
 * blocks with two heads, the first of which attends within rows of the map, and a linear `head`. It
 * computes the second of several tasks, for adapters that tell tasks apart.
 */
export const sampleModel: Model = defineModel({
  name: "sample",
  build(all) {
    const p = all.forTask(1);
    const image: Rows = input("image", "f32", [1, 3, height * side, width * side]);
    const patches = embed(p.at("patch_embed"), image);
    const facts = { map: [1, height, width], patches, image, hidden } as const;
    const trunk = (first: Rows) => {
      const one = (x: Rows, i: number) => {
        const at = p.at("blocks", i);
        const windows = i === 0 ? height : 1;
        return site("block", at, x, (rows) => block(at, rows, windows), { ...facts, index: i });
      };
      const behind = one(first, 0);
      return [behind, one(behind, 1)];
    };
    const last = site("trunk", p.at("blocks"), patches, trunk, facts).at(-1)!;
    return { y: linear(p.at("head"), norm(p.at("norm"), last), 5) };
  },
});

function embed(p: Parameters, image: Rows): Rows {
  const apart = reshape(image, [3, height, side, width, side]);
  const rows = reshape(permute(apart, [1, 3, 0, 2, 4]), [tokens, 3 * side * side]);
  return linear(p, rows, features);
}

/** `windows` parts of the map attend apart. */
function block(p: Parameters, x: Rows, windows: number): Rows {
  const map = [windows, height / windows, width] as const;
  const qkv = linear(p.at("attn", "qkv"), norm(p.at("norm1"), x), 3 * features, map);
  const third = (i: number) => {
    const part = slice(qkv, [[], [i * features, (i + 1) * features]]);
    return permute(reshape(part, [windows, tokens / windows, heads, depth]), [0, 2, 1, 3]);
  };
  const input3 = { query: third(0), key: third(1), value: third(2) };
  const plain = ({ query, key, value }: Heads) => attention(query, key, value);
  const out = site("attention", p.at("attn"), input3, plain, { map });
  const attended = reshape(permute(out, [0, 2, 1, 3]), [tokens, features]);
  const h: Rows = add(x, linear(p.at("attn", "proj"), attended, features));
  const wide = gelu(linear(p.at("mlp", "lin1"), norm(p.at("norm2"), h), hidden));
  return add(h, linear(p.at("mlp", "lin2"), wide, features));
}

type Map = readonly [maps: number, height: number, width: number];

function linear(p: Parameters, x: Rows, outputs: number, map: Map = [1, height, width]): Rows {
  const inputs = x.shape.at(-1)!;
  const base = (rows: Rows): Rows => {
    const product: Rows = matmul(rows, p.f32("weight", [outputs, inputs]), { transpose: "right" });
    return add(product, p.f32("bias", [outputs]));
  };
  return site("linear", p, x, base, { inputs, outputs, map });
}

function norm(p: Parameters, x: Rows): Rows {
  const base = (rows: Rows) =>
    layerNorm(rows, p.f32("weight", [features]), p.f32("bias", [features]), 1e-6);
  return site("norm", p, x, base, { outputs: features });
}
