/**
 * From the decoder's small masks to masks of the original picture. SAM enlarges twice, to the
 * model's input and, after the padding is cut off, to the picture. Both steps are linear and treat
 * the axes apart, so here they are one: a row of the picture is a mix of two to four small rows.
 */
import { diagnose } from "../../diagnostics/index.ts";
import { type Mask, type Size, splitMasks } from "./image.ts";
import type { Frame } from "./preprocess.ts";
import { atOnce, type Steps } from "./slices.ts";

/** Mask logits, positive inside. `data` is f32 of `shape` `[count, height, width]`. */
export interface Logits {
  readonly shape: readonly [count: number, height: number, width: number];
  readonly data: Float32Array;
}

/**
 * Enlarges mask logits as SAM does: bilinear (pixel centres, no antialiasing) to the model's input,
 * crop to the part that is not padding, bilinear to the original size.
 *
 * @param logits f32 `[count, height, width]`.
 * @returns f32 `[count, originalSize.height, originalSize.width]`.
 * @throws E320 for logits that do not fill their shape or a frame whose crop leaves the model's input.
 */
export function upsampleMasks(
  logits: Float32Array,
  shape: Logits["shape"],
  frame: Frame,
): Float32Array {
  const { width, height } = frame.originalSize;
  const out = new Float32Array(shape[0] * width * height);
  atOnce(upsampling(logits, shape, frame, (row, at) => out.set(row, at)));
  return out;
}

/**
 * The masks of mask logits in the picture's own size, in steps: 1 where an enlarged logit is above 0.
 * @throws what `upsampleMasks` throws.
 */
export function* enlarging({ data, shape }: Logits, frame: Frame): Steps<Mask[]> {
  const { width, height } = frame.originalSize;
  const out = new Uint8Array(shape[0] * width * height);
  yield* upsampling(data, shape, frame, (row, at) => {
    for (let x = 0; x < width; x++) out[at + x] = Math.fround(row[x]!) > 0 ? 1 : 0;
  });
  return splitMasks(out, frame.originalSize);
}

/** Gives the enlarged logits to `put` row by row, each with its first place in the result. */
function* upsampling(
  logits: Float32Array,
  shape: Logits["shape"],
  frame: Frame,
  put: (row: Float64Array, at: number) => void,
): Steps<void> {
  const [count, height, width] = shape;
  checkFit(logits, shape, frame);
  const { originalSize, inputSize, modelSize } = frame;
  const rows = mixes(height, modelSize, inputSize.height, originalSize.height);
  const columns = mixes(width, modelSize, inputSize.width, originalSize.width);
  for (let mask = 0; mask < count; mask++) {
    const small = logits.subarray(mask * height * width, (mask + 1) * height * width);
    const wide = yield* widen(small, { width, height }, columns, rows.used);
    const start = mask * originalSize.height * originalSize.width;
    yield* heighten(wide, columns.first.length, rows, (row, at) => put(row, start + at));
  }
}

/** 1 where a logit is above `level`, else 0. SAM's level is 0. */
export function threshold(logits: Float32Array, level = 0): Uint8Array {
  const out = new Uint8Array(logits.length);
  for (let i = 0; i < logits.length; i++) out[i] = logits[i]! > level ? 1 : 0;
  return out;
}

/** One mask's logits out of several, as `[1, height, width]`. The values are shared. */
export function pickLogits({ shape, data }: Logits, index: number): Logits {
  const [count, height, width] = shape;
  if (!Number.isInteger(index) || index < 0 || index >= count) {
    throw diagnose("E320", {
      message: `there is no mask ${index} among ${count}`,
      help: `masks are numbered from 0 to ${count - 1}`,
    });
  }
  const area = height * width;
  return { shape: [1, height, width], data: data.subarray(index * area, (index + 1) * area) };
}

/** For each output position a mix of neighbouring inputs: where it starts, and `[outputs, taps]`. */
interface Mixes {
  readonly first: Int32Array;
  readonly weights: Float64Array;
  readonly taps: number;
  /** How many inputs are read at all: those of the padding are not. */
  readonly used: number;
}

