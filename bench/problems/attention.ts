/**
 * Attention with decomposed relative positions, as in a global block of SAM ViT-B at 512 pixels: 12
 * heads of 64 numbers, 1024 tokens on a 32 x 32 grid. Each peer gets it as its user would write it:
 * ONNX Runtime as one MultiHeadAttention with the positions as its bias, the others as products and a
 * softmax. Tables of positions are weights, gathered ahead of time for the peers.
 */
import { input, trace } from "../../compiler/index.ts";
import { attention } from "../../ops/index.ts";
import { type Comparison, ours, type Runner } from "../measure/comparison.ts";
import { type Place, wordsFor } from "../measure/place.ts";
import { largestDifference } from "../measure/rounds.ts";
import { peersAt } from "../systems/field.ts";
import { openOurs } from "../systems/inarch.ts";
import { type Jax, type JaxArray, type JaxFunction, openJax } from "../systems/jax-js.ts";
import { encodeFile, type FileNode, type FileTensor, list } from "../systems/onnx-file.ts";
import { type Ort, openOnnxRuntime } from "../systems/onnx-runtime.ts";
import {
  openTensorflow,
  type Tf,
  type TfFunction,
  type TfTensor,
} from "../systems/tensorflow-js.ts";
import { numbers, weightsFor } from "./numbers.ts";

const [heads, grid, depth] = [12, 32, 64];
const tokens = grid * grid;
const scale = 1 / Math.sqrt(depth);

/** Queries, keys and values, `[heads, tokens, depth]` row by row. */
const names = ["q", "k", "v"] as const;
const operand = (i: number) => ({
  data: numbers(10 + i, heads * tokens * depth),
  shape: [heads, tokens, depth],
});

/** A table `[2 grid - 1, depth]`: what positions a certain way apart add. */
const table = (axis: number) =>
  numbers(20 + axis, (2 * grid - 1) * depth).map((v) => v / 4) as Float32Array<ArrayBuffer>;

/** A table gathered: for query i and key j its row i - j + grid - 1, `[grid, grid, depth]`. */
function gathered(axis: number): Float32Array {
  const rows = table(axis);
  const out = new Float32Array(grid * grid * depth);
  for (let i = 0; i < grid; i++)
    for (let j = 0; j < grid; j++) {
      const row = i - j + grid - 1;
      out.set(rows.subarray(row * depth, (row + 1) * depth), (i * grid + j) * depth);
    }
  return out;
}

const gatheredTables = () =>
  [0, 1].map((axis) => ({ data: gathered(axis), shape: [grid, grid, depth] }));

export function attentions(place: Place): Comparison[] {
  const us = "inarch";
  const operands = () => names.map((_, i) => operand(i));
  const peers = peersAt(place, {
    onnx: (ort) => (ort.provider === "webgpu" ? openOrtWebGpu(ort) : openOrt(ort, inProducts)),
    jax: (backend) => openJax(backend, inJax, operands(), gatheredTables()),
    tensorflow: (backend) => openTensorflow(backend, inTensorflow, operands(), gatheredTables()),
  });
  return [
    {
      name: `attention, ${heads} heads, ${tokens} tokens, ${depth} dims, relative positions${wordsFor(place)}`,
      group: "attention",
      contestants: [{ name: us, process: ours, open: () => openAttention(place) }, ...peers],
      pairs: peers.map(({ name }) => ({ of: name, to: us })),
      agreements: peers.map(({ name }) => ({ of: name, to: us, tolerance: 1e-4 })),
    },
  ];
}

function openAttention(place: Place) {
  const relative = [2 * grid - 1, depth] as const;
  const graph = trace((p) => {
    const [q, k, v] = names.map((name) => input(name, "f32", [1, heads, tokens, depth]));
    const [height, width] = [p.f32("height", relative), p.f32("width", relative)];
    return {
      y: attention(q!, k!, v!, { scale, relative: { height, width, grid: [grid, grid] } }),
    };
  }, {});
  const inputs = Object.fromEntries(names.map((name, i) => [name, operand(i).data]));
  const weights: typeof weightsFor = (parameters) =>
    weightsFor(parameters, (name) => table(name === "height" ? 0 : 1));
  return openOurs({ graph, inputs, weights }, place);
}

/**
 * The fused operator if it is right on this device, else products and a softmax: with subgroups of
 * eight, as software devices have them, the former was seen to be wrong by a tenth.
 */
async function openOrtWebGpu(ort: Ort): Promise<Runner> {
  const [fused, plain] = [await openOrt(ort, inOne), await openOrt(ort, inProducts)];
  const difference = largestDifference(await fused.run(), await plain.run());
  if (difference <= 1e-3) {
    await plain.close();
    return { ...fused, facts: "its MultiHeadAttention" };
  }
  await fused.close();
  const wrong = `its MultiHeadAttention is wrong here by ${difference.toPrecision(2)}`;
  return { ...plain, facts: `products and softmax: ${wrong}` };
}

function openOrt(ort: Ort, [nodes, constants]: Spelled): Promise<Runner> {
  const [height, width] = gatheredTables().map(({ data }) => ({
    data: transposed(data),
    shape: [1, grid, depth, grid],
  }));
  const model = encodeFile({
    nodes: [...positions, ...nodes],
    constants: {
      height: height!,
      width: width!,
      map: list(heads, grid, grid, depth),
      rows: list(heads, grid, grid, grid, 1),
      columns: list(heads, grid, grid, 1, grid),
      ...constants,
    },
    inputs: Object.fromEntries(names.map((name, i) => [name, operand(i).shape])),
    outputs: { y: [heads, tokens, depth] },
  });
  const inputs = Object.fromEntries(names.map((name, i) => [name, operand(i)]));
  return openOnnxRuntime(model, ort, inputs);
}

