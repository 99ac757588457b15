/** Ops that move elements or repeat them, reductions, and resampling. */
import { elements } from "../../compiler/op-kit.ts";
import { op as full } from "../../ops/elementwise/full.ts";
import { op as iota } from "../../ops/elementwise/iota.ts";
import { op as mul } from "../../ops/elementwise/mul.ts";
import { op as extreme } from "../../ops/lines/reduce.ts";
import { op as topK } from "../../ops/lines/top-k.ts";
import { op as broadcast, adjoint as sum } from "../../ops/views/broadcast.ts";
import { op as bytes } from "../../ops/views/bytes.ts";
import { op as concat } from "../../ops/views/concat.ts";
import { op as gather } from "../../ops/views/gather.ts";
import { op as permute } from "../../ops/views/permute.ts";
import { op as reshape } from "../../ops/views/reshape.ts";
import { adjoint as pad, op as slice } from "../../ops/views/slice.ts";
import { op as stack } from "../../ops/views/stack.ts";
import { op as unfold, type Windows } from "../../ops/views/unfold.ts";
import { convolve } from "./products.ts";
import { type Entry, entry, type Spelled } from "./spelling.ts";
import type { OnnxWriter, Value } from "./writer.ts";

const keep = { keepdims: { int: 1 } };

export const views: readonly Entry[] = [
  entry(reshape, ({ w, wide, attrs }) => w.reshape(wide(0), attrs.shape)),
  entry(permute, ({ w, wide, attrs }) => w.transpose(wide(0), attrs.axes)),
  // Repeating is left to whoever reads the value.
  entry(broadcast, ({ x }) => x[0]!),
  entry(full, ({ w, attrs }) => w.number(attrs.value, attrs.dtype)),
  entry(iota, ({ w, attrs: { shape, axis } }) => {
    const size = shape[axis]!;
    const own = shape.slice(axis).map((n, i) => (i === 0 ? n : 1));
    return w.constant(
      "i32",
      own,
      Array.from({ length: size }, (_, i) => i),
    );
  }),
  entry(bytes, ({ w, wide, types: [type] }) => {
    const words = w.reshape(wide(0), [elements(wide(0).shape), 1]);
    const shifts = w.constant("u32", [4], [0, 8, 16, 24]);
    const shifted = w.emit("BitShift", [words, shifts], "u32", [words.shape[0]!, 4], {
      direction: { text: "RIGHT" },
    });
    const all = w.reshape(w.map("Mod", [shifted, w.number(256, "u32")]), [4 * words.shape[0]!]);
    return w.reshape(sliced(w, all, [0], [1], [elements(type!.shape)]), type!.shape);
  }),
  entry(concat, ({ w, x, wide, attrs: { axis }, types }) => {
    const parts = x.map((_, i) => wide(i));
    return w.emit("Concat", parts, parts[0]!.dtype, types[0]!.shape, { axis: { int: axis } });
  }),
  entry(stack, ({ w, x, wide, types: [type] }) => {
    const rows = x.map((_, i) => w.reshape(wide(i), [1, ...type!.shape.slice(1)]));
    return w.emit("Concat", rows, "f32", type!.shape, { axis: { int: 0 } });
  }),
  entry(slice, ({ w, wide, attrs: { start, step, size } }) => {
    const x = wide(0);
    return sliced(w, x, start, step, size);
  }),
  entry(pad, ({ w, wide, attrs }) => padded(w, wide(0), attrs)),
  entry(gather, ({ w, x, wide, types }) => {
    const table = wide(0);
    const ids = w.map("Clip", [
      w.cast(wide(1), "i64"),
      w.number(0, "i64"),
      w.number(table.shape[0]! - 1, "i64"),
    ]);
    return w.emit("Gather", [table, ids], x[0]!.dtype, types[0]!.shape, { axis: { int: 0 } });
  }),
  entry(sum, (site) => depthwise(site) ?? summed(site)),
  entry(extreme, ({ w, wide, attrs: { of, axes }, types: [type] }) => {
    const opType = of === "max" ? "ReduceMax" : "ReduceMin";
    return w.emit(opType, [wide(0), w.list(axes)], type!.dtype, type!.shape, keep);
  }),
  entry(topK, ({ w, wide, attrs: { axis, count }, types: [type] }) => {
    const shape = type!.shape;
    const [values, places] = w.emitAll(
      "TopK",
      [wide(0), w.list([count])],
      [
        { dtype: "f32", shape },
        { dtype: "i64", shape },
      ],
      { axis: { int: axis } },
    );
    return [values!, w.cast(places!, "i32")];
  }),
];

