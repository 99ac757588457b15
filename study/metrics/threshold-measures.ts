/** Metrics of a prediction cut at thresholds: mean E-measure and adaptive F-measure; and the mean absolute error. */
import { type BinaryMaps, type Prepared, prepare } from "./maps.ts";
import { ratio, type Score } from "./mean.ts";

const epsilon = 2 ** -52;

/**
 * The mean over 256 thresholds of the E-measure (Fan et al. 2018, equations 1 to 7), divided by the pixels less one.
 *
 * Source: AutoGluon `semantic_seg_metrics.py::Emeasure`, mean of the curve. Where the target is all background or all
 * foreground, only the pixels predicted so count, as there. Undefined for fewer than two pixels that count.
 * @throws E1020 for maps that do not fit.
 */
export const meanE = (maps: BinaryMaps): Score => meanEOf(prepare(maps));

/**
 * F-measure at twice the mean prediction, at most 1 (Achanta et al. 2009), `beta` as beta squared.
 *
 * Source: AutoGluon `semantic_seg_metrics.py::Fmeasure`, `cal_adaptive_fm`; 0 where nothing that is cut out is
 * inside, as there, and so for an empty target. Undefined where no pixel counts.
 * @throws E1020 for maps that do not fit.
 */
export const adaptiveF = (maps: BinaryMaps, beta = 1): Score => adaptiveFOf(prepare(maps), beta);

/**
 * The mean of |prediction - target|, of predictions spread over 0 to 1. Undefined where no pixel counts.
 * Source: AutoGluon `semantic_seg_metrics.py::MAE_SOD`.
 * @throws E1020 for maps that do not fit.
 */
export const meanAbsoluteError = (maps: BinaryMaps): Score => meanAbsoluteErrorOf(prepare(maps));

export function meanEOf({ scaled, inside, counts, total, foreground }: Prepared): Score {
  if (total < 2) return undefined;
  // How many pixels have each of 256 values, inside and outside: every threshold is a sum of these.
  const levels = [new Float64Array(256), new Float64Array(256)] as const;
  for (let i = 0; i < scaled.length; i++)
    if (counts[i]) levels[inside[i] as 0 | 1][Math.trunc(Math.fround(scaled[i]! * 255))]!++;
  let [hits, alarms, sum] = [0, 0, 0];
  for (let level = 255; level >= 0; level--) {
    hits += levels[1][level]!;
    alarms += levels[0][level]!;
    sum += alignment(hits, alarms, foreground, total);
  }
  return sum / 256 / (total - 1 + epsilon);
}

/** The sum of the enhanced alignment matrix of a mask with so many pixels inside and outside of the target. */
function alignment(hits: number, alarms: number, foreground: number, total: number): number {
  const predicted = hits + alarms;
  if (foreground === 0) return total - predicted;
  if (foreground === total) return predicted;
  const [p, t] = [predicted / total, foreground / total];
  const enhanced = (a: number, b: number) => ((2 * a * b) / (a * a + b * b + epsilon) + 1) ** 2 / 4;
  const misses = foreground - hits;
  return (
    hits * enhanced(1 - p, 1 - t) +
    alarms * enhanced(1 - p, -t) +
    misses * enhanced(-p, 1 - t) +
    (total - predicted - misses) * enhanced(-p, -t)
  );
}

export function adaptiveFOf({ scaled, inside, counts, total, foreground }: Prepared, beta = 1) {
  if (total === 0) return undefined;
  let sum = 0;
  for (const value of scaled) sum += value;
  const threshold = Math.min((2 * sum) / total, 1);
  let [cut, hits] = [0, 0];
  for (let i = 0; i < scaled.length; i++)
    if (counts[i] && scaled[i]! >= threshold) [cut, hits] = [cut + 1, hits + inside[i]!];
  if (hits === 0) return 0;
  const [precision, recall] = [hits / cut, hits / foreground];
  return ((1 + beta) * precision * recall) / (beta * precision + recall);
}

export function meanAbsoluteErrorOf({ scaled, inside, total }: Prepared): Score {
  let sum = 0;
  for (let i = 0; i < scaled.length; i++) sum += Math.abs(scaled[i]! - inside[i]!);
  return ratio(sum, total);
}
