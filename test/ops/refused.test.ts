/** What ops refuse: every shape rule says what is wrong, with sizes, and what to type instead. */
import { expect, test } from "vitest";
import { input } from "../../compiler/graph/sources.ts";
import type { DType, Tensor } from "../../compiler/graph/tensor.ts";
import { InarchError } from "../../diagnostics/index.ts";
import * as ops from "../../ops/index.ts";

/** A tensor of some shape, as untyped as one whose sizes are known at trace time only. */
const t = (shape: readonly number[], dtype: DType = "f32"): Tensor => input("x", dtype, shape);
/** Four heads of three queries over two of five keys, twice. */
const heads = (): [Tensor, Tensor, Tensor] => [
  t([2, 4, 3, 6]),
  ...([t([2, 2, 5, 6]), t([2, 2, 5, 7])] as const),
];
const image = () => t([1, 4, 6, 6]);

const refused: readonly (readonly [message: string, help: string, call: () => unknown])[] = [
  [
    "sum: axis 2 of a tensor of rank 2",
    "axes go from 0 to 1, or from -2 to -1 counted from the end",
    () => ops.sum(t([2, 3]), 2),
  ],
  ["max: axis 0 of a tensor of rank 0", "reshape it first", () => ops.max(t([]), 0)],
  ["sum: axis 1 is named twice", "name each axis once", () => ops.sum(t([2, 3]), [1, -1])],
  ["mean: takes f32, not i32", 'cast(x, "f32")', () => ops.mean(t([2], "i32"))],
  ["sum: takes numbers, not bool", 'cast(x, "i32")', () => ops.sum(t([2], "bool"))],
  ["max: takes numbers, not bool", 'cast(x, "i32")', () => ops.max(t([2], "bool"))],
  [
    "sum: [2, 1] does not broadcast to [3, 4]",
    "aligned at the last axis",
    () => ops.sumTo(t([3, 4]), [2, 1]),
  ],
  ["broadcast: sizes 3 and 4 do not broadcast", "", () => ops.broadcastTo(t([3]), [2, 4])],
  ["broadcast: a tensor of rank 2 does not fit [4]", "", () => ops.broadcastTo(t([1, 4]), [4])],
  ["add: sizes 2 and 3 do not broadcast", "reshape one of them", () => ops.add(t([2]), t([3]))],
  ["exp: takes f32, not i32[2]", 'cast(x, "f32")', () => ops.exp(t([2], "i32"))],
  ["add: operands are f32[2] and i32[2]", 'cast(x, "f32")', () => ops.add(t([2]), t([2], "i32"))],
  ["and: takes bool, not f32[2]", 'cast(x, "bool")', () => ops.and(t([2]), t([2]))],
  [
    "where: the condition is f32, not bool",
    "where(gt(x, 0), ...)",
    () => ops.where(t([2]), t([2]), 0),
  ],
  ["pow: takes f32, not i32", 'cast(x, "f32")', () => ops.pow(t([2], "i32"), 2)],
  ["pow: the exponent is NaN", "a finite number", () => ops.pow(t([2]), Number.NaN)],
  ["sin: takes f32, not u32", 'cast(x, "f32")', () => ops.cos(t([2], "u32"))],
  ["iota: axis 2 of [3, 4]", "axes go from 0 to 1", () => ops.iota([3, 4], 2)],
  ["gather: the table has rank 0", "first axis", () => ops.gather(t([]), t([2], "i32"))],
  ["gather: ids are f32", 'cast(ids, "i32")', () => ops.gather(t([5, 2]), t([2]))],
  ["concat: there is nothing to join", "give one or more", () => ops.concat([], 0)],
  [
    "concat: f32[2, 3] and f32[2, 4] do not join along axis 0",
    "all other sizes must be equal",
    () => ops.concat([t([2, 3]), t([2, 4])], 0),
  ],
  ["slice: 2 ranges for rank 1", "one per axis", () => ops.slice(t([4]), [[], [1]])],
  [
    "slice: from 2 to 9 in steps of 1 takes nothing or leaves axis 0 of size 4",
    "0 <= start < stop <= 4",
    () => ops.slice(t([4]), [[2, 9]]),
  ],
  ["slice: from 3 to 1", "negative numbers count from the end", () => ops.slice(t([4]), [[3, 1]])],
  ["pad: 2 widths for rank 1", "one per axis", () => ops.pad(t([4]), [[], [1, 1]])],
  ["pad: a width is -1", "slice(x, ...)", () => ops.pad(t([4]), [[-1, 0]])],
  [
    "unfold: takes [batch, channels, height, width], not f32[4, 4]",
    "reshape it",
    () => ops.unfold(t([4, 4]), { kernel: 2 }),
  ],
  [
    "unfold: no 9 x 9 window fits 6 x 6 with padding 1 x 1",
    "more padding",
    () => ops.unfold(image(), { kernel: 9, padding: 1 }),
  ],
  [
    "unfold: the kernel is 0",
    "a whole number from 1 up",
    () => ops.unfold(image(), { kernel: [0, 2] }),
  ],
  [
    "unfold: the padding is -1",
    "a whole number from 0 up",
    () => ops.unfold(image(), { kernel: 2, padding: -1 }),
  ],
  [
    "fold: f32[1, 8, 4] does not hold 3 x 3 windows of 2 x 2 on 4 x 4",
    "[batch, channels * 4, 9]",
    () => ops.fold(t([1, 8, 4]), [4, 4], { kernel: 2 }),
  ],
  [
    "conv2d: x is f32[4, 6, 6] and weight f32[8, 4, 3, 3]",
    "weight [out, channels / groups, rows, columns]",
    () => ops.conv2d(t([4, 6, 6]), t([8, 4, 3, 3])),
  ],
  [
    "conv2d: 4 channels do not fit a weight f32[8, 3, 3, 3] in 1 groups",
    "channels = weight.shape[1] * groups",
    () => ops.conv2d(image(), t([8, 3, 3, 3])),
  ],
  [
    "conv2d: the bias is f32[4]",
    "it must be f32[8]",
    () => ops.conv2d(image(), t([8, 4, 3, 3]), { bias: t([4]) }),
  ],
  [
    "conv2d: a 9 x 9 kernel is larger than 6 x 6 with padding 0 x 0",
    "a smaller kernel",
    () => ops.conv2d(image(), t([8, 4, 9, 9])),
  ],
  [
    "convTranspose2d: x is f32[4, 6] and weight f32[4, 8, 2, 2]",
    "weight [channels, out / groups, rows, columns]",
    () => ops.convTranspose2d(t([4, 6]), t([4, 8, 2, 2])),
  ],
  [
    "convTranspose2d: 4 channels do not fit a weight f32[5, 8, 2, 2]",
    "weight.shape[0] must equal the channels",
    () => ops.convTranspose2d(image(), t([5, 8, 2, 2])),
  ],
  [
    "convTranspose2d: the bias is f32[4]",
    "it must be f32[8]",
    () => ops.convTranspose2d(image(), t([4, 8, 2, 2]), { bias: t([4]) }),
  ],
  [
    "convTranspose2d: outputPadding 2 x 2",
    "below the stride",
    () => ops.convTranspose2d(image(), t([4, 8, 2, 2]), { stride: 2, outputPadding: 2 }),
  ],
  [
    "convTranspose2d: the result would have the size -10 x -10",
    "less padding",
    () => ops.convTranspose2d(image(), t([4, 8, 1, 1]), { padding: 8 }),
  ],
  [
    "resample: takes [batch, channels, height, width], not f32[4, 4]",
    "",
    () => ops.resample(t([4, 4]), { size: [2, 2], mode: "nearest" }),
  ],
  [
    "resample: axis 2 of size 6 to size 0",
    "a size from 1 up",
    () => ops.resample(image(), { size: [0, 2], mode: "nearest" }),
  ],
  [
    "resample: axis 2 of size 6 to 0.1 times that",
    "a scale that leaves one pixel",
    () => ops.resample(image(), { scale: 0.1, mode: "bilinear" }),
  ],
  [
    "resample: takes f32, not i32",
    'cast(x, "f32")',
    () => ops.resample(t([1, 1, 4, 4], "i32"), { size: [2, 2], mode: "nearest" }),
  ],
  ["softmax: takes f32, not i32", 'cast(x, "f32")', () => ops.softmax(t([4], "i32"))],
  ["normalize: takes f32, not i32", 'cast(x, "f32")', () => ops.normalize(t([4], "i32"), 0, 1)],
  [
    "layerNorm: gamma and beta are f32[4] and f32[3] for 4 normalized elements",
    "both need the shape [4]",
    () => ops.layerNorm(t([2, 4]), t([4]), t([3])),
  ],
  [
    "layerNorm2d: takes [batch, channels, height, width], not f32[2, 4]",
    "",
    () => ops.layerNorm2d(t([2, 4]), t([4]), t([4])),
  ],
  ["topK: the 5 largest of 4", "ask for 1 to 4 of them", () => ops.topK(t([2, 4]), 5)],
  ["topK: takes f32, not i32", 'cast(x, "f32")', () => ops.argmax(t([2, 4], "i32"))],
  [
    "attention: 6 heads of queries do not share 4 heads of keys and values evenly",
    "a divisor of that",
    () => ops.attention(t([1, 6, 3, 2]), t([1, 4, 5, 2]), t([1, 4, 5, 2])),
  ],
  [
    "attention: the mask is f32[5], not bool",
    "mask: gt(x, 0)",
    () => ops.attention(...heads(), { mask: t([5]) }),
  ],
  [
    "attention: the mask is bool[3, 4], which does not broadcast to [2, 4, 3, 5]",
    "aligned at the keys",
    () => ops.attention(...heads(), { mask: t([3, 4], "bool") }),
  ],
  [
    "attention: the bias is bool[5], not f32",
    "the option mask",
    () => ops.attention(...heads(), { bias: t([5], "bool") }),
  ],
  [
    "attention: the bias is f32[2, 4, 3, 5, 1], which does not broadcast to [2, 4, 3, 5]",
    "aligned at the keys",
    () => ops.attention(...heads(), { bias: t([2, 4, 3, 5, 1]) }),
  ],
  [
    "attention: the lengths are i32[3], not i32[2] or u32[2]",
    "a whole number for each batch",
    () => ops.attention(...heads(), { lengths: t([3], "i32") }),
  ],
  [
    "attention: the lengths are f32[2], not i32[2] or u32[2]",
    "a whole number for each batch",
    () => ops.attention(...heads(), { lengths: t([2]) }),
  ],
  [
    "attention: what causal moves by is 0.5",
    "a whole number",
    () => ops.attention(...heads(), { causal: 0.5 }),
  ],
  [
    "attention: heads of keys and values differ: f32[1, 4, 3, 2], f32[1, 2, 5, 2], f32[1, 4, 5, 2]",
    "",
    () => ops.attention(t([1, 4, 3, 2]), t([1, 2, 5, 2]), t([1, 4, 5, 2])),
  ],
];

test.each(refused)("%s", (message, help, call) => {
  let error: unknown;
  try {
    call();
  } catch (caught) {
    error = caught;
  }
  expect(error).toBeInstanceOf(InarchError);
  const { code, kind, details } = error as InarchError;
  expect([code, kind]).toEqual(["E101", "user"]);
  expect(details.message).toContain(message);
  expect(details.help ?? "").toContain(help);
});
