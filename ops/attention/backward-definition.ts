/**
 * What the two gradient ops of attention have in common: operands, shape rule, meaning.
 *
 * Weights are made again from scores and row statistics: p = exp(score - most - logSum). With `slope`,
 * the cotangent of a score, = p * (<g, value> - delta), the gradients are
 *
 *   query = scale * slope keys      key   = scale * slopeT queries      relative = slope summed
 *   value = pT g                    score = slope                       over columns, over rows
 */
import {
  type Dense,
  elements,
  type Fail,
  literal,
  type Out,
  type Problem,
  type Tensor,
  type Type,
  type Value,
} from "../../compiler/op-kit.ts";
import { storedBytes } from "../../formats/index.ts";
import { add } from "../elementwise/add.ts";
import { exp } from "../elementwise/exp.ts";
import { le } from "../elementwise/le.ts";
import { mul } from "../elementwise/mul.ts";
import { sub } from "../elementwise/sub.ts";
import { where } from "../elementwise/where.ts";
import { sum } from "../lines/reduce.ts";
import { matmul, transpose } from "../matmul/matmul.ts";
import { concat } from "../views/concat.ts";
import { reshape } from "../views/reshape.ts";
import { slice } from "../views/slice.ts";
import {
  type AttentionAttrs,
  checkExtra,
  dot,
  extraAt,
  extraReads,
  extrasOf,
  resultTypes,
  shareOf,
} from "./definition.ts";
import { relativeShares } from "./relative.ts";
import { plainSeen, seenTensors } from "./visible.ts";

/** What a gradient can be of. `relative`: of the terms by query, as `termsByQuery` orders them. */
export type Wanted = "query" | "relative" | "key" | "value";

export interface BackwardAttrs extends AttentionAttrs {
  /** The results, in this order. A kernel binds eight buffers, so some take two nodes. */
  readonly wanted: readonly Wanted[];
}

/**
 * q, k, v; g, the cotangent of the result; `saved` [batch, heads, queries, 3]: of each row its largest
 * score, the logarithm of the sum of exponentials relative to it, and delta = <g, result> minus the
 * cotangents of statistics; then the extras of attention itself.
 */
export function backwardOperands<T>(inputs: readonly T[], attrs: AttentionAttrs) {
  const [q, k, v, g, saved] = inputs as [T, T, T, T, T];
  return { q, k, v, g, saved, ...extrasOf(inputs.slice(5), attrs) };
}

/** Below this a probability counts as zero: e^-40 is far below what a sum of them can resolve. */
const least = -40;

/**
 * exp(score - most - logSum), the probability of a score, by what is kept of its row.
 * The least of them times a small cotangent would be a number below the normal ones, with which
 * processors, and so software devices, are many times slower.
 */
export function probability(score: Value, most: Value, logSum: Value): Value {
  const difference = score.sub(most).sub(logSum);
  // A NaN is not below.
  return difference.le(least).select(literal(0, "f32"), difference.exp());
}

/** How often what a kernel reads is read, by its rows: those that its threads own, and the walked ones. */
interface RowReads {
  readonly own: number;
  readonly walked: number;
}

/** How often the kernel of the queries' gradient reads an input: queries are owned, keys walked. */
export function queryReads(
  input: number,
  { inputs, attrs }: Problem<BackwardAttrs>,
  { own, walked }: RowReads,
): number {
  if (input === 1 || input === 2) return walked;
  if (input === 0 || input === 3) return own;
  return extraReads(inputs, attrs, input, 5, walked);
}

/** How often the kernel of the keys' and values' gradients reads an input: queries are walked. */
export function keyValueReads(
  input: number,
  { inputs, attrs }: Problem<BackwardAttrs>,
  { own, walked }: RowReads,
): number {
  if (input === 1 || input === 2) return own;
  const keys = inputs[1]!.shape[2]!;
  const extra = extraAt(attrs, input, 5);
  if (extra === "relative") return (2 * keys) / (attrs.grid![0] + attrs.grid![1]);
  return extra ? extraReads(inputs, attrs, input, 5, 1) : walked;
}

export function backwardTypes(inputs: readonly Type[], attrs: BackwardAttrs, fail: Fail): Type[] {
  const { q, k, v, g, saved } = backwardOperands(inputs, attrs);
  resultTypes([q, k, v, ...inputs.slice(5)], attrs, fail);
  const lead = q.shape.slice(0, 3);
  checkExtra("cotangent", g, "f32", [...lead, v.shape[3]!], fail);
  checkExtra("table of row statistics", saved, "f32", [...lead, 3], fail);
  const [rows, columns] = attrs.grid ?? [0, 0];
  const terms: Type = { dtype: "f32", shape: [...lead, rows + columns] };
  const of = { query: q, key: k, value: v, relative: terms };
  return attrs.wanted.map((name) => of[name]);
}

