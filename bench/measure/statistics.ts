/**
 * Medians, and how sure they are: intervals made of order statistics, which assume nothing about how
 * times are distributed.
 */

export interface MedianInterval {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  /** The probability that the interval holds the median: exactly what the ranks give. */
  readonly coverage: number;
}

/** The middle value, or the mean of the two in the middle. */
export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * The median with its narrowest symmetric interval of at least `confidence`. A value falls below the
 * median with probability 1/2, so the ranks that bound it follow the binomial distribution. Fewer
 * than six values reach no 95 %: then the interval is all of them, and `coverage` says how much that is.
 */
export function medianInterval(values: readonly number[], confidence = 0.95): MedianInterval {
  const n = values.length;
  const sorted = [...values].sort((a, b) => a - b);
  // outside: the probability that at most `rank` of n values lie below the median.
  let [rank, outside] = [0, 0.5 ** n];
  for (let probability = outside; ; rank++) {
    probability *= (n - rank) / (rank + 1);
    if (rank + 1 >= n / 2 || 1 - 2 * (outside + probability) < confidence) break;
    outside += probability;
  }
  return {
    median: medianOf(values),
    low: sorted[rank]!,
    high: sorted[n - 1 - rank]!,
    coverage: Math.max(0, 1 - 2 * outside),
  };
}

/** The quotients of what was measured together, pair by pair. */
export const ratios = (of: readonly number[], to: readonly number[]): number[] =>
  of.map((value, i) => value / to[i]!);
