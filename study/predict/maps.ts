/** What a model says of every pixel, from its own square to a picture's size: maps, labels and probabilities. */
import type { Size } from "../../predict/vision/image.ts";
import { upsampleMasks } from "../../predict/vision/postprocess.ts";
import { longestSideSize } from "../../predict/vision/resize.ts";
import type { Fit } from "../data/view.ts";

/** Maps `[channels, height, width]` of a picture: one for a mask, one for each class, one of depth, three of normals. */
export interface Maps extends Size {
  readonly channels: number;
  readonly data: Float32Array;
  /** Logits are above 0 inside; scores are probabilities already; depths and normals are neither. */
  readonly kind: "logits" | "scores" | "values";
}

/** Maps of the model's square, of the picture's size. */
export function enlarge({ data, channels, kind, width: side }: Maps, size: Size, fit: Fit): Maps {
  const originalSize = { width: size.width, height: size.height };
  const inputSize =
    fit === "square" ? { width: side, height: side } : longestSideSize(originalSize, side);
  const frame = { originalSize, inputSize, modelSize: side };
  return {
    ...originalSize,
    ...{ channels, kind, data: upsampleMasks(data, [channels, side, side], frame) },
  };
}

/** The class of each pixel: the first of the largest, or of one map 1 where it is inside. */
export function labelsOfMaps({ data, channels, kind }: Maps): Uint8Array<ArrayBuffer> {
  const pixels = data.length / channels;
  const labels = new Uint8Array(pixels);
  const level = kind === "logits" ? 0 : 0.5;
  for (let i = 0; i < pixels; i++)
    if (channels === 1) labels[i] = Number(data[i]! > level);
    else
      for (let c = 1; c < channels; c++)
        if (data[c * pixels + i]! > data[labels[i]! * pixels + i]!) labels[i] = c;
  return labels;
}

/** From 0 to 1: of one map how likely a pixel is inside, of several how likely it is of each class. */
export function probabilitiesOf({ data, channels, kind }: Maps): Float32Array<ArrayBuffer> {
  if (kind === "scores") return new Float32Array(data);
  const pixels = data.length / channels;
  if (channels === 1) return Float32Array.from(data, (x) => 1 / (1 + Math.exp(-x)));
  const out = new Float32Array(data.length);
  for (let i = 0; i < pixels; i++) {
    let [most, sum] = [Number.NEGATIVE_INFINITY, 0];
    for (let c = 0; c < channels; c++) most = Math.max(most, data[c * pixels + i]!);
    for (let at = i; at < data.length; at += pixels) {
      out[at] = Math.exp(data[at]! - most);
      sum += out[at]!;
    }
    for (let at = i; at < data.length; at += pixels) out[at]! /= sum;
  }
  return out;
}
