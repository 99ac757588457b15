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
