/** What attention means: its operands, its shape rule, and its values in plain double precision. */
import {
  type Dense,
  elements,
  type Fail,
  index,
  type Out,
  show,
  type Tensor,
  type Type,
  type Value,
} from "../../compiler/op-kit.ts";
import { formatOf } from "../../formats/index.ts";
import { add } from "../elementwise/add.ts";
import { iota } from "../elementwise/iota.ts";
import { sub } from "../elementwise/sub.ts";
import { matmul, transpose } from "../matmul/matmul.ts";
import { concat } from "../views/concat.ts";
import { gather } from "../views/gather.ts";
import { permute } from "../views/permute.ts";
import { reshape } from "../views/reshape.ts";

/** Rows and columns of the grid that queries and keys lie on. */
export type Grid = readonly [rows: number, columns: number];

export interface AttentionAttrs {
  readonly scale: number;
  readonly hasBias: boolean;
  /** Undefined without relative terms. */
  readonly grid: Grid | undefined;
}

/** q, k, v, then bias, then the two tables of relative positions, as far as they are there. */
export function operands<T>(inputs: readonly T[], attrs: AttentionAttrs) {
  const [q, k, v] = inputs as [T, T, T];
  const bias = attrs.hasBias ? inputs[3] : undefined;
  const [height, width] = inputs.slice(attrs.hasBias ? 4 : 3);
  return { q, k, v, bias, height, width };
}

/**
 * What is subtracted from the scores of a row before their exponentials are computed: the largest score, or
 * the smallest finite number where all are -Infinity. Their exponentials are then 0 and not NaN, so that later
 * tiles count; a row of -Infinity alone ends as 0 / 0.
 */
export const levelOf = (most: Value): Value => most.maxnum(-formatOf("f32").largest);

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
  const { q, k, v, height, width } = operands(inputs, attrs);
  for (const x of inputs) if (x.dtype !== "f32") fail(`takes f32, not ${show(x)}`);
  if ([q, k, v].some((x) => x.shape.length !== 4))
    fail(
      `q, k, v are ${[q, k, v].map(show).join(", ")}`,
      "each needs [batch, heads, tokens, depth]",
    );
  if ([k, v].some((x) => x.shape[0] !== q.shape[0] || x.shape[1] !== q.shape[1]))
    fail(`batch and heads of ${[q, k, v].map(show).join(", ")} differ`);
  if (q.shape[3] !== k.shape[3]) fail(`queries have depth ${q.shape[3]}, keys ${k.shape[3]}`);
  if (k.shape[2] !== v.shape[2]) fail(`there are ${k.shape[2]} keys but ${v.shape[2]} values`);
  if (attrs.grid) {
    const [rows, columns] = attrs.grid;
    if (q.shape[2] !== rows * columns || k.shape[2] !== rows * columns)
      fail(`${q.shape[2]} queries and ${k.shape[2]} keys do not fill a ${rows} x ${columns} grid`);
    const want = [2 * rows - 1, 2 * columns - 1];
    [height!, width!].forEach((t, i) => {
      if (t.shape.join() !== [want[i], q.shape[3]].join())
        fail(
          `the table of relative ${i ? "columns" : "rows"} is ${show(t)}, not f32[${want[i]}, ${q.shape[3]}]`,
          "resize the table to 2 * size - 1 rows first",
        );
    });
  }
  const lead = q.shape.slice(0, 3);
  return [
    { dtype: "f32", shape: [...lead, v.shape[3]!] },
    { dtype: "f32", shape: lead },
    { dtype: "f32", shape: [...lead, 2] },
  ];
}

/**
 * The relative terms, written with ops: [batch, heads, queries, rows + columns], of each query the
 * terms of every grid row, then those of every grid column. A key's terms add up to its share of
 * the score.
 */
export function relativeTerms(
  q: Tensor,
  height: Tensor,
  width: Tensor,
  [rows, columns]: Grid,
): Tensor {
  const [batch, heads, queries, depth] = q.shape as [number, number, number, number];
  const onGrid = reshape(q, [batch, heads, rows, columns, depth]) as Tensor;
  // Queries of one grid row share the same rows of the table, whatever their image, head and column.
  const byRow = permute(onGrid, [2, 0, 1, 3, 4]);
  const byColumn = permute(onGrid, [3, 0, 1, 2, 4]);
  const down = permute(termsOf(byRow, height), [1, 2, 0, 3, 4]);
  const across = permute(termsOf(byColumn, width), [1, 2, 3, 0, 4]);
  return concat(
    [
      reshape(down, [batch, heads, queries, rows]),
      reshape(across, [batch, heads, queries, columns]),
    ],
    -1,
  );
}

/** Queries [size, ..., depth] by their coordinate: <query, table row> for all others [size, ..., size]. */
function termsOf(queries: Tensor, table: Tensor): Tensor {
  const { shape } = queries;
  const [size, depth] = [shape[0]!, shape.at(-1)!];
  const flat = reshape(queries, [size, elements(shape) / size / depth, depth]) as Tensor;
  const terms = matmul(flat, transpose(gather(table, differences(size))));
  return reshape(terms, [...shape.slice(0, -1), size]);
}

/** i - j + n - 1 for all i, j below n. */
const differences = (n: number): Tensor =>
  add(sub(iota([n, n], 0), iota([n, n], 1)), n - 1) as Tensor;

/** All results, row by row. */
export function plainAttention(inputs: readonly Dense[], attrs: AttentionAttrs): Float64Array[] {
  const { q, k, v, bias, height, width } = operands(inputs, attrs);
  const [batch, heads, queries, depth] = q.shape as [number, number, number, number];
  const [keys, out] = [v.shape[2]!, v.shape[3]!];
  const [rows, columns] = attrs.grid ?? [1, 1];
  const y = new Float64Array(elements([batch, heads, queries, out]));
  const statistics = new Float64Array(batch * heads * queries);
  const kept = new Float64Array(batch * heads * queries * 2);
  const scores = new Float64Array(keys);
  for (let i = 0; i < batch * heads * queries; i++) {
    const [head, query] = [Math.floor(i / queries), i % queries];
    let most = Number.NEGATIVE_INFINITY;
    for (let j = 0; j < keys; j++) {
      let score = attrs.scale * dot(depth, q, i, k, head * keys + j);
      if (bias) score += bias.data[i * keys + j]!;
      if (height && width) {
        const down = Math.floor(query / columns) - Math.floor(j / columns) + rows - 1;
        score += dot(depth, q, i, height, down);
        score += dot(depth, q, i, width, (query % columns) - (j % columns) + columns - 1);
      }
      scores[j] = score;
      most = Math.max(most, score);
    }
    let total = 0;
    for (let j = 0; j < keys; j++) total += scores[j] = Math.exp(scores[j]! - most);
    statistics[i] = most + Math.log(total);
    kept.set([most, Math.log(total)], 2 * i);
    for (let j = 0; j < keys; j++)
      for (let d = 0; d < out; d++)
        y[i * out + d]! += (scores[j]! / total) * v.data[(head * keys + j) * out + d]!;
  }
  return [y, statistics, kept];
}

/** The product of row i of `a` and row j of `b`, both of one depth. */
export function dot(depth: number, a: Dense, i: number, b: Dense, j: number): number {
  let sum = 0;
  for (let d = 0; d < depth; d++) sum += a.data[i * depth + d]! * b.data[j * depth + d]!;
  return sum;
}
