/** Resizing along axes, and the matrix that it is. */
import { elements, type Tensor } from "../../compiler/op-kit.ts";
import type { Resampling } from "../../ops/resample/kernel.ts";
import { op as resampleMatrix } from "../../ops/resample/matrix.ts";
import { op as resample } from "../../ops/resample/resample.ts";
import { taken } from "./products.ts";
import { type Entry, entry, type Spelled } from "./spelling.ts";
import type { OnnxWriter, Value } from "./writer.ts";

export const resamplings: readonly Entry[] = [
  entry(resample, (site) => {
    const { w, wide, attrs } = site;
    if (attrs.mode === "nearest") {
      const nearest = Array.from({ length: attrs.to }, (_, d) => tapsAt(attrs, d)[0]!.at);
      return taken(w, wide(0), attrs.axis, nearest, [attrs.to]);
    }
    return resizedImage(site) ?? resizedAxis(w, wide(0), attrs);
  }),
  entry(resampleMatrix, ({ w, attrs }) => {
    const { from, to } = attrs;
    const values = Array(to * from).fill(0) as number[];
    for (let d = 0; d < to; d++)
      for (const { at, weight } of tapsAt(attrs, d)) values[d * from + at]! += weight;
    return w.constant("f32", [to, from], values);
  }),
];

interface Axis extends Resampling {
  readonly axis: number;
}

/** Rows and then columns of an image in one operator, as they were written in one call. */
function resizedImage({ w, node, attrs, known }: Spelled<Axis>): Value | undefined {
  const rows = node.inputs[0]!.node;
  if (rows.op !== resample || attrs.axis !== 3) return undefined;
  const before = rows.attrs as Axis;
  const [image] = rows.inputs as readonly [Tensor];
  if (before.axis !== 2 || before.mode !== attrs.mode || image.shape.length !== 4) return undefined;
  const [height, width] = [ratio(before), ratio(attrs)];
  if (height.corners !== width.corners) return undefined;
  const x = w.expand(known(image), image.shape);
  return resize(w, x, [...x.shape.slice(0, 2), before.to, attrs.to], {
    mode: attrs.mode,
    corners: height.corners,
    scales: [1, 1, height.scale, width.scale],
  });
}

/** One axis alone: the axes before it are channels, those behind it columns that stay. */
function resizedAxis(w: OnnxWriter, x: Value, attrs: Axis): Value {
  const [lead, tail] = [x.shape.slice(0, attrs.axis), x.shape.slice(attrs.axis + 1)];
  const [before, after] = [elements(lead), elements(tail)];
  const { scale, corners } = ratio(attrs);
  const image = w.reshape(x, [1, before, attrs.from, after]);
  const y = resize(w, image, [1, before, attrs.to, after], {
    mode: attrs.mode,
    corners,
    scales: [1, 1, scale, 1],
  });
  return w.reshape(y, [...lead, attrs.to, ...tail]);
}

interface Resize {
  readonly mode: Resampling["mode"];
  readonly corners: boolean;
  readonly scales: readonly number[];
}

/** Resizes images to `shape`, by scales that it may not tell exactly. */
export function resize(
  w: OnnxWriter,
  x: Value,
  shape: readonly number[],
  { mode, corners, scales }: Resize,
): Value {
  // Sizes say it exactly, unless the scale that was asked for is another than they make.
  const exact = corners || shape.every((n, i) => Math.abs(scales[i]! * x.shape[i]! - n) < 1e-6 * n);
  const extents = exact
    ? [undefined, w.list(shape)]
    : [w.constant("f32", [scales.length], scales), undefined];
  return w.emit("Resize", [x, undefined, ...extents], "f32", shape, {
    mode: { text: mode === "bilinear" ? "linear" : "cubic" },
    cubic_coeff_a: { float: -0.75 },
    coordinate_transformation_mode: { text: corners ? "align_corners" : "half_pixel" },
  });
}

/** How often the scale that was asked for enlarges, and whether corners fall on corners. */
function ratio({ factor, divisor, offset, from, to }: Resampling) {
  // Positions are (d * factor + offset) / divisor - 1; between centres half a step is added.
  const corners = offset === divisor && factor !== divisor;
  return { corners, scale: factor === 0 ? to / from : divisor / factor };
}

/** Which elements element `d` is made of, and with which weights: `tapsOf`, for numbers. */
function tapsAt(r: Resampling, d: number): { readonly at: number; readonly weight: number }[] {
  const position = d * r.factor + r.offset;
  const whole = Math.floor(position / r.divisor);
  if (r.mode === "nearest") {
    const other = r.exceptions.find(([element]) => element === d);
    return [{ at: other?.[1] ?? Math.min(whole, r.from - 1), weight: 1 }];
  }
  const t = (position % r.divisor) / r.divisor;
  const weights =
    r.mode === "bilinear" ? [1 - t, t] : [far(1 + t), near(t), near(1 - t), far(2 - t)];
  const before = r.shift + (r.mode === "bicubic" ? 1 : 0);
  return weights.map((weight, i) => {
    const at = Math.min(Math.max(whole + i - before, 0), r.from - 1);
    return { at, weight };
  });
}

/** The cubic convolution of Keys with a = -3/4, within one element and beyond it. */
const a = -0.75;
const near = (x: number) => ((a + 2) * x - (a + 3)) * x * x + 1;
const far = (x: number) => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
