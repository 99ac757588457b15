/**
 * Resizing of bytes with a filter as wide as the scale, so that shrinking does not alias: the
 * "bilinear" of the Python Imaging Library, which SAM was trained behind, and its "bicubic", which
 * Conv-LoRA was. Masks depend on it, so this gives the same bytes: weights in fixed point with 22
 * fractional bits, rows before columns, each of the two passes rounded to bytes.
 */
import { checkImage, checkSize, type Image, type Picture, type Size } from "./image.ts";
import { atOnce, type Steps } from "./slices.ts";

/**
 * The size an image gets when its longest side becomes `longest` pixels; halves round up. A side
 * of a very long image would round to nothing: it stays one pixel wide.
 */
export function longestSideSize({ width, height }: Size, longest: number): Size {
  const scale = longest / Math.max(height, width);
  const side = (length: number) => Math.max(1, Math.trunc(length * scale + 0.5));
  return { width: side(width), height: side(height) };
}

/**
 * Shrinks or enlarges a picture so that its longest side has `longest` pixels.
 *
 * @throws E300 and E301 for a picture that is none, E300 for a `longest` that is no length.
 */
export function resizeLongestSide(given: Picture, longest: number): Image {
  const picture = checkImage(given);
  checkSize({ width: longest, height: longest }, "a resized image");
  return resizeImage(picture, longestSideSize(picture, longest));
}

/** Resizes a picture to exactly `size`. @throws E300 and E301 as `resizeLongestSide`. */
export function resizeImage(given: Picture, size: Size, filter: Filter = "bilinear"): Image {
  const picture = checkImage(given);
  checkSize(size, "a resized image");
  return { ...size, channels: 3, data: resizeBytes(picture.data, picture, size, 3, filter) };
}

/** How pixels are mixed. */
export type Filter = "bilinear" | "bicubic";

interface FilterShape {
  /** How far it reaches to each side, in pixels. */
  readonly reach: number;
  /** The weight of a pixel so far from the middle. */
  weight(distance: number): number;
}

const filters: Readonly<Record<Filter, FilterShape>> = {
  bilinear: { reach: 1, weight: (x) => Math.max(0, 1 - x) },
  // Keys' cubic with a = -0.5.
  bicubic: {
    reach: 2,
    weight: (x) =>
      x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? -0.5 * (((x - 5) * x + 8) * x - 4) : 0,
  },
};

/**
 * Resizes `[from.height, from.width, channels]` to `[to.height, to.width, channels]`. Returns the
 * same array when nothing changes.
 */
export const resizeBytes = (
  data: Uint8Array,
  from: Size,
  to: Size,
  channels: number,
  filter?: Filter,
): Uint8Array => atOnce(resizing(data, from, to, channels, filter));

/** `resizeBytes` in steps. */
export function* resizing(
  data: Uint8Array,
  from: Size,
  to: Size,
  channels: number,
  filter: Filter = "bilinear",
): Steps<Uint8Array> {
  // Of images a hundred times taller than wide, the reference shrinks the height first.
  if (from.height > 100 * from.width && to.height < from.height) {
    const low = yield* resizeColumns(data, from.height, to.height, from.width * channels, filter);
    const lowSize = { width: from.width, height: to.height };
    return yield* resizeRows(low, lowSize, to.width, channels, filter);
  }
  const narrow = yield* resizeRows(data, from, to.width, channels, filter);
  return yield* resizeColumns(narrow, from.height, to.height, to.width * channels, filter);
}

const fractionBits = 22;
const half = 1 << (fractionBits - 1);

/** For each output position: the first input position it reads, how many, and their weights. */
interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `[outputs, stride]`, fixed point; they add up to one, but for rounding. */
  readonly weights: Int32Array;
  readonly stride: number;
}

function tapsOf(inputs: number, outputs: number, filter: Filter): Taps {
  const scale = inputs / outputs;
  const shape = filters[filter];
  // The filter is as wide in output pixels when shrinking as in input pixels when enlarging.
  const wide = Math.max(scale, 1);
  const reach = shape.reach * wide;
  const stride = Math.ceil(reach) * 2 + 1;
  const first = new Int32Array(outputs);
  const count = new Int32Array(outputs);
  const weights = new Int32Array(outputs * stride);
  const raw = new Float64Array(stride);
  for (let output = 0; output < outputs; output++) {
    const centre = (output + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - reach + 0.5));
    const end = Math.min(inputs, Math.trunc(centre + reach + 0.5));
    let sum = 0;
    for (let i = start; i < end; i++) {
      // A reciprocal and a product, not a quotient: the reference rounds so.
      raw[i - start] = shape.weight(Math.abs((i - centre + 0.5) * (1 / wide)));
      sum += raw[i - start]!;
    }
    for (let i = start; i < end; i++) {
      const weight = raw[i - start]! / sum;
      const fixed = weight * (1 << fractionBits);
      weights[output * stride + i - start] = Math.trunc(fixed + (fixed < 0 ? -0.5 : 0.5));
    }
    first[output] = start;
    count[output] = end - start;
  }
  return { first, count, weights, stride };
}

function* resizeRows(
  data: Uint8Array,
  from: Size,
  width: number,
  channels: number,
  filter: Filter,
): Steps<Uint8Array> {
  if (width === from.width) return data;
  const { first, count, weights, stride } = tapsOf(from.width, width, filter);
  const out = new Uint8Array(from.height * width * channels);
  let at = 0;
  for (let y = 0; y < from.height; y++) {
    const row = y * from.width * channels;
    for (let x = 0; x < width; x++) {
      const start = row + first[x]! * channels;
      for (let channel = 0; channel < channels; channel++) {
        let sum = half;
        for (let i = 0; i < count[x]!; i++) {
          sum += data[start + i * channels + channel]! * weights[x * stride + i]!;
        }
        out[at++] = toByte(sum);
      }
    }
    yield;
  }
  return out;
}

/** Whole rows are added up at a time: memory is read in order. */
function* resizeColumns(
  data: Uint8Array,
  inputs: number,
  outputs: number,
  rowLength: number,
  filter: Filter,
): Steps<Uint8Array> {
  if (inputs === outputs) return data;
  const { first, count, weights, stride } = tapsOf(inputs, outputs, filter);
  const out = new Uint8Array(outputs * rowLength);
  const sums = new Int32Array(rowLength);
  for (let y = 0; y < outputs; y++) {
    sums.fill(half);
    for (let i = 0; i < count[y]!; i++) {
      const weight = weights[y * stride + i]!;
      const row = (first[y]! + i) * rowLength;
      for (let x = 0; x < rowLength; x++) sums[x]! += data[row + x]! * weight;
    }
    for (let x = 0; x < rowLength; x++) out[y * rowLength + x] = toByte(sums[x]!);
    yield;
  }
  return out;
}

/** Some weights of a cubic are negative, so a sum may leave the bytes on both sides. */
function toByte(sum: number): number {
  return Math.max(0, Math.min(255, sum >> fractionBits));
}
