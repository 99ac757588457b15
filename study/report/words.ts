/** Metrics in words. */

/** "absolute error of depth", of "depth/absolute". */
export function wordsOfMetric(metric: string): string {
  const [task, own] = metric.split("/") as [string, string?];
  return own === undefined ? (metricWords[task] ?? task) : `${taskWords[own] ?? own} of ${task}`;
}

const metricWords: Readonly<Record<string, string>> = {
  iou: "IoU",
  pictureIou: "IoU by picture",
  ber: "balanced error rate",
  sMeasure: "S-measure",
};

const taskWords: Readonly<Record<string, string>> = {
  iou: "mean IoU",
  absolute: "absolute error",
  relative: "relative error",
  mean: "mean angle, degrees,",
  median: "median angle, degrees,",
  within11: "part within 11.25 degrees",
  within22: "part within 22.5 degrees",
  within30: "part within 30 degrees",
};