/** Both steps of one axis: `low` to `model` positions, of which `crop` remain, to `original`. */
function mixes(low: number, model: number, crop: number, original: number): Mixes {
  const toModel = interpolation(low, model);
  const toOriginal = interpolation(crop, original);
  const first = new Int32Array(original);
  const last = new Int32Array(original);
  for (let i = 0; i < original; i++) {
    first[i] = toModel.left[toOriginal.left[i]!]!;
    last[i] = toModel.right[toOriginal.right[i]!]!;
  }
  let taps = 1;
  for (let i = 0; i < original; i++) taps = Math.max(taps, last[i]! - first[i]! + 1);
  const weights = new Float64Array(original * taps);
  for (let i = 0; i < original; i++) {
    const share = toOriginal.share[i]!;
    for (const [at, part] of [
      [toOriginal.left[i]!, 1 - share],
      [toOriginal.right[i]!, share],
    ] as const) {
      const right = toModel.share[at]!;
      weights[i * taps + toModel.left[at]! - first[i]!]! += part * (1 - right);
      weights[i * taps + toModel.right[at]! - first[i]!]! += part * right;
    }
  }
  return { first, weights, taps, used: last[original - 1]! + 1 };
}

/**
 * Bilinear interpolation between pixel centres: the two inputs of each output and the right one's
 * share. In float32 steps, as the reference computes them: at a thousand pixels the share is only
 * good to 1e-4 there, and masks should not differ for that.
 */
function interpolation(inputs: number, outputs: number) {
  const left = new Int32Array(outputs);
  const right = new Int32Array(outputs);
  const share = new Float32Array(outputs);
  const scale = Math.fround(inputs / outputs);
  for (let i = 0; i < outputs; i++) {
    const source = Math.max(0, Math.fround(Math.fround(scale * (i + 0.5)) - 0.5));
    left[i] = Math.min(Math.trunc(source), inputs - 1);
    right[i] = Math.min(left[i]! + 1, inputs - 1);
    share[i] = Math.min(1, source - left[i]!);
  }
  return { left, right, share };
}

/** `[height, width]` to `[used rows, outputs]`. */
function* widen(
  small: Float32Array,
  size: Size,
  columns: Mixes,
  used: number,
): Steps<Float32Array> {
  const { first, weights, taps } = columns;
  const outputs = first.length;
  const out = new Float32Array(used * outputs);
  for (let y = 0; y < used; y++) {
    const row = y * size.width;
    for (let x = 0; x < outputs; x++) {
      let sum = 0;
      // Windows at the right border are shorter: their last weights are zero.
      const end = Math.min(taps, size.width - first[x]!);
      for (let i = 0; i < end; i++) sum += small[row + first[x]! + i]! * weights[x * taps + i]!;
      out[y * outputs + x] = sum;
    }
    yield;
  }
  return out;
}

/** `[used rows, width]` to the rows of a mask. */
function* heighten(
  wide: Float32Array,
  width: number,
  rows: Mixes,
  put: (row: Float64Array, at: number) => void,
): Steps<void> {
  const { first, weights, taps, used } = rows;
  const sums = new Float64Array(width);
  for (let y = 0; y < first.length; y++) {
    sums.fill(0);
    const end = Math.min(taps, used - first[y]!);
    for (let i = 0; i < end; i++) {
      const weight = weights[y * taps + i]!;
      const row = (first[y]! + i) * width;
      if (weight !== 0) for (let x = 0; x < width; x++) sums[x]! += wide[row + x]! * weight;
    }
    put(sums, y * width);
    yield;
  }
}

function checkFit(logits: Float32Array, shape: Logits["shape"], frame: Frame): void {
  const [count, height, width] = shape;
  if (logits.length !== count * height * width) {
    throw diagnose("E320", {
      message: `mask logits of shape ${shape.join(" x ")} need ${count * height * width} values, but ${logits.length} were given`,
    });
  }
  const { inputSize, originalSize, modelSize } = frame;
  const sides = [inputSize.width, inputSize.height, originalSize.width, originalSize.height];
  const whole = [...sides, modelSize, count, height, width].every(
    (side) => Number.isSafeInteger(side) && side >= 1,
  );
  if (whole && inputSize.width <= modelSize && inputSize.height <= modelSize) return;
  throw diagnose("E320", {
    message:
      `masks of ${width} x ${height} in a model input of ${modelSize} cannot be cropped to ` +
      `${inputSize.width} x ${inputSize.height} and enlarged to ${originalSize.width} x ${originalSize.height}`,
    help: "make the frame with frameOf(image, modelSize)",
  });
}
