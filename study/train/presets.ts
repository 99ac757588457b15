/** The papers' experiments as settings, each with where its values are from and which of them are ours. */
import { diagnose } from "../../diagnostics/index.ts";
import { meant } from "../../diagnostics/nearest.ts";
import type { AskedSettings } from "./settings.ts";

export interface Preset {
  readonly name: string;
  readonly settings: AskedSettings;
  readonly source: string;
  /** Settings whose values are ours, since the source does not say them, and why. */
  readonly ours: Readonly<Record<string, string>>;
}

/**
 * Conv-LoRA's: AdamW with weight decay 1e-4, one group, a rate that falls to 0 in a straight line without warm-up,
 * gradients of norm 1 at most, 4 pictures a step, stretched to the square with a bicubic filter, mirrored half the
 * time, patience 10.
 */
const convLora = {
  method: "conv-lora",
  optimiser: "adamW",
  rate: 1e-4,
  decay: 1e-4,
  schedule: "linear",
  warmup: 0,
  clip: 1,
  batch: 4,
  fit: "square",
  filter: "bicubic",
  augment: { mirror: 0.5 },
  patience: 10,
} as const satisfies AskedSettings;

const convLoraSource =
  "Conv-LoRA (arXiv 2401.17868) and its code in AutoGluon: utils/presets.py, configs/optim/default.yaml, examples/automm/Conv-LoRA";

const oursInAll = {
  validateEvery: "once an epoch; AutoGluon validates twice an epoch",
  decay: "falls on biases and norms, too",
  micro:
    "as many as the memory asks for; the published runs take 4 of 1 picture, in mixed precision",
};

const convLoraPreset = (
  name: string,
  settings: AskedSettings,
  ours: Preset["ours"] = {},
): Preset => ({
  name: `conv-lora/${name}`,
  settings: { ...convLora, ...settings },
  source: convLoraSource,
  ours: { ...oursInAll, ...ours },
});

/**
 * TA-LoRA's, as its successor's code has them: Adam at 1e-3 with decay 1e-6, a rate that rises for 5 % of the steps and
 * falls in a straight line, 200 epochs, one picture on each of four machines, loss weights 1, 1 and 4 of labels, depth
 * and normals; pictures lie in the square with their longest side, are cut to a part of 1, 1 / 1.2 or 1 / 1.5, with
 * depths to match, and mirrored half the time.
 */
const taLora = {
  method: "ta-lora",
  loss: "multi-task",
  taskWeights: { labels: 1, depth: 1, normals: 4 },
  optimiser: "adam",
  rate: 1e-3,
  decay: 1e-6,
  schedule: "linear",
  warmup: 0.05,
  clip: 0,
  batch: 4,
  epochs: 200,
  fit: "longest",
  filter: "bilinear",
  augment: { mirror: 0.5, scale: [1, 1.2, 1.5] },
  metric: "loss",
} as const satisfies AskedSettings;

const taLoraOurs = {
  metric:
    "the published code keeps the last; which is best is told by the loss on what is held out",
  validateEvery: "once an epoch",
  fit: "pictures are normalised with SAM's mean and deviation, which the published code leaves out; losses are of the model's square, and not of the picture's size",
  micro: "as many as the memory asks for",
};

const taLoraPreset = (name: string, ours: Preset["ours"] = {}): Preset => ({
  name: `ta-lora/${name}`,
  settings: taLora,
  source:
    "TA-LoRA (arXiv 2403.10971); values of the code of its successor MTSAM (ICLR 2025): run.sh, utils.py; metrics and augmentation of LibMTL",
  ours: { ...taLoraOurs, ...ours },
});

const notSaid = "MTSAM's for NYUv2; neither paper is known to say it for this set";

export const presets: readonly Preset[] = [
  convLoraPreset("polyp", { loss: "structure", epochs: 30, metric: "sMeasure" }),
  convLoraPreset("leaf", { loss: "structure", rate: 3e-4, epochs: 30, metric: "pictureIou" }),
  convLoraPreset("road", { loss: "structure", rate: 3e-4, epochs: 20, metric: "pictureIou" }),
  convLoraPreset("shadow", { loss: "balanced-bce", epochs: 10, metric: "ber" }),
  convLoraPreset(
    "trans10k",
    { loss: "set", maskTokens: 10, epochs: 30, metric: "iou" },
    {
      rate: "AutoGluon's preset; the paper does not say it for this set",
      epochs: "AutoGluon's preset; the paper does not say it for this set",
      maskTokens: "AutoGluon's test on 12 classes; the paper does not say it",
    },
  ),
  taLoraPreset("nyuv2"),
  taLoraPreset("cityscapes", {
    ...{ taskWeights: notSaid, epochs: notSaid, rate: notSaid, augment: notSaid },
  }),
  taLoraPreset("pascal-context", {
    ...{ taskWeights: notSaid, epochs: notSaid, rate: notSaid, augment: notSaid },
    loss: "saliency and parts of people are classes with cross entropy, as all labels are",
  }),
];

/** @throws E1106 for a name that none has. */
export function presetNamed(name: string): Preset {
  const found = presets.find((preset) => preset.name === name);
  if (found) return found;
  const names = presets.map((preset) => preset.name);
  const near = meant(name, names);
  throw diagnose("E1106", {
    message: `there is no preset "${name}"`,
    help: near === undefined ? `there are ${names.join(", ")}` : `write "${near}"`,
  });
}
