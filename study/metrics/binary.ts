/** All metrics of masks, of one picture and over pictures: the protocol of Conv-LoRA's experiments. */

import { type BinaryMaps, type Prepared, prepare } from "./maps.ts";
import { type Mean, type RunningMean, ratio, runningMean, type Score } from "./mean.ts";
import { sMeasureOf } from "./structure-measure.ts";
import { adaptiveFOf, meanAbsoluteErrorOf, meanEOf } from "./threshold-measures.ts";
import { weightedFOf } from "./weighted-f.ts";

/** Of one picture; each from 0 to 1, of errors 0 is best, of the others 1. */
export interface BinaryScores {
  /** Of pixels above 0.5. Undefined for an empty target. */
  readonly iou: Score;
  /** Of pixels above 0.5. Undefined for an empty target. */
  readonly dice: Score;
  /** The part of the pixels that is right, above 0.5. Undefined where no pixel counts. */
  readonly accuracy: Score;
  /** Balanced error rate above 125 / 255. Undefined where all of the target is inside, or all outside. */
  readonly ber: Score;
  readonly sMeasure: Score;
  readonly weightedF: Score;
  readonly meanE: Score;
  readonly adaptiveF: Score;
  readonly mae: Score;
}

export type BinaryMetric = keyof BinaryScores;

/**
 * Scores one picture. IoU, Dice, accuracy and BER are of the probabilities as they are; the others of probabilities
 * that are spread over 0 to 1 first, as the published code does.
 *
 * Source: AutoGluon `optim/metrics/semantic_seg_metrics.py`, `Binary_IoU` and `Balanced_Error_Rate` (float32).
 * @throws E1020 for maps that do not fit.
 */
export function binaryScores(maps: BinaryMaps): BinaryScores {
  const prepared = prepare(maps);
  const half = countsAbove(prepared, (p) => p > 0.5);
  const error = countsAbove(prepared, (p) => Math.fround(p * 255) > 125);
  const { total, foreground } = prepared;
  const { hits, alarms } = half;
  const isThere = foreground > 0;
  const missed = ratio(foreground - error.hits, foreground);
  const alarmed = ratio(error.alarms, total - foreground);
  return {
    iou: isThere ? hits / (foreground + alarms) : undefined,
    dice: isThere ? (2 * hits) / (foreground + hits + alarms) : undefined,
    accuracy: ratio(total - foreground - alarms + hits, total),
    ber: missed === undefined || alarmed === undefined ? undefined : (missed + alarmed) / 2,
    sMeasure: sMeasureOf(prepared),
    weightedF: weightedFOf(prepared),
    meanE: meanEOf(prepared),
    adaptiveF: adaptiveFOf(prepared),
    mae: meanAbsoluteErrorOf(prepared),
  };
}

/** Scores over pictures, each the mean of those pictures for which it is defined. */
export interface BinarySummary {
  /** Adds a picture. @throws E1020 for maps that do not fit. */
  add(maps: BinaryMaps): BinaryScores;
  /** Adds the scores of a picture. */
  addScores(scores: BinaryScores): void;
  scores(): Readonly<Record<BinaryMetric, Mean>>;
}

export function binarySummary(): BinarySummary {
  const means = new Map<BinaryMetric, RunningMean>(
    binaryMetrics.map((name) => [name, runningMean()]),
  );
  const addScores = (scores: BinaryScores) => {
    for (const [name, mean] of means) mean.add(scores[name]);
  };
  return {
    add(maps) {
      const scores = binaryScores(maps);
      addScores(scores);
      return scores;
    },
    addScores,
    scores: () =>
      Object.fromEntries(
        [...means].map(([name, mean]) => [name, mean.result()]),
      ) as unknown as Record<BinaryMetric, Mean>,
  };
}

export const binaryMetrics: readonly BinaryMetric[] = [
  "iou",
  "dice",
  "accuracy",
  "ber",
  "sMeasure",
  "weightedF",
  "meanE",
  "adaptiveF",
  "mae",
];

function countsAbove({ raw, inside, counts }: Prepared, isIn: (p: number) => boolean) {
  let [hits, alarms] = [0, 0];
  for (let i = 0; i < raw.length; i++) {
    if (!counts[i] || !isIn(raw[i]!)) continue;
    if (inside[i]) hits++;
    else alarms++;
  }
  return { hits, alarms };
}