function sliced(
  w: OnnxWriter,
  x: Value,
  start: readonly number[],
  step: readonly number[],
  size: readonly number[],
): Value {
  const axes = x.shape
    .map((_, i) => i)
    .filter((i) => start[i] !== 0 || step[i] !== 1 || size[i] !== x.shape[i]);
  if (axes.length === 0) return x;
  const starts = axes.map((i) => start[i]!);
  const ends = axes.map((i) => start[i]! + (size[i]! - 1) * step[i]! + 1);
  const lists = [starts, ends, axes, axes.map((i) => step[i]!)].map((list) => w.list(list));
  return w.emit("Slice", [x, ...lists], x.dtype, size);
}

interface Pad {
  readonly size: readonly number[];
  readonly start: readonly number[];
  readonly step: readonly number[];
  readonly value: number;
}

function padded(w: OnnxWriter, x: Value, { size, start, step, value }: Pad): Value {
  const filling = w.number(value, x.dtype);
  const widen = (y: Value, before: readonly number[], after: readonly number[]) =>
    w.emit(
      "Pad",
      [y, w.list([...before, ...after]), filling],
      y.dtype,
      y.shape.map((n, i) => before[i]! + n + after[i]!),
    );
  let y = x;
  for (const [axis, apart] of step.entries()) {
    if (apart === 1) continue;
    // Every element begins a group of its own, whose last rest is cut off again.
    const [lead, tail] = [y.shape.slice(0, axis), y.shape.slice(axis + 1)];
    const n = y.shape[axis]!;
    const single = w.reshape(y, [...lead, n, 1, ...tail]);
    const none = single.shape.map(() => 0);
    const groups = widen(
      single,
      none,
      none.map((_, i) => (i === axis + 1 ? apart - 1 : 0)),
    );
    const line = w.reshape(groups, [...lead, n * apart, ...tail]);
    const ones = line.shape.map(() => 1);
    const whole = line.shape.map((m, i) => (i === axis ? m - apart + 1 : m));
    y = sliced(
      w,
      line,
      ones.map(() => 0),
      ones,
      whole,
    );
  }
  const after = size.map((n, i) => n - start[i]! - y.shape[i]!);
  return [...start, ...after].every((n) => n === 0) ? y : widen(y, start, after);
}

function summed({ w, wide, types: [type] }: Spelled<{ readonly shape: readonly number[] }>): Value {
  const x = wide(0);
  const lead = x.shape.length - type!.shape.length;
  const axes = x.shape
    .map((_, i) => i)
    .filter((i) => i < lead || (type!.shape[i - lead] === 1 && x.shape[i] !== 1));
  const shape = x.shape.map((n, i) => (axes.includes(i) ? 1 : n));
  return w.reshape(w.emit("ReduceSum", [x, w.list(axes)], x.dtype, shape, keep), type!.shape);
}

/** Windows times a kernel for each channel, summed over the taps: conv2d of one channel per group. */
function depthwise({ w, node, known, types: [type] }: Spelled<unknown>): Value | undefined {
  const product = node.inputs[0]!.node;
  if (product.op !== mul) return undefined;
  for (const [laid, factors] of [product.inputs, [...product.inputs].reverse()]) {
    if (laid!.node.op !== unfold) continue;
    const [n, channels, kh, kw, oh, ow] = laid!.shape as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const kernel = known(factors!);
    const own = [channels, kh, kw, 1, 1];
    const wanted = [n, channels, 1, 1, oh, ow];
    if (elements(kernel.shape) !== elements(own) || type!.shape.join() !== wanted.join()) continue;
    if (kernel.shape.slice(-5).join() !== own.join()) continue;
    const image = laid!.node.inputs[0]!;
    const weight = w.reshape(kernel, [channels, 1, kh, kw]);
    const attrs = laid!.node.attrs as Windows;
    const x = w.expand(known(image), image.shape);
    return w.reshape(convolve(w, x, weight, attrs, channels, [oh, ow]), wanted);
  }
  return undefined;
}
