/** What a validation says. */
import type { Score } from "../metrics/mean.ts";
import type { MetricName } from "./settings.ts";

export interface Validation {
  /** The mean over pictures. */
  readonly loss: number;
  /** The metric by which the best is chosen; null where nothing counts. */
  readonly score: number | null;
  /** IoU by class, of several tasks by `TASK/CLASS`, over all pixels; null for one that is neither there nor found. */
  readonly iou: Readonly<Record<string, number | null>>;
  readonly accuracy: number | null;
  /** All metrics that there are, of several tasks by `TASK/METRIC`; null for one that is not defined. */
  readonly metrics: Readonly<Partial<Record<string, number | null>>>;
  /** `[classes, classes]`: how many pixels of a class (row) were given which class (column). Empty of several tasks. */
  readonly counts: readonly number[];
}

/** JSON has no undefined. */
export const known = (score: Score): number | null => score ?? null;

/** Of these metrics less is better. */
export const isError = (metric: MetricName): boolean => metric === "ber" || metric === "loss";

/** Whether a validation is better than the best before it. What has no score is better than nothing. */
export function isBetter(
  metric: MetricName,
  { score }: Validation,
  best: Validation | undefined,
): boolean {
  if (best === undefined) return true;
  if (score === null) return false;
  if (best.score === null) return true;
  return isError(metric) ? score < best.score : score > best.score;
}
