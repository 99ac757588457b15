/**
 * A block of a vision transformer that attends within windows: padding, partition, heads, crop and
 * the way back are views, and none of them is a kernel.
 */
import { defineModel, input, type Tensor } from "../../../compiler/index.ts";
import {
  add,
  attention,
  layerNorm,
  matmul,
  pad,
  permute,
  reshape,
  slice,
} from "../../../ops/index.ts";

// A map of 6 x 6 tokens in windows of 4 x 4: two by two windows, the last ones partly padding.
const [grid, window, windows, heads, depth] = [6, 4, 2, 2, 8];
const width = heads * depth;
const tokens = window * window;

export default defineModel({
  name: "window-attention",
  build(p) {
    const x = input("x", "f32", [grid, grid, width]);
    const normal = layerNorm(
      x,
      p.at("norm").f32("weight", [width]),
      p.at("norm").f32("bias", [width]),
    );
    const rows = reshape(partition(normal), [windows * windows * tokens, width]);
    const qkv = add(
      matmul(rows, p.at("qkv").f32("weight", [width, 3 * width])),
      p.at("qkv").f32("bias", [3 * width]),
    );
    const third = (i: number) => toHeads(slice(qkv, [[], [i * width, (i + 1) * width]]));
    const relative = {
      height: p.f32("rel_pos_h", [2 * window - 1, depth]),
      width: p.f32("rel_pos_w", [2 * window - 1, depth]),
      grid: [window, window],
    } as const;
    const mixed = attention(third(0), third(1), third(2), { relative });
    const joined = reshape(permute(mixed, [0, 2, 1, 3]), [windows * windows * tokens, width]);
    const projected = matmul(joined, p.at("proj").f32("weight", [width, width]));
    return { y: add(x, unpartition(projected)) };
  },
});

/** [6, 6, width] -> [windows, tokens, width], padded with zeros to 8 x 8. */
function partition(map: Tensor<"f32">): Tensor<"f32"> {
  const missing = windows * window - grid;
  const padded = pad(map, [
    [0, missing],
    [0, missing],
  ]);
  const split = reshape(padded, [windows, window, windows, window, width]);
  return reshape(permute(split, [0, 2, 1, 3, 4]), [windows * windows, tokens, width]);
}

/** The inverse: what was padding is cut off. */
function unpartition(rows: Tensor<"f32">): Tensor<"f32"> {
  const split = reshape(rows, [windows, windows, window, window, width]);
  const side = windows * window;
  const map = reshape(permute(split, [0, 2, 1, 3, 4]), [side, side, width]);
  return slice(map, [
    [0, grid],
    [0, grid],
  ]);
}

/** [rows, width] -> [windows, heads, tokens, depth]. */
const toHeads = (rows: Tensor<"f32">): Tensor<"f32"> =>
  permute(reshape(rows, [windows * windows, tokens, heads, depth]), [0, 2, 1, 3]);