const node = (op: string, inputs: string[], output: string, perm?: number[]): FileNode => ({
  op,
  inputs,
  outputs: [output],
  ...(perm ? { attributes: { perm } } : {}),
});

/** `bias_map`, `[heads, grid, grid, grid, grid]`: what positions add to the scores. */
const positions: readonly FileNode[] = [
  node("Reshape", ["q", "map"], "q_map"),
  node("MatMul", ["q_map", "height"], "by_row"),
  node("Transpose", ["q_map"], "q_turned", [0, 2, 1, 3]),
  node("MatMul", ["q_turned", "width"], "by_column_turned"),
  node("Transpose", ["by_column_turned"], "by_column", [0, 2, 1, 3]),
  node("Reshape", ["by_row", "rows"], "rows_wide"),
  node("Reshape", ["by_column", "columns"], "columns_wide"),
  node("Add", ["rows_wide", "columns_wide"], "bias_map"),
];

type Spelled = readonly [nodes: readonly FileNode[], constants: Record<string, FileTensor>];

/** As ONNX Runtime's own operator, which a user of its transformer tools gets. */
const inOne: Spelled = [
  [
    node("Reshape", ["bias_map", "scores"], "bias"),
    node("Transpose", ["q"], "q_tokens", [1, 0, 2]),
    node("Reshape", ["q_tokens", "rows_of_tokens"], "query"),
    node("Reshape", ["k", "one_image"], "key"),
    node("Reshape", ["v", "one_image"], "value"),
    {
      op: "MultiHeadAttention",
      inputs: ["query", "key", "value", "", "", "bias"],
      outputs: ["attended"],
      attributes: { num_heads: heads },
      domain: "com.microsoft",
    },
    node("Reshape", ["attended", "by_head"], "attended_heads"),
    node("Transpose", ["attended_heads"], "y", [1, 0, 2]),
  ],
  {
    scores: list(1, heads, tokens, tokens),
    rows_of_tokens: list(1, tokens, heads * depth),
    one_image: list(1, heads, tokens, depth),
    by_head: list(tokens, heads, depth),
  },
];

/** As PyTorch's exporter writes SAM. */
const inProducts: Spelled = [
  [
    node("Mul", ["q", "scale"], "scaled"),
    node("Transpose", ["k"], "k_turned", [0, 2, 1]),
    node("MatMul", ["scaled", "k_turned"], "products"),
    node("Reshape", ["bias_map", "scores"], "bias"),
    node("Add", ["products", "bias"], "logits"),
    node("Softmax", ["logits"], "shares"),
    node("MatMul", ["shares", "v"], "y"),
  ],
  {
    scale: { data: Float32Array.of(scale), shape: [1] },
    scores: list(heads, tokens, tokens),
  },
];

/** `[grid, grid, depth]` to `[grid, depth, grid]`. */
function transposed(data: Float32Array): Float32Array {
  const at = (i: number, d: number, j: number) => data[(i * grid + j) * depth + d]!;
  return Float32Array.from({ length: data.length }, (_, n) =>
    at(Math.floor(n / (depth * grid)), Math.floor(n / grid) % depth, n % grid),
  );
}

/** Queries, keys, values and the two tables. */
type Five<T> = [q: T, k: T, v: T, height: T, width: T];

function inJax({ numpy, nn }: Jax): JaxFunction {
  return (...operands) => {
    const [q, k, v, height, width] = operands as Five<JaxArray>;
    const map = q.ref.reshape([heads, grid, grid, depth]);
    // Axes by number: 0 head, 1 row and 2 column of the query, 3 depth, 4 row or column of the key.
    const byRow = numpy.einsum(map.ref, [0, 1, 2, 3], height, [1, 4, 3], [0, 1, 2, 4]);
    const byColumn = numpy.einsum(map, [0, 1, 2, 3], width, [2, 4, 3], [0, 1, 2, 4]);
    const bias = byRow
      .reshape([heads, grid, grid, grid, 1])
      .add(byColumn.reshape([heads, grid, grid, 1, grid]))
      .reshape([heads, tokens, tokens]);
    const products = numpy.matmul(q.mul(scale), numpy.transpose(k, [0, 2, 1]));
    return numpy.matmul(nn.softmax(products.add(bias), -1), v);
  };
}

function inTensorflow(tf: Tf): TfFunction {
  return (...operands) => {
    const [q, k, v, height, width] = operands as Five<TfTensor>;
    const map = tf.reshape(q, [heads, grid, grid, depth]);
    const apart = (order: number[], positions: TfTensor) => {
      const rows = tf.reshape(tf.transpose(map, order), [grid, heads * grid, depth]);
      const products = tf.matMul(rows, positions, false, true);
      return tf.reshape(products, [grid, heads, grid, grid]);
    };
    const byRow = tf.transpose(apart([1, 0, 2, 3], height), [1, 0, 2, 3]);
    const byColumn = tf.transpose(apart([2, 0, 1, 3], width), [1, 2, 0, 3]);
    const bias = tf.reshape(
      tf.add(
        tf.reshape(byRow, [heads * tokens, grid, 1]),
        tf.reshape(byColumn, [heads * tokens, 1, grid]),
      ),
      [heads, tokens, tokens],
    );
    const scores = tf.add(tf.matMul(tf.mul(q, scale), k, false, true), bias);
    return tf.matMul(tf.softmax(scores), v);
  };
}
