/** A view applied: the picture is resampled as the published preparation does, targets take the nearest pixel. */
import type { Image } from "../../predict/vision/image.ts";
import { resizeBytes } from "../../predict/vision/resize.ts";
import { channelsOf, ignored, type Sample, type Target, type Viewed } from "./sample.ts";
import { drawView, type View, type ViewRequest } from "./view.ts";

/** An item as it is seen at a position of the training. */
export const see = (sample: Sample, request: ViewRequest): Viewed =>
  applyView(sample, drawView(sample.image, request));

/** Padding does not count: its labels are -1, its depths and normals 0. */
function applyView({ image, targets }: Sample, view: View): Viewed {
  return {
    image: planes(pictureOf(image, view), view, new Uint8Array(3 * view.side ** 2)),
    valid: validOf(view),
    targets: Object.fromEntries(
      Object.entries(targets).map(([task, target]) => [task, targetOf(target, image.width, view)]),
    ),
  };
}

/** The part that is seen, at its new size and in its colours: `[to.height, to.width, 3]`. */
function pictureOf({ data, width }: Image, { from, to, filter, colours }: View): Uint8Array {
  const part = new Uint8Array(from.width * from.height * 3);
  for (let y = 0; y < from.height; y++) {
    const start = ((from.y + y) * width + from.x) * 3;
    part.set(data.subarray(start, start + from.width * 3), y * from.width * 3);
  }
  return recolour(resizeBytes(part, from, to, 3, filter), colours);
}

/** Brightness, contrast and saturation, as torchvision's `adjust_*` mix with black, mean grey and grey. */
function recolour(data: Uint8Array, { brightness, contrast, saturation }: View["colours"]) {
  if (brightness === 1 && contrast === 1 && saturation === 1) return data;
  let sum = 0;
  for (let i = 0; i < data.length; i += 3) sum += grey(data[i]!, data[i + 1]!, data[i + 2]!);
  const mean = (brightness * sum * 3) / data.length;
  const [factor, rest] = [contrast * brightness, (1 - contrast) * mean];
  const out = new Uint8ClampedArray(data.length);
  for (let i = 0; i < data.length; i += 3) {
    const red = rest + factor * data[i]!;
    const green = rest + factor * data[i + 1]!;
    const blue = rest + factor * data[i + 2]!;
    const own = (1 - saturation) * grey(red, green, blue);
    out[i] = own + saturation * red;
    out[i + 1] = own + saturation * green;
    out[i + 2] = own + saturation * blue;
  }
  return new Uint8Array(out.buffer);
}

const grey = (r: number, g: number, b: number) => 0.299 * r + 0.587 * g + 0.114 * b;

function validOf({ to, side }: View): Uint8Array {
  const valid = new Uint8Array(side * side);
  for (let y = to.y; y < to.y + to.height; y++)
    valid.fill(1, y * side + to.x, y * side + to.x + to.width);
  return valid;
}

function targetOf(target: Target, width: number, view: View): Target {
  const { side, zoom, isMirrored, isOverturned } = view;
  if (target.kind === "labels") {
    const out = new Int32Array(side ** 2).fill(ignored);
    return { kind: "labels", data: planes(nearest(target.data, 1, width, view), view, out) };
  }
  const channels = channelsOf(target.kind);
  const near = nearest(target.data, channels, width, view);
  const data = planes(near, view, new Float32Array(channels * side ** 2));
  // Mirrored, what pointed to the right points to the left. What becomes larger comes nearer.
  if (target.kind === "depth" && zoom !== 1) for (let i = 0; i < data.length; i++) data[i]! /= zoom;
  if (target.kind === "normals" && isMirrored) negate(data.subarray(0, side ** 2));
  if (target.kind === "normals" && isOverturned) negate(data.subarray(side ** 2, 2 * side ** 2));
  return { kind: target.kind, data };
}

/** 0 stays 0, and does not become -0. */
function negate(data: Float32Array): void {
  for (let i = 0; i < data.length; i++) data[i] = 0 - data[i]!;
}

/** The pixel under the middle of each new one: `[to.height, to.width, channels]`. */
function nearest<T extends Int32Array | Float32Array>(
  data: T,
  channels: number,
  width: number,
  { from, to }: View,
): T {
  const out = new (data.constructor as new (length: number) => T)(to.width * to.height * channels);
  const columns = middles(from.x, from.width, to.width);
  const rows = middles(from.y, from.height, to.height);
  let at = 0;
  for (const y of rows)
    for (const x of columns)
      for (let c = 0; c < channels; c++) out[at++] = data[(y * width + x) * channels + c]!;
  return out;
}

const middles = (first: number, length: number, count: number) =>
  Int32Array.from(
    { length: count },
    (_, i) => first + Math.min(length - 1, Math.floor(((i + 0.5) * length) / count)),
  );

/** Puts `[to.height, to.width, channels]` into its place in `[channels, side, side]`, mirrored as the view says. */
function planes<T extends Uint8Array | Int32Array | Float32Array>(
  data: T,
  { to, side, isMirrored, isOverturned }: View,
  out: T,
): T {
  const channels = out.length / side ** 2;
  const step = isMirrored ? -1 : 1;
  for (let c = 0; c < channels; c++)
    for (let y = 0; y < to.height; y++) {
      const row = to.y + (isOverturned ? to.height - 1 - y : y);
      let at = (c * side + row) * side + to.x + (isMirrored ? to.width - 1 : 0);
      const end = (y + 1) * to.width * channels;
      for (let from = y * to.width * channels + c; from < end; from += channels, at += step)
        out[at] = data[from]!;
    }
  return out;
}
