/** Scores that papers print for the experiments of presets. What is not known for certain to be printed is not here. */

export interface PublishedScore {
  readonly preset: string;
  readonly method: string;
  /** The set that it is of, where an experiment has several. */
  readonly set: string;
  /** In the paper's unit: percent, or of depth metres. */
  readonly value: number;
  /** The standard error that is printed with it. */
  readonly error?: number;
  readonly metric: string;
  readonly source: string;
}

const tableOf = (
  source: string,
  metric: string,
  rows: readonly (readonly [
    preset: string,
    set: string,
    method: string,
    value: number,
    error?: number,
  ])[],
): PublishedScore[] =>
  rows.map(([preset, set, method, value, error]) => ({
    ...{ preset, set, method, value, metric, source },
    ...(error === undefined ? {} : { error }),
  }));

const first = "Conv-LoRA (arXiv 2401.17868), table 1, as reviews quote it";
const second = "Conv-LoRA (arXiv 2401.17868), table 2, as reviews quote it";
const third = "MTSAM (ICLR 2025), whose ToRA is TA-LoRA's decomposition, as a review quotes it";

export const publishedScores: readonly PublishedScore[] = [
  ...tableOf(first, "S-measure, %", [
    ["conv-lora/polyp", "Kvasir", "lora", 91.2, 0.28],
    ["conv-lora/polyp", "Kvasir", "conv-lora", 92.0, 0.15],
    ["conv-lora/polyp", "CVC-612", "lora", 90.7, 0.04],
    ["conv-lora/polyp", "CVC-612", "conv-lora", 91.3, 0.69],
  ]),
  ...tableOf(first, "IoU, %", [
    ["conv-lora/leaf", "Leaf", "lora", 73.7],
    ["conv-lora/road", "Road", "lora", 62.2, 0.21],
    ["conv-lora/road", "Road", "conv-lora", 62.6, 0.36],
  ]),
  ...tableOf(first, "BER, %", [
    ["conv-lora/shadow", "SBU", "lora", 2.74, 0.079],
    ["conv-lora/shadow", "SBU", "conv-lora", 2.54, 0.081],
  ]),
  ...tableOf(second, "mean IoU, %", [
    ["conv-lora/trans10k", "Trans10K-v2", "lora", 66.01],
    ["conv-lora/trans10k", "Trans10K-v2", "conv-lora", 67.09],
  ]),
  ...tableOf(third, "mean IoU, %", [["ta-lora/nyuv2", "NYUv2", "ta-lora", 52.1]]),
  ...tableOf(third, "absolute error, metres", [["ta-lora/nyuv2", "NYUv2", "ta-lora", 0.282]]),
];

/** What is printed of a method in a preset's experiment. */
export const publishedOf = (preset: string | undefined, method: string): PublishedScore[] =>
  publishedScores.filter((one) => one.preset === preset && one.method === method);
