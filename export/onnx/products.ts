/** Matrix products, convolutions among them, and attention. */
import { elements, type Tensor } from "../../compiler/op-kit.ts";
import { op as softmax } from "../../ops/lines/softmax.ts";
import { op as matmul } from "../../ops/matmul/matmul.ts";
import { op as reshape } from "../../ops/views/reshape.ts";
import { adjoint as fold, op as unfold, type Windows } from "../../ops/views/unfold.ts";
import { type Entry, entry, type Spelled } from "./spelling.ts";
import type { OnnxWriter, Value } from "./writer.ts";

export const products: readonly Entry[] = [
  entry(matmul, (site) => convolution(site) ?? segments(site)),
  entry(softmax, ({ w, wide, attrs: { axis } }) => {
    const x = wide(0);
    return w.emit("Softmax", [x], "f32", x.shape, { axis: { int: axis } });
  }),
  entry(unfold, ({ w, wide, attrs, types }) => windows(w, wide(0), attrs, types[0]!.shape)),
  entry(fold, ({ w, wide, attrs }) => {
    const x = wide(0);
    const [batch, channels, ...rest] = x.shape as readonly number[];
    const [kh, kw, oh, ow] = rest as [number, number, number, number];
    const columns = w.reshape(x, [batch!, channels! * kh * kw, oh * ow]);
    return w.emit(
      "Col2Im",
      [columns, w.list(attrs.size), w.list(attrs.kernel)],
      x.dtype,
      [batch!, channels!, ...attrs.size],
      { strides: { ints: attrs.stride }, pads: pads(attrs) },
    );
  }),
];

const pads = ({ padding: [rows, columns] }: Windows) => ({ ints: [rows, columns, rows, columns] });

function segments({ w, x, wide }: Spelled<null>): Value {
  const parts: Value[] = [];
  for (let i = 0; i < x.length; i += 2) parts.push(w.product(matrix(i), matrix(i + 1)));
  return parts.reduce((a, b) => w.map("Add", [a, b]));

  /** Batches may be narrow, a matrix may not. */
  function matrix(i: number): Value {
    const whole = wide(i);
    const { shape } = x[i]!;
    const fits = shape.length >= 2 && shape.slice(-2).join() === whole.shape.slice(-2).join();
    return fits ? x[i]! : whole;
  }
}

/** A product of a kernel with windows of an image: what conv2d is made of. */
function convolution({ w, node, x, known, types }: Spelled<null>): Value | undefined {
  const columns = node.inputs[1]!;
  const laid = columns.node.op === reshape ? columns.node.inputs[0]! : columns;
  if (node.inputs.length !== 2 || laid.node.op !== unfold) return undefined;
  const [n, channels, kh, kw, oh, ow] = laid.shape as readonly number[] as Windowed;
  const depth = columns.shape.at(-2)!;
  const groups = (channels * kh * kw) / depth;
  const batch = columns.shape.slice(0, -2);
  const grouped = groups === 1 ? [n] : [n, groups];
  const plain = batch.join() === grouped.join() || (batch.length === 0 && n * groups === 1);
  if (!plain || columns.shape.at(-1) !== oh * ow) return undefined;
  const each = node.inputs[0]!.shape.at(-2)!;
  const kernel = x[0]!;
  const own = groups === 1 ? [each, depth] : [groups, each, depth];
  const isOwn = kernel.shape.slice(-own.length).join() === own.join();
  // A kernel of its own for every image is no convolution.
  if (!isOwn || elements(kernel.shape) !== elements(own)) return undefined;
  const [image] = laid.node.inputs as readonly [Tensor];
  const weight = w.reshape(kernel, [groups * each, channels / groups, kh, kw]);
  const attrs = laid.node.attrs as Windows;
  const y = convolve(w, w.expand(known(image), image.shape), weight, attrs, groups, [oh, ow]);
  return w.reshape(y, types[0]!.shape);
}

type Windowed = readonly [number, number, number, number, number, number];

export function convolve(
  w: OnnxWriter,
  image: Value,
  weight: Value,
  attrs: Windows,
  groups: number,
  grid: readonly [number, number],
): Value {
  const shape = [image.shape[0]!, weight.shape[0]!, ...grid];
  return w.emit("Conv", [image, weight], "f32", shape, {
    kernel_shape: { ints: attrs.kernel },
    strides: { ints: attrs.stride },
    pads: pads(attrs),
    group: { int: groups },
  });
}

/** The windows themselves: rows and then columns of the padded image are gathered. */
function windows(
  w: OnnxWriter,
  x: Value,
  { stride, padding: [rows, columns] }: Windows,
  shape: readonly number[],
): Value {
  const [n, c, height, width] = x.shape as [number, number, number, number];
  const size = [n, c, height + 2 * rows, width + 2 * columns];
  const widths = w.list([0, 0, rows, columns, 0, 0, rows, columns]);
  const padded = w.emit("Pad", [x, widths, w.number(0, x.dtype)], x.dtype, size);
  const [kh, kw, oh, ow] = shape.slice(2) as [number, number, number, number];
  const tall = taken(w, padded, 2, places(kh, oh, stride[0]), [kh, oh]);
  const all = taken(w, tall, 4, places(kw, ow, stride[1]), [kw, ow]);
  return w.transpose(all, [0, 1, 2, 4, 3, 5]);
}

/** Of every tap and window the place on the image. */
const places = (taps: number, count: number, stride: number): number[] =>
  Array.from({ length: taps * count }, (_, i) => Math.floor(i / count) + (i % count) * stride);

/** Elements along an axis by constant numbers, which have a shape of their own. */
export function taken(
  w: OnnxWriter,
  x: Value,
  axis: number,
  numbers: readonly number[],
  shape: readonly number[],
): Value {
  const result = [...x.shape.slice(0, axis), ...shape, ...x.shape.slice(axis + 1)];
  const indices = w.constant("i64", shape, numbers);
  return w.emit("Gather", [x, indices], x.dtype, result, { axis: { int: axis } });
}
