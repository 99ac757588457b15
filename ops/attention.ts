/**
 * attention: softmax(scale * q kT + bias + relative) v, as one kernel that never stores the scores.
 *
 * The relative terms are SAM's decomposed positions (segment-anything, `image_encoder.py`,
 * `add_decomposed_rel_pos`): queries and keys lie on one H x W grid, and the score of (i, j) gains
 * <q_i, height[y_i - y_j + H - 1]> + <q_i, width[x_i - x_j + W - 1]>, with the unscaled q.
 */
import {
  apply,
  type Dense,
  elements,
  type Fail,
  gradient,
  type KernelOp,
  show,
  type Tensor,
  type Type,
} from "../compiler/op.ts";
import { add } from "./add.ts";
import { attentionKernel, queryTile } from "./attention-kernel.ts";
import { attentionTests } from "./attention-samples.ts";
import { broadcastTo } from "./broadcast.ts";
import { gather } from "./gather.ts";
import { iota } from "./iota.ts";
import { matmul, transpose } from "./matmul.ts";
import { mul } from "./mul.ts";
import { permute } from "./permute.ts";
import { reshape } from "./reshape.ts";
import { softmax } from "./softmax.ts";
import { sub } from "./sub.ts";

export interface AttentionAttrs {
  readonly scale: number;
  readonly hasBias: boolean;
  /** Rows and columns of the grid that queries and keys lie on; undefined without relative terms. */
  readonly grid: readonly [rows: number, columns: number] | undefined;
}

/** q, k, v, then bias, then the two tables of relative positions, as far as they are there. */
export function operands<T>(inputs: readonly T[], attrs: AttentionAttrs) {
  const [q, k, v] = inputs as [T, T, T];
  const bias = attrs.hasBias ? inputs[3] : undefined;
  const [height, width] = inputs.slice(attrs.hasBias ? 4 : 3);
  return { q, k, v, bias, height, width };
}

export const op: KernelOp<AttentionAttrs> = {
  name: "attention",
  kind: "kernel",
  type: (inputs, attrs, fail) => [resultType(inputs, attrs, fail)],
  kernel: attentionKernel,
  oracle: (inputs, attrs) => [plain(inputs, attrs)],
  reads(inputs, attrs, input, profile) {
    if (input === 0) return 1;
    return Math.ceil(inputs[0]!.shape[2]! / queryTile(inputs, attrs, profile));
  },
  work(inputs) {
    const [batch, heads, queries, depth] = inputs[0]!.shape as [number, number, number, number];
    const [, , keys, out] = inputs[2]!.shape as [number, number, number, number];
    return batch * heads * queries * keys * (depth + out);
  },
  vjp: ([g], { inputs, attrs }) => gradient([composed(inputs, attrs)], [g!], inputs),
  note: ({ grid }) => (grid ? `relative on ${grid.join(" x ")}` : ""),
  tests: attentionTests,
};

export interface AttentionOptions {
  /** What <q, k> is multiplied with: 1 / sqrt(depth) unless given. */
  readonly scale?: number;
  /** Added to the scores; broadcasts to [batch, heads, queries, keys]. */
  readonly bias?: Tensor;
  /** Decomposed relative positions: tables [2 H - 1, depth] and [2 W - 1, depth]. */
  readonly relative?: {
    readonly height: Tensor;
    readonly width: Tensor;
    readonly grid: readonly [rows: number, columns: number];
  };
}

/**
 * q [batch, heads, queries, depth], k [batch, heads, keys, depth], v [batch, heads, keys, out] ->
 * [batch, heads, queries, out], all float32. Throws E101 when the shapes do not fit.
 */
