/** What attention means: its operands, its shape rule, and its values in plain double precision. */
import {
  type Dense,
  type DType,
  elements,
  type Fail,
  type In,
  index,
  type Out,
  show,
  type Type,
  type Value,
} from "../../compiler/op-kit.ts";
import { formatOf } from "../../formats/index.ts";
import { type Causal, plainSeen } from "./visible.ts";

/** Rows and columns of the grid that queries and keys lie on. */
export type Grid = readonly [rows: number, columns: number];

/** What may stand behind the operands that are always there. */
export type Extra = "bias" | "relative" | "mask" | "lengths";

export interface AttentionAttrs {
  readonly scale: number;
  /** What stands behind the operands that are always there, in this order. */
  readonly extras: readonly Extra[];
  /** Undefined without relative terms. */
  readonly grid: Grid | undefined;
  /** Undefined where queries see keys wherever those stand. */
  readonly causal: Causal | undefined;
}

/** The length of a line of the grid: the longer side. */
export const sizeOf = ([rows, columns]: Grid): number => Math.max(rows, columns);

/**
 * q [batch, heads, rows, depth], k [batch, heads, keys, depth], v [batch, heads, keys, out], then the extras:
 *
 *   bias       [batch, heads, rows, keys]
 *   relative   [2, size, images, size, size]: the relative terms that `relative.ts` makes
 *   mask       bool [batch, heads, rows, keys], or [batch, heads, 1, keys] for all rows: true is seen
 *   lengths    i32 or u32 [batch]: how many keys exist
 *
 * Rows are queries. Where several heads of queries share one head of keys and values, the rows of a head are
 * the queries of all of them, head after head, so that keys and values are read once for all.
 */
export function operands<T>(inputs: readonly T[], attrs: AttentionAttrs) {
  const [q, k, v] = inputs as [T, T, T];
  return { q, k, v, ...extrasOf(inputs.slice(3), attrs) };
}

export const extrasOf = <T>(inputs: readonly T[], { extras }: AttentionAttrs) =>
  Object.fromEntries(extras.map((name, i) => [name, inputs[i]!])) as { [E in Extra]?: T };

/** Whether every query sees every key. */
export const isOpen = ({ extras, causal }: AttentionAttrs): boolean =>
  !causal && !extras.includes("mask") && !extras.includes("lengths");

/** Which extra an input is, of those that begin at `first`. */
export const extraAt = ({ extras }: AttentionAttrs, input: number, first = 3): Extra | undefined =>
  extras[input - first];

/** How many heads of queries the rows of a head belong to. */
const headsIn = (q: readonly number[], [rows, columns]: Grid): number => q[2]! / (rows * columns);

export const termsShape = (q: readonly number[], grid: Grid): readonly number[] => {
  const size = sizeOf(grid);
  return [2, size, q[0]! * q[1]! * headsIn(q, grid), size, size];
};

/** The terms of one query: of every row of the grid, and of every column. */
export interface QueryTerms {
  row(y: Value): Value;
  column(x: Value): Value;
}

/** The terms of a row of q, by its place: batch, head and row. Undefined where there are none. */
export function termsOf(
  terms: In | undefined,
  grid: Grid | undefined,
  q: readonly number[],
  [b, head, at]: readonly [Value, Value, Value],
): QueryTerms | undefined {
  if (!terms || !grid) return undefined;
  const cells = grid[0] * grid[1];
  const image = b.mul(q[1]!).add(head).mul(headsIn(q, grid)).add(at.div(cells));
  const query = at.mod(cells);
  const [y, x] = [query.div(grid[1]), query.mod(grid[1])];
  return {
    row: (other) => terms.at(index(0), y, image, x, other),
    column: (other) => terms.at(index(1), x, image, y, other),
  };
}

/**
 * How often a kernel that walks all keys `walked` times in a head reads an element of an extra; of those that
 * have one for each score, once.
 */
export function extraReads(
  inputs: readonly Type[],
  attrs: AttentionAttrs,
  input: number,
  first: number,
  walked: number,
): number {
  const keys = inputs[1]!.shape[2]!;
  switch (extraAt(attrs, input, first)) {
    case "relative":
      return (attrs.grid![0] + keys) / (attrs.grid![0] + attrs.grid![1]);
    case "lengths":
      return inputs[0]!.shape[1]! * keys * walked;
    case "mask":
      return inputs[input]!.shape[2] === 1 ? walked : 1;
    default:
      return 1;
  }
}

/**
 * What a row's largest score is at least: the smallest finite number. Where all scores are -Infinity their
 * exponentials are then 0 and not NaN, so that later tiles count; a row of -Infinity alone ends as 0 / 0.
 */
export const leastLevel = -formatOf("f32").largest;

/** What is kept of a row's scores, at its place, as far as it is wanted. */
export function putStatistics(
  [, statistics, rows]: readonly (Out | undefined)[],
  most: Value,
  total: Value,
  at: readonly Value[],
): void {
  statistics?.put(most.add(total.log()), ...at);
  rows?.put(most, ...at, index(0));
  rows?.put(total.log(), ...at, index(1));
}

/**
 * The result [batch, heads, queries, out]; the statistics [batch, heads, queries]; and for gradients
 * [batch, heads, queries, 2], of each row of scores the largest, and the logarithm of the sum of
 * exponentials relative to it: their sum, the statistic, drops the second where scores are as large as a
 * mask of the smallest number.
 */
