/**
 * How far each pixel is from a mask's edge, near the edge: what outlines and soft borders are
 * drawn with. A mask of whole pixels has steps for an edge; a little smoothing makes a line of them.
 */
import type { Mask } from "./image.ts";

/**
 * Signed distance to the smoothed edge in pixels, negative inside, cut off at `reach` on both sides.
 * Along straight edges it is right to a tenth of a pixel.
 *
 * @param reach An odd number of pixels; details thinner than it soften.
 * @returns f32 `[height, width]`.
 */
export function edgeDistance({ width, height, data }: Mask, reach: number): Float32Array {
  const field = new Float32Array(data.length);
  for (let i = 0; i < field.length; i++) field[i] = data[i] ? 1 : 0;
  // Two running means make a triangle filter, as wide to each side as one mean is in all.
  const spare = new Float32Array(data.length);
  for (let time = 0; time < 2; time++) {
    meanOfRows(field, spare, width, height, reach);
    meanOfColumns(spare, field, width, height, reach);
  }
  for (let i = 0; i < field.length; i++) {
    // Across a straight edge the filtered mask is a parabola on each side: solve it for the distance.
    const side = field[i]! - 0.5;
    const distance = reach * (1 - Math.sqrt(Math.max(0, 1 - 2 * Math.abs(side))));
    field[i] = side > 0 ? -distance : distance;
  }
  return field;
}

/** The mean of `window` neighbours in the row, as a running sum; border values go on outside. */
function meanOfRows(
  from: Float32Array,
  to: Float32Array,
  width: number,
  height: number,
  window: number,
): void {
  const half = (window - 1) / 2;
  for (let y = 0; y < height; y++) {
    const first = y * width;
    const last = first + width - 1;
    let sum = 0;
    for (let i = -half; i <= half; i++) sum += from[Math.min(last, Math.max(first, first + i))]!;
    for (let at = first; at <= last; at++) {
      to[at] = sum / window;
      sum += from[Math.min(last, at + half + 1)]! - from[Math.max(first, at - half)]!;
    }
  }
}

/** The same down the columns, a row of sums at a time, so that memory is read in order. */
function meanOfColumns(
  from: Float32Array,
  to: Float32Array,
  width: number,
  height: number,
  window: number,
): void {
  const half = (window - 1) / 2;
  const sums = new Float64Array(width);
  const row = (y: number) => Math.min(height - 1, Math.max(0, y)) * width;
  for (let y = -half; y <= half; y++) {
    for (let x = 0; x < width; x++) sums[x]! += from[row(y) + x]!;
  }
  for (let y = 0; y < height; y++) {
    const [entering, leaving] = [row(y + half + 1), row(y - half)];
    for (let x = 0; x < width; x++) {
      to[y * width + x] = sums[x]! / window;
      sums[x]! += from[entering + x]! - from[leaving + x]!;
    }
  }
}
