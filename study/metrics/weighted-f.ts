/** Weighted F-measure: errors near the object count less, and errors far from it more. */
import { type BinaryMaps, type Prepared, prepare } from "./maps.ts";
import type { Score } from "./mean.ts";
import { nearestInside } from "./nearest.ts";

/**
 * Weighted F-measure (Margolin et al. 2014, equations 11 to 14), `beta` as beta squared, from 0 to 1.
 *
 * Source: AutoGluon `semantic_seg_metrics.py::WeightedFmeasure`: errors outside take the error of the nearest pixel
 * inside, are smoothed by a Gaussian of 7 x 7 and deviation 5, and weigh 2 - exp(ln(0.5) / 5 * distance). Of equally
 * near pixels inside the one of the smallest column is taken. 0 for an empty target, as there. A pixel that does not
 * count is background in both maps. Undefined where no pixel counts.
 * @throws E1020 for maps that do not fit.
 */
export const weightedF = (maps: BinaryMaps, beta = 0.3): Score => weightedFOf(prepare(maps), beta);

const epsilon = 2 ** -52;

export function weightedFOf(prepared: Prepared, beta = 0.3): Score {
  const { width, height, scaled, inside, counts, total, foreground } = prepared;
  if (total === 0) return undefined;
  if (foreground === 0) return 0;
  const error = Float64Array.from(scaled, (value, i) => Math.abs(value - inside[i]!));
  const { index, squared } = nearestInside(inside, width, height);
  const smooth = gaussian(
    error.map((_, i) => error[index[i]!]!),
    width,
    height,
  );
  let [lost, alarms] = [0, 0];
  for (let i = 0; i < error.length; i++) {
    if (inside[i]) lost += Math.min(error[i]!, smooth[i]!);
    else if (counts[i])
      alarms += error[i]! * (2 - Math.exp((Math.log(0.5) / 5) * Math.sqrt(squared[i]!)));
  }
  const hits = foreground - lost;
  const recall = 1 - lost / foreground;
  const precision = hits / (hits + alarms + epsilon);
  return ((1 + beta) * recall * precision) / (recall + beta * precision + epsilon);
}

const reach = 3;
const weights = Array.from({ length: 2 * reach + 1 }, (_, i) =>
  Math.exp(-((i - reach) ** 2) / (2 * 5 * 5)),
);
const sum = weights.reduce((total, weight) => total + weight, 0);

/** 7 x 7, rows and then columns; what lies outside of the picture is 0. */
function gaussian(values: Float64Array, width: number, height: number): Float64Array {
  const [rows, out] = [new Float64Array(values.length), new Float64Array(values.length)];
  for (let k = -reach; k <= reach; k++) {
    const weight = weights[k + reach]! / sum;
    for (let y = 0; y < height; y++)
      for (let x = Math.max(0, -k); x < Math.min(width, width - k); x++)
        rows[y * width + x]! += weight * values[y * width + x + k]!;
  }
  for (let k = -reach; k <= reach; k++) {
    const weight = weights[k + reach]! / sum;
    for (let y = Math.max(0, -k); y < Math.min(height, height - k); y++)
      for (let x = 0; x < width; x++) out[y * width + x]! += weight * rows[(y + k) * width + x]!;
  }
  return out;
}
