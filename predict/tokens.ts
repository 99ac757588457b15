/**
 * Prompts as the mask decoder takes them: a token is a position and a kind, and the number of slots
 * is one of a few, so that one more click needs no other program.
 */
import { diagnose } from "../diagnostics/index.ts";
import { type Frame, toModelPixels } from "./vision/preprocess.ts";
import type { Box, Label, Point } from "./vision/prompts.ts";

/** The numbers of slots that a SAM is compiled for. */
export const tokenBuckets: readonly number[] = [8, 32, 128];

export interface DecoderTokens {
  /** f32 `[bucket, 2]`: x and y in pixels of the model's input. */
  readonly points: Float32Array<ArrayBuffer>;
  /** i32 `[bucket]`: -1 not a point, 0 and 1 points, 2 and 3 the corners of a box. */
  readonly labels: Int32Array<ArrayBuffer>;
  /** How many slots are used. */
  readonly count: number;
  readonly bucket: number;
}

export interface PointPrompts {
  readonly points: readonly Point[];
  readonly labels: readonly Label[];
  readonly box?: Box | undefined;
}

/**
 * The tokens of prompts in pixels of the picture, in SAM's order: points, then a padding point if
 * there is no box, then the corners of the box.
 * @throws E352 for more tokens than the largest bucket has.
 */
export function decoderTokens(
  { points, labels, box }: PointPrompts,
  frame: Frame,
  buckets: readonly number[] = tokenBuckets,
): DecoderTokens {
  const pads = points.length > 0 && !box ? 1 : 0;
  const corners: Point[] = box
    ? [
        [box[0], box[1]],
        [box[2], box[3]],
      ]
    : [];
  const places = [...points, ...Array<Point>(pads).fill([0, 0]), ...corners];
  const kinds = [...labels, ...Array<number>(pads).fill(-1), ...corners.map((_, i) => 2 + i)];
  const bucket = buckets.find((slots) => slots >= places.length);
  if (bucket === undefined)
    throw diagnose("E352", {
      message: `${points.length} points${box ? " and a box" : ""} need ${places.length} tokens, but the decoder takes at most ${buckets.at(-1)}`,
      help: `give at most ${buckets.at(-1)! - (box ? 2 : 1)} points`,
    });
  const slots = { points: new Float32Array(2 * bucket), labels: new Int32Array(bucket).fill(-1) };
  slots.points.set(toModelPixels(places, frame));
  slots.labels.set(kinds);
  return { ...slots, count: places.length, bucket };
}
