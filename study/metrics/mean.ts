/** Means over pictures or classes. What is not defined is counted, and never averaged in. */

/** A number, or `undefined` where the formula divides by nothing. */
export type Score = number | undefined;

export interface Mean {
  /** Undefined where no value is defined. */
  readonly value: Score;
  /** How many values the mean is of. */
  readonly of: number;
  /** How many were not defined, and are not in it. */
  readonly undefined: number;
}

/** The mean of those that are defined. */
export function meanOf(scores: Iterable<Score>): Mean {
  const mean = runningMean();
  for (const score of scores) mean.add(score);
  return mean.result();
}

/** A mean that scores are added to, one picture after another. */
export interface RunningMean {
  add(score: Score): void;
  result(): Mean;
}

export function runningMean(): RunningMean {
  let [sum, of, missing] = [0, 0, 0];
  return {
    add(score) {
      if (score === undefined) missing++;
      else [sum, of] = [sum + score, of + 1];
    },
    result: () => ({ value: ratio(sum, of), of, undefined: missing }),
  };
}

/** Undefined where the divisor is 0. */
export const ratio = (part: number, whole: number): Score =>
  whole === 0 ? undefined : part / whole;