/** The most bytes that scores may take: half of what every device binds at once. */
const mostStored = 2 ** 26;

/**
 * Whether scores and their cotangents take no more room than what the gradients read and write anyway:
 * windows, and few queries of many keys. Then storing them saves two of seven products.
 */
export function storesScores(q: Type, v: Type): boolean {
  const [batch, heads, queries, depth] = q.shape as [number, number, number, number];
  const [, , keys, out] = v.shape as [number, number, number, number];
  const room = queries * (2 * depth + out) + keys * 2 * (depth + out);
  const scores = queries * keys;
  if (2 * scores > room) return false;
  return storedBytes("f32", batch * heads * scores) <= mostStored;
}

/** All gradients, written with ops: scores are stored. */
export function composedBackward(inputs: readonly Tensor[], attrs: AttentionAttrs) {
  const { q, k, v, g, saved, bias, relative, ...hiding } = backwardOperands(inputs, attrs);
  const column = (i: number): Tensor => slice(saved, [[], [], [], [i, i + 1]]);
  let scores: Tensor = mul(matmul(q, transpose(k)), attrs.scale);
  if (bias) scores = add(scores, bias);
  const { grid } = attrs;
  if (relative && grid) scores = add(scores, relativeShares(relative, grid, scores.shape));
  const unlimited: Tensor = exp(sub(sub(scores, column(0)), column(1)));
  const seen = seenTensors(hiding, attrs.causal, scores.shape);
  const whereSeen = (x: Tensor): Tensor => (seen.pair ? where(seen.pair, x, 0) : x);
  const weights = whereSeen(where(le(unlimited, Math.exp(least)), 0, unlimited) as Tensor);
  const slope = whereSeen(mul(weights, sub(matmul(g, transpose(v)), column(2))) as Tensor);
  /** Of keys that no query may see nothing counts. */
  const known = (x: Tensor): Tensor => (seen.key ? where(transpose(seen.key), x, 0) : x);
  const onGrid = (): Tensor => reshape(slope, [...q.shape.slice(0, 3), ...grid!]);
  return {
    score: slope,
    query: (): Tensor => mul(matmul(slope, known(k)), attrs.scale),
    key: (): Tensor => mul(matmul(transpose(slope), q), attrs.scale),
    value: (): Tensor => matmul(transpose(weights), g),
    relative: (): Tensor => concat([sum(onGrid(), 4), sum(onGrid(), 3)], -1),
  };
}

/** The wanted gradients in plain double precision. */
export function plainBackward(inputs: readonly Dense[], attrs: BackwardAttrs): Float64Array[] {
  const { q, k, v, g, saved, bias, relative, ...hiding } = backwardOperands(inputs, attrs);
  const [batch, heads, queries, depth] = q.shape as [number, number, number, number];
  const [keys, out] = [v.shape[2]!, v.shape[3]!];
  const [rows, columns] = attrs.grid ?? [0, 1];
  const terms = rows + columns;
  const gradients: Record<Wanted, Float64Array> = {
    query: new Float64Array(elements(q.shape)),
    key: new Float64Array(elements(k.shape)),
    value: new Float64Array(elements(v.shape)),
    relative: new Float64Array(batch * heads * queries * terms),
  };
  const seen = plainSeen(hiding, attrs.causal, q.shape, keys);
  for (let i = 0; i < batch * heads * queries; i++)
    for (let j = 0; j < keys; j++) {
      const isSeen = seen.pair(i, j);
      const key = Math.floor(i / queries) * keys + j;
      const [y, x] = [i * terms + Math.floor(j / columns), i * terms + rows + (j % columns)];
      let score = attrs.scale * dot(depth, q, i, k, key);
      if (bias) score += bias.data[i * keys + j]!;
      if (attrs.grid && relative) score += shareOf(relative, attrs.grid, i, j);
      const [most, logSum, delta] = saved.data.subarray(3 * i);
      const weight = isSeen ? Math.exp(score - most! - logSum!) : 0;
      const slope = isSeen ? weight * (dot(out, g, i, v, key) - delta!) : 0;
      for (let d = 0; d < depth; d++) {
        const known = seen.key(i, j) ? k.data[key * depth + d]! : 0;
        gradients.query[i * depth + d]! += attrs.scale * slope * known;
        gradients.key[key * depth + d]! += attrs.scale * slope * q.data[i * depth + d]!;
      }
      for (let d = 0; d < out; d++)
        gradients.value[key * out + d]! += weight * g.data[i * out + d]!;
      if (relative) for (const at of [y, x]) gradients.relative[at]! += slope;
    }
  return attrs.wanted.map((name) => gradients[name]);
}

/** The port of each wanted result; nothing is computed for the others. */
export function wantedPorts(
  { wanted }: BackwardAttrs,
  outputs: readonly Out[],
): Partial<Record<Wanted, Out>> {
  return Object.fromEntries(wanted.map((name, i) => [name, outputs[i]!]));
}