export function attention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options: AttentionOptions = {},
): Tensor<"f32"> {
  const { scale = 1 / Math.sqrt(q.shape.at(-1)!), bias, relative } = options;
  const full = [...q.shape.slice(0, 3), k.shape[2]!];
  const inputs = [
    ...[q, k, v],
    ...(bias ? [broadcastTo(bias, full)] : []),
    ...(relative ? [relative.height, relative.width] : []),
  ];
  const attrs = { scale, hasBias: bias !== undefined, grid: relative?.grid };
  return apply(op, inputs, attrs)[0] as Tensor<"f32">;
}

function resultType(inputs: readonly Type[], attrs: AttentionAttrs, fail: Fail): Type {
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
  return { dtype: "f32", shape: [...q.shape.slice(0, 3), v.shape[3]!] };
}

/** The definition, written with ops: what the kernel computes, and what its derivative follows. */
function composed(inputs: readonly Tensor[], attrs: AttentionAttrs): Tensor {
  const { q, k, v, bias, height, width } = operands(inputs, attrs);
  let scores: Tensor = mul(matmul(q, transpose(k)), attrs.scale);
  if (bias) scores = add(scores, bias);
  if (attrs.grid) scores = add(scores, relativeScores(q, height!, width!, attrs.grid));
  return matmul(softmax(scores), v);
}

function relativeScores(
  q: Tensor,
  height: Tensor,
  width: Tensor,
  [rows, columns]: readonly [number, number],
): Tensor {
  const [batch, heads, , depth] = q.shape as [number, number, number, number];
  const onGrid = reshape(q, [batch, heads, rows, columns, depth]);
  // [y, y', depth] and [x, x', depth]: the table's row for every pair of coordinates.
  const down = gather(height, differences(rows));
  const across = gather(width, differences(columns));
  const byRow = matmul(onGrid, transpose(down));
  const turned = permute(onGrid, [0, 1, 3, 2, 4]);
  const byColumn = permute(matmul(turned, transpose(across)), [0, 1, 3, 2, 4]);
  const sum = add(
    reshape(byRow, [batch, heads, rows, columns, rows, 1]),
    reshape(byColumn, [batch, heads, rows, columns, 1, columns]),
  );
  return reshape(sum, [batch, heads, rows * columns, rows * columns]);
}

/** i - j + n - 1 for all i, j below n. */
const differences = (n: number): Tensor =>
  add(sub(iota([n, n], 0), iota([n, n], 1)), n - 1) as Tensor;

function plain(inputs: readonly Dense[], attrs: AttentionAttrs): Float64Array {
  const { q, k, v, bias, height, width } = operands(inputs, attrs);
  const [batch, heads, queries, depth] = q.shape as [number, number, number, number];
  const [keys, out] = [v.shape[2]!, v.shape[3]!];
  const [rows, columns] = attrs.grid ?? [1, 1];
  const y = new Float64Array(elements([batch, heads, queries, out]));
  const scores = new Float64Array(keys);
  const dot = (i: number, of: Dense, row: number) => {
    let sum = 0;
    for (let d = 0; d < depth; d++) sum += q.data[i * depth + d]! * of.data[row * depth + d]!;
    return sum;
  };
  for (let i = 0; i < batch * heads * queries; i++) {
    const [head, query] = [Math.floor(i / queries), i % queries];
    let most = Number.NEGATIVE_INFINITY;
    for (let j = 0; j < keys; j++) {
      let score = attrs.scale * dot(i, k, head * keys + j);
      if (bias) score += bias.data[i * keys + j]!;
      if (height && width) {
        const down = Math.floor(query / columns) - Math.floor(j / columns) + rows - 1;
        score +=
          dot(i, height, down) + dot(i, width, (query % columns) - (j % columns) + columns - 1);
      }
      scores[j] = score;
      most = Math.max(most, score);
    }
    let total = 0;
    for (let j = 0; j < keys; j++) total += scores[j] = Math.exp(scores[j]! - most);
    for (let j = 0; j < keys; j++)
      for (let d = 0; d < out; d++)
        y[i * out + d]! += (scores[j]! / total) * v.data[(head * keys + j) * out + d]!;
  }
  return y;
}
