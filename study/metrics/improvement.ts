/** Delta p: how much better several tasks together do than each alone. */
import type { Score } from "./mean.ts";

/** One metric of a task, beside that of a model of this task alone. */
export interface Compared {
  readonly value: Score;
  /** Of the single-task model. */
  readonly baseline: Score;
  readonly better: "higher" | "lower";
}

/**
 * The mean over tasks of the mean over their metrics of (value - baseline) / baseline, in percent; what is better
 * when lower counts the other way. Positive is better than the baselines. Undefined where a metric is, where a
 * baseline is 0, and without tasks or metrics: a mean of what remains would be of other tasks.
 *
 * Source: LibMTL `utils.py::count_improvement`.
 */
export function improvement(tasks: Readonly<Record<string, readonly Compared[]>>): Score {
  const means = Object.values(tasks).map((metrics) => mean(metrics.map(change)));
  const all = mean(means);
  return all === undefined ? undefined : 100 * all;
}

function change({ value, baseline, better }: Compared): Score {
  if (value === undefined || baseline === undefined || baseline === 0) return undefined;
  return (better === "higher" ? value - baseline : baseline - value) / baseline;
}

/** Undefined where any of them is. */
function mean(values: readonly Score[]): Score {
  let sum = 0;
  for (const value of values) {
    if (value === undefined) return undefined;
    sum += value;
  }
  return values.length === 0 ? undefined : sum / values.length;
}
