/** A model with a cache of keys and values: prefill takes several tokens, decode one more at a time. */
import { defineModel, input, type Parameters, state, type Tensor } from "../../compiler/index.ts";
import {
  add,
  concat,
  eq,
  full,
  gt,
  iota,
  matmul,
  mul,
  softmax,
  transpose,
  where,
} from "../../ops/index.ts";

/** Tokens that the cache has room for, those of the prompt, features of a token. */
export const sizes = { room: 8, prompt: 3, width: 4 } as const;
const { room, prompt, width } = sizes;

type Floats = Tensor<"f32">;

const weight = (p: Parameters, name: string) => p.f32(name, [width, width]);

/** Attention of queries over the first rows of the cache: query i, which stands at `first` + i, sees those up to itself. */
function attend(q: Floats, k: Floats, v: Floats, first: Tensor<"i32">): Floats {
  const rows = q.shape[0]!;
  const scores = mul(matmul(q, transpose(k) as Floats), 1 / Math.sqrt(width));
  const own = add(iota([rows, room], 0), first) as Tensor<"i32">;
  const hidden = gt(iota([rows, room], 1), own);
  return matmul(softmax(where(hidden, -1e30, scores) as Floats, 1), v) as Floats;
}

/** Puts a row at `at` into a cache. */
const put = (cache: Floats, row: Floats, at: Tensor<"i32">) =>
  where(eq(iota([room, width], 0), at), row, cache) as Floats;

export const cachedAttention = defineModel({
  name: "cached-attention",
  programs: {
    prefill: (p) => {
      const x = input("x", "f32", [prompt, width]);
      for (const name of ["k", "v"]) state(name, "f32", [room, width]);
      state("count", "i32", [1]);
      const [q, k, v] = ["q", "k", "v"].map((name) => matmul(x, weight(p, name)) as Floats);
      const rest = full(0, [room - prompt, width]);
      const whole = (rows: Floats) => concat([rows, rest], 0) as Floats;
      const zero = full(0, [1], "i32");
      const y = attend(q!, whole(k!), whole(v!), zero);
      return { y, k: whole(k!), v: whole(v!), count: add(zero, prompt) };
    },
    decode: (p) => {
      const x = input("x", "f32", [1, width]);
      const count = state("count", "i32", [1]);
      const [q, k, v] = ["q", "k", "v"].map((name) => matmul(x, weight(p, name)) as Floats);
      const [keys, values] = ["k", "v"].map((name) => state(name, "f32", [room, width]) as Floats);
      const [nextKeys, nextValues] = [put(keys!, k!, count), put(values!, v!, count)];
      const y = attend(q!, nextKeys, nextValues, count);
      return { y, k: nextKeys, v: nextValues, count: add(count, 1) };
    },
  },
});

/** The same in plain arithmetic, without a cache: the row of the last of some tokens. */
export function plainAttention(
  tokens: readonly (readonly number[])[],
  weights: Readonly<Record<"q" | "k" | "v", readonly number[]>>,
): number[] {
  const times = (row: readonly number[], m: readonly number[]) =>
    Array.from({ length: width }, (_, j) => row.reduce((s, x, i) => s + x * m[i * width + j]!, 0));
  const q = times(tokens.at(-1)!, weights.q);
  const scores = tokens.map((row) => {
    const k = times(row, weights.k);
    return Math.exp(k.reduce((s, x, i) => s + x * q[i]!, 0) / Math.sqrt(width));
  });
  const total = scores.reduce((a, b) => a + b, 0);
  const rows = tokens.map((row) => times(row, weights.v));
  return q.map((_, j) => rows.reduce((s, row, i) => s + (row[j]! * scores[i]!) / total, 0));
}
