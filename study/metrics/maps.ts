/** A picture's probabilities beside what is true, checked and scaled once for all metrics of it. */
import { diagnose } from "../../diagnostics/index.ts";

/** One picture: what is predicted for every pixel, and what is true. */
export interface BinaryMaps {
  readonly width: number;
  readonly height: number;
  /** `[height, width]`, from 0 outside to 1 inside. */
  readonly probabilities: ArrayLike<number>;
  /** `[height, width]`, 1 inside, 0 outside, `ignore` where it does not count. */
  readonly target: ArrayLike<number>;
  /** The value of `target` where a pixel does not count. */
  readonly ignore?: number | undefined;
}

export interface Prepared {
  readonly width: number;
  readonly height: number;
  /** As given, in float32. */
  readonly raw: Float32Array;
  /** Spread over 0 to 1, in float32: what the metrics of camouflaged objects look at. 0 where ignored. */
  readonly scaled: Float32Array;
  /** 1 inside; 0 where ignored. */
  readonly inside: Uint8Array;
  /** 1 where a pixel counts. */
  readonly counts: Uint8Array;
  /** How many pixels count, and how many of these are inside. */
  readonly total: number;
  readonly foreground: number;
}

/**
 * Checks the maps of a picture. Predictions are spread over 0 to 1 in float32, step by step as the published code
 * does (AutoGluon `optim/metrics/semantic_seg_metrics.py::_prepare_data`), over the pixels that count.
 * @throws E1020 for maps that do not fill the picture, probabilities outside 0 to 1 and targets of other values.
 */
export function prepare({ width, height, probabilities, target, ignore }: BinaryMaps): Prepared {
  const pixels = width * height;
  checkLength("probabilities", probabilities, pixels, `${width} x ${height}`);
  checkLength("target", target, pixels, `${width} x ${height}`);
  const [raw, scaled] = [new Float32Array(pixels), new Float32Array(pixels)];
  const [inside, counts] = [new Uint8Array(pixels), new Uint8Array(pixels)];
  let [total, foreground, least, most] = [0, 0, Number.POSITIVE_INFINITY, -1];
  for (let i = 0; i < pixels; i++) {
    const probability = probabilities[i]!;
    if (!(probability >= 0 && probability <= 1)) throw noProbability(probability, i, width);
    raw[i] = probability;
    const value = target[i]!;
    if (value === ignore) continue;
    if (value !== 0 && value !== 1) throw noTruth(value, i, width);
    counts[i] = 1;
    inside[i] = value;
    total++;
    foreground += value;
    scaled[i] = Math.fround(Math.fround(raw[i]! * 255) / 255);
    least = Math.min(least, scaled[i]!);
    most = Math.max(most, scaled[i]!);
  }
  const range = Math.fround(most - least);
  for (let i = 0; range > 0 && i < pixels; i++)
    if (counts[i]) scaled[i] = Math.fround(Math.fround(scaled[i]! - least) / range);
  return { width, height, raw, scaled, inside, counts, total, foreground };
}

/** @throws E1020 unless there are as many values as places. */
export function checkLength(
  what: string,
  values: ArrayLike<number>,
  length: number,
  of: string,
): void {
  if (values.length === length) return;
  throw diagnose("E1020", {
    message: `the ${what} of a picture of ${of} has ${values.length} values, not ${length}`,
    help: "resize the prediction to the size of its target first",
  });
}

/** Where pixel `i` is, in words. */
export const placeOf = (i: number, width: number): string =>
  `column ${i % width}, row ${Math.floor(i / width)}`;

const noProbability = (value: number, i: number, width: number) =>
  diagnose("E1020", {
    message: `the probability at ${placeOf(i, width)} is ${value}, not between 0 and 1`,
    help: "logits become probabilities by 1 / (1 + exp(-x)); a mask is 0 and 1",
  });

const noTruth = (value: number, i: number, width: number) =>
  diagnose("E1020", {
    message: `the target at ${placeOf(i, width)} is ${value}, neither 0 nor 1`,
    help: "1 is inside and 0 outside; name the value of pixels that do not count: { ignore: 255 }",
  });
