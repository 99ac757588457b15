/** S-measure: how like the objects, and how like the four parts around the object's centre. */
import { type BinaryMaps, type Prepared, prepare } from "./maps.ts";
import type { Score } from "./mean.ts";

/**
 * S-measure (Fan et al. 2017, equations 1 to 13), alpha 0.5, from 0 to 1.
 *
 * Source: AutoGluon `semantic_seg_metrics.py::Smeasure`. A target without foreground, or without background, is judged
 * by the mean prediction, as there. Where that code divides 0 by 0, the limit is taken: a part without a pixel adds
 * nothing, and a single pixel deviates by 0. A pixel that does not count is background in both maps.
 * Undefined where no pixel counts.
 * @throws E1020 for maps that do not fit.
 */
export const sMeasure = (maps: BinaryMaps): Score => sMeasureOf(prepare(maps));

const alpha = 0.5;
const epsilon = 2 ** -52;

export function sMeasureOf({ width, height, scaled, inside, total, foreground }: Prepared): Score {
  if (total === 0) return undefined;
  const pixels = width * height;
  const mean = foreground / pixels;
  const average = () => scaled.reduce((sum, value) => sum + value, 0) / pixels;
  if (mean === 0) return 1 - average();
  if (mean === 1) return average();
  const front = objectScore(scaled, inside, 1);
  const back = objectScore(
    scaled.map((value) => Math.fround(1 - value)),
    inside,
    0,
  );
  const object = mean * front + (1 - mean) * back;
  const region = regionScore(width, height, scaled, inside);
  return Math.max(0, alpha * object + (1 - alpha) * region);
}

/** Equation 11 of the pixels where `inside` is `side`: their mean and deviation. */
function objectScore(values: Float32Array, inside: Uint8Array, side: number): number {
  let [n, sum] = [0, 0];
  for (let i = 0; i < values.length; i++)
    if (inside[i] === side) [n, sum] = [n + 1, sum + values[i]!];
  const mean = sum / n;
  let squares = 0;
  for (let i = 0; i < values.length; i++)
    if (inside[i] === side) squares += (values[i]! - mean) ** 2;
  const deviation = n > 1 ? Math.sqrt(squares / (n - 1)) : 0;
  return (2 * mean) / (mean * mean + 1 + deviation + epsilon);
}

/** Four parts, cut behind the centre of the foreground, weighed by their areas. */
function regionScore(width: number, height: number, scaled: Float32Array, inside: Uint8Array) {
  let [n, columns, rows] = [0, 0, 0];
  for (let i = 0; i < inside.length; i++)
    if (inside[i])
      [n, columns, rows] = [n + 1, columns + (i % width), rows + Math.floor(i / width)];
  const cutX = roundToEven(columns / n) + 1;
  const cutY = roundToEven(rows / n) + 1;
  let score = 0;
  for (const [top, bottom] of [
    [0, cutY],
    [cutY, height],
  ] as const)
    for (const [left, right] of [
      [0, cutX],
      [cutX, width],
    ] as const) {
      const area = (bottom - top) * (right - left);
      const box = { left, right, top, bottom };
      score += (area / (width * height)) * similarity(width, scaled, inside, box);
    }
  return score;
}

interface Part {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** SSIM of a part, which weighs nothing where it has no pixel; of one pixel the deviations are 0. */
function similarity(width: number, scaled: Float32Array, inside: Uint8Array, part: Part): number {
  const { left, right, top, bottom } = part;
  const n = (bottom - top) * (right - left);
  const each = (use: (predicted: number, truth: number) => void) => {
    for (let y = top; y < bottom; y++)
      for (let i = y * width + left; i < y * width + right; i++) use(scaled[i]!, inside[i]!);
  };
  let [x, y] = [0, 0];
  each((p, t) => {
    x += p / n;
    y += t / n;
  });
  let [xx, yy, xy] = [0, 0, 0];
  each((p, t) => {
    xx += (p - x) ** 2;
    yy += (t - y) ** 2;
    xy += (p - x) * (t - y);
  });
  const free = Math.max(1, n - 1);
  const above = (4 * x * y * xy) / free;
  const below = ((x * x + y * y) * (xx + yy)) / free;
  if (above !== 0) return above / (below + epsilon);
  return below === 0 ? 1 : 0;
}

/** Halves go to the even neighbour, as NumPy rounds. */
function roundToEven(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  if (rest !== 0.5) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
}
