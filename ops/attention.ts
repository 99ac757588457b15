/**
 * attention: softmax(scale * q kT + bias + relative) v, as one kernel that never stores the scores.
 *
 * The relative terms are SAM's decomposed positions (segment-anything, `image_encoder.py`,
 * `add_decomposed_rel_pos`): queries and keys lie on one H x W grid, and the score of (i, j) gains
 * <q_i, height[y_i - y_j + H - 1]> + <q_i, width[x_i - x_j + W - 1]>, with the unscaled q.
 */
import {
  apply,
  type Case,
  type Dense,
  elements,
  type Fail,
  gradient,
  type KernelOp,
  show,
  type Tensor,
  type Tests,
  type Type,
} from "../compiler/op.ts";
import { add } from "./add.ts";
import {
  type AttentionAttrs,
  operands,
  sharedAttention,
  sharedQueries,
} from "./attention-shared.ts";
import { rowsPerLane, subgroupAttention } from "./attention-subgroup.ts";
import { broadcastTo } from "./broadcast.ts";
import { gather } from "./gather.ts";
import { iota } from "./iota.ts";
import { matmul, transpose } from "./matmul.ts";
import { mul } from "./mul.ts";
import { permute } from "./permute.ts";
import { reshape } from "./reshape.ts";
import { softmax } from "./softmax.ts";
import { sub } from "./sub.ts";

const plainCase = (claim: string, q: number[], kv: number[], out: number): Case => ({
  claim,
  inputs: [{ shape: q }, { shape: kv }, { shape: [...kv.slice(0, 3), out] }],
  call: (a, b, c) => attention(a!, b!, c!),
  smooth: true,
});

const relativeCase = (
  claim: string,
  heads: number,
  rows: number,
  columns: number,
  depth: number,
) => ({
  claim,
  inputs: [
    ...[0, 1, 2].map(() => ({ shape: [1, heads, rows * columns, depth] })),
    { shape: [2 * rows - 1, depth] },
    { shape: [2 * columns - 1, depth] },
  ],
  call: (...[q, k, v, height, width]: Tensor[]) =>
    attention(q!, k!, v!, { relative: { height: height!, width: width!, grid: [rows, columns] } }),
  smooth: true,
});

const attentionTests: Tests = {
  samples: [
    {
      claim: "equal keys average the values",
      inputs: [
        [[[[1, 0]]]],
        [
          [
            [
              [0, 0],
              [0, 0],
            ],
          ],
        ],
        [[[[2], [4]]]],
      ],
      call: (q, k, v) => attention(q!, k!, v!),
      outputs: [[[[[3]]]]],
    },
    {
      claim: "a bias of ln 3 gives a key three quarters of the weight",
      inputs: [[[[[0]]]], [[[[1], [1]]]], [[[[0], [4]]]], [[[[0, Math.log(3)]]]]],
      call: (q, k, v, bias) => attention(q!, k!, v!, { bias: bias! }),
      outputs: [[[[[3]]]]],
    },
  ],
  cases: [
    plainCase("odd token counts", [1, 2, 21, 8], [1, 2, 35, 8], 8),
    plainCase("values of another depth", [2, 1, 5, 6], [2, 1, 9, 6], 3),
    plainCase("more keys than one tile holds", [1, 1, 3, 4], [1, 1, 150, 4], 4),
    relativeCase("relative positions on an odd grid", 2, 3, 5, 8),
    relativeCase("relative positions on a window", 1, 7, 7, 4),
    {
      claim: "a mask hides keys",
      inputs: [
        { shape: [1, 2, 9, 4] },
        { shape: [1, 2, 13, 4] },
        { shape: [1, 2, 13, 4] },
        { shape: [1, 1, 1, 13] },
      ],
      call: (q, k, v, bias) => attention(q!, k!, v!, { bias: bias! }),
      smooth: true,
    },
  ],
};

export const op: KernelOp<AttentionAttrs> = {
  name: "attention",
  kind: "kernel",
  type: (inputs, attrs, fail) => [resultType(inputs, attrs, fail)],
  kernel: (site) => (site.profile.subgroup ? subgroupAttention(site) : sharedAttention(site)),
  oracle: (inputs, attrs) => [plain(inputs, attrs)],
  reads(inputs, attrs, input, profile) {
    if (input === 0) return 1;
    const queries = inputs[0]!.shape[2]!;
    const width = profile.subgroup;
    const tile = width
      ? width * rowsPerLane(queries, width)
      : sharedQueries(inputs, attrs, profile);
    return Math.ceil(queries / tile);
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
