/** Means over seeds, and how sure they are. */
import { meanOf, type Score } from "./mean.ts";

export interface Interval {
  readonly mean: Score;
  /** Of one value, and of the mean: undefined for fewer than two. */
  readonly deviation: Score;
  readonly error: Score;
  /** Holds the true mean with probability 0.95, if values are normal (Student): undefined for fewer than two. */
  readonly low: Score;
  readonly high: Score;
  /** How many values the mean is of, and how many were not defined. */
  readonly of: number;
  readonly undefined: number;
}

/** The mean of those that are defined, with its standard error and interval. */
export function intervalOf(scores: readonly Score[]): Interval {
  const { value: mean, of, undefined: missing } = meanOf(scores);
  const counts = { of, undefined: missing };
  if (mean === undefined || of < 2)
    return {
      mean,
      ...counts,
      deviation: undefined,
      error: undefined,
      low: undefined,
      high: undefined,
    };
  const squares = scores.reduce<number>(
    (sum, x) => sum + (x === undefined ? 0 : (x - mean) ** 2),
    0,
  );
  const deviation = Math.sqrt(squares / (of - 1));
  const error = deviation / Math.sqrt(of);
  const reach = error * student(of - 1);
  return { mean, deviation, error, low: mean - reach, high: mean + reach, ...counts };
}

/** What 97.5 % of Student's distribution of so many degrees of freedom are below. */
function student(freedom: number): number {
  return table[freedom - 1] ?? 1.96 + 2.4 / freedom;
}

const table = [
  ...[12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16],
  ...[2.145, 2.131, 2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056],
  ...[2.052, 2.048, 2.045, 2.042],
];
