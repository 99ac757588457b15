/**
 * A picture as SAM's image encoder wants it, and how positions move with it: the longest side is
 * made as long as the model's square input, the values are normalised, and what is missing at the
 * right or at the bottom is zero *after* normalisation, that is the mean colour.
 */
import { diagnose } from "../../diagnostics/index.ts";
import {
  checkImage,
  checkPicture,
  checkSize,
  colours,
  type Image,
  type Picture,
  type Size,
} from "./image.ts";
import { longestSideSize, resizing } from "./resize.ts";
import { atOnce, type Steps } from "./slices.ts";

/** How one picture lies in the model's square input, in pixels. */
export interface Frame {
  /** The picture as the user knows it; prompts and masks are given in its pixels. */
  readonly originalSize: Size;
  /** The resized picture: the part of the model's input, from the top left, that is not padding. */
  readonly inputSize: Size;
  /** The side of the model's input. */
  readonly modelSize: number;
}

/** Red, green and blue of the images SAM was trained on, in 0..255. */
export const pixelMean = [123.675, 116.28, 103.53] as const;
export const pixelDeviation = [58.395, 57.12, 57.375] as const;

/** @throws E300 for sizes that no picture has. */
export function frameOf(original: Size, modelSize: number): Frame {
  checkSize(original, "an image");
  checkSize({ width: modelSize, height: modelSize }, "the model's input");
  const { width, height } = original;
  const inputSize = longestSideSize(original, modelSize);
  return { originalSize: { width, height }, inputSize, modelSize };
}

/**
 * Resizes, normalises and pads a picture of any size.
 *
 * @returns The model's input, f32 `[1, 3, modelSize, modelSize]`, and the frame that says where the
 *   picture went.
 * @throws E300 and E301 for a picture that is none.
 */
export function preprocess(picture: Picture, modelSize: number): ModelPicture {
  checkPicture(picture);
  return atOnce(preprocessing(picture, modelSize));
}

export interface ModelPicture {
  readonly input: Float32Array;
  readonly frame: Frame;
}

/** `preprocess` in steps, of a picture that has been checked. */
export function* preprocessing(given: Picture, modelSize: number): Steps<ModelPicture> {
  const picture = yield* colours(given);
  const frame = frameOf(picture, modelSize);
  const { inputSize } = frame;
  const data = yield* resizing(picture.data, picture, inputSize, 3);
  const resized = { ...inputSize, channels: 3, data } as const;
  return { input: yield* normalizing(resized, modelSize), frame };
}

/**
 * `(value - mean) / deviation` per channel, zero-padded to the right and the bottom.
 *
 * @returns f32 `[1, 3, modelSize, modelSize]`.
 * @throws E302 for a picture that is larger than the model's input.
 */
export function normalize(picture: Image, modelSize: number): Float32Array {
  const { width, height } = checkImage(picture);
  if (width > modelSize || height > modelSize) {
    throw diagnose("E302", {
      message: `an image of ${width} x ${height} does not fit the model's ${modelSize} x ${modelSize} input`,
      help: `resize it first: resizeLongestSide(image, ${modelSize})`,
    });
  }
  return atOnce(normalizing(picture, modelSize));
}

function* normalizing({ width, height, data }: Image, modelSize: number): Steps<Float32Array> {
  const out = new Float32Array(3 * modelSize * modelSize);
  for (let channel = 0; channel < 3; channel++) {
    const values = normalizedBytes(channel);
    const plane = channel * modelSize * modelSize;
    for (let y = 0; y < height; y++) {
      const from = y * width * 3 + channel;
      const to = plane + y * modelSize;
      for (let x = 0; x < width; x++) out[to + x] = values[data[from + x * 3]!]!;
      yield;
    }
  }
  return out;
}

/**
 * Moves positions from the original picture to the model's input: x by the ratio of the widths,
 * y by that of the heights (rounding makes them differ a little).
 *
 * @param points `[count, 2]` as pairs of x and y, in pixels of the original picture.
 * @returns f32 `[count, 2]` in pixels of the model's input, without the half pixel that SAM's prompt
 *   encoder adds. A box is two points.
 */
export function toModelPixels(
  points: readonly (readonly [number, number])[],
  { originalSize, inputSize }: Frame,
): Float32Array {
  const right = inputSize.width / originalSize.width;
  const down = inputSize.height / originalSize.height;
  return Float32Array.from(points.flatMap(([x, y]) => [x * right, y * down]));
}

/** The normalised value of each byte, in float32 steps, so that it equals the reference exactly. */
function normalizedBytes(channel: number): Float32Array {
  const mean = Math.fround(pixelMean[channel]!);
  const deviation = Math.fround(pixelDeviation[channel]!);
  return Float32Array.from({ length: 256 }, (_, byte) => Math.fround(byte - mean) / deviation);
}