export function resultTypes(inputs: readonly Type[], attrs: AttentionAttrs, fail: Fail): Type[] {
  const { q, k, v, bias, relative, mask, lengths } = operands(inputs, attrs);
  checkOperands([q, k, v], fail);
  if (q.shape[1] !== k.shape[1]) fail(`heads of ${[q, k, v].map(show).join(", ")} differ`);
  const [batch, heads, rows] = q.shape as [number, number, number];
  const keys = k.shape[2]!;
  checkExtra("bias", bias, "f32", [batch, heads, rows, keys], fail);
  const maskRows = mask?.shape[2] === 1 ? 1 : rows;
  checkExtra("mask", mask, "bool", [batch, heads, maskRows, keys], fail);
  checkExtra("lengths", lengths, lengths?.dtype === "u32" ? "u32" : "i32", [batch], fail);
  if (attrs.grid) {
    const [height, width] = attrs.grid;
    if (headsIn(q.shape, attrs.grid) % 1 !== 0 || keys !== height * width)
      fail(`${rows} queries and ${keys} keys do not fill a ${height} x ${width} grid`);
    const shape = termsShape(q.shape, attrs.grid);
    checkExtra("table of relative terms", relative, "f32", shape, fail);
  }
  const lead = [batch, heads, rows];
  return [
    { dtype: "f32", shape: [...lead, v.shape[3]!] },
    { dtype: "f32", shape: lead },
    { dtype: "f32", shape: [...lead, 2] },
  ];
}

/** Of q, k and v; heads of queries may share those of keys and values. */
export function checkOperands(operands: readonly [q: Type, k: Type, v: Type], fail: Fail): void {
  const [q, k, v] = operands;
  const all = operands.map(show).join(", ");
  for (const x of operands) if (x.dtype !== "f32") fail(`takes f32, not ${show(x)}`);
  if (operands.some((x) => x.shape.length !== 4))
    fail(`q, k, v are ${all}`, "each needs [batch, heads, tokens, depth]");
  if ([k, v].some((x) => x.shape[0] !== q.shape[0])) fail(`batches of ${all} differ`);
  if (k.shape[1] !== v.shape[1]) fail(`heads of keys and values differ: ${all}`);
  if (q.shape[1]! % k.shape[1]! !== 0)
    fail(
      `${q.shape[1]} heads of queries do not share ${k.shape[1]} heads of keys and values evenly`,
      "give as many heads of keys and values as of queries, or a divisor of that",
    );
  if (q.shape[3] !== k.shape[3]) fail(`queries have depth ${q.shape[3]}, keys ${k.shape[3]}`);
  if (k.shape[2] !== v.shape[2]) fail(`there are ${k.shape[2]} keys but ${v.shape[2]} values`);
}

/** What the op is given beside q, k and v has one dtype and one shape, where it is there. */
export function checkExtra(
  name: string,
  given: Type | undefined,
  dtype: DType,
  shape: readonly number[],
  fail: Fail,
): void {
  const wanted = show({ dtype, shape });
  if (given && show(given) !== wanted) fail(`the ${name} is ${show(given)}, not ${wanted}`);
}

/** All results, row by row. */
export function plainAttention(inputs: readonly Dense[], attrs: AttentionAttrs): Float64Array[] {
  const { q, k, v, bias, relative, ...hiding } = operands(inputs, attrs);
  const [batch, heads, queries, depth] = q.shape as [number, number, number, number];
  const [keys, out] = [v.shape[2]!, v.shape[3]!];
  const y = new Float64Array(elements([batch, heads, queries, out]));
  const statistics = new Float64Array(batch * heads * queries);
  const kept = new Float64Array(batch * heads * queries * 2);
  const scores = new Float64Array(keys);
  const seen = plainSeen(hiding, attrs.causal, q.shape, keys);
  for (let i = 0; i < batch * heads * queries; i++) {
    const head = Math.floor(i / queries);
    let most = leastLevel;
    for (let j = 0; j < keys; j++) {
      let score = attrs.scale * dot(depth, q, i, k, head * keys + j);
      if (bias) score += bias.data[i * keys + j]!;
      if (attrs.grid && relative) score += shareOf(relative, attrs.grid, i, j);
      scores[j] = seen.pair(i, j) ? score : Number.NEGATIVE_INFINITY;
      most = Math.max(most, scores[j]!);
    }
    let total = 0;
    for (let j = 0; j < keys; j++) total += scores[j] = Math.exp(scores[j]! - most);
    statistics[i] = most + Math.log(total);
    kept.set([most, Math.log(total)], 2 * i);
    for (let j = 0; j < keys; j++)
      for (let d = 0; d < out; d++)
        y[i * out + d]! +=
          (scores[j]! / total) * (seen.key(i, j) ? v.data[(head * keys + j) * out + d]! : 0);
  }
  return [y, statistics, kept];
}

/** What the score of query `i` of all images and key `j` gains. */
export function shareOf(terms: Dense, grid: Grid, i: number, j: number): number {
  const [rows, columns] = grid;
  const [size, images] = [terms.shape[1]!, terms.shape[2]!];
  const [image, query] = [Math.floor(i / (rows * columns)), i % (rows * columns)];
  const [y, x] = [Math.floor(query / columns), query % columns];
  const at = (which: number, line: number, place: number, other: number) =>
    terms.data[(((which * size + line) * images + image) * size + place) * size + other]!;
  return at(0, y, x, Math.floor(j / columns)) + at(1, x, y, j % columns);
}

/** The product of row i of `a` and row j of `b`, both of one depth. */
export function dot(depth: number, a: Dense, i: number, b: Dense, j: number): number {
  let sum = 0;
  for (let d = 0; d < depth; d++) sum += a.data[i * depth + d]! * b.data[j * depth + d]!;
  return sum;
}
