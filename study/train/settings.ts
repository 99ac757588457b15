/** The settings of a run: plain data, kept beside its results, and compared when it goes on. */
import { type Precision, precisions } from "../../compiler/storage/formats.ts";
import { diagnose } from "../../diagnostics/index.ts";
import {
  anything,
  isObject,
  list,
  object,
  oneOf,
  text,
  type Wanted,
  type Wants,
} from "../../diagnostics/values.ts";
import type { MethodSettings } from "../../models/sam/presets/published.ts";
import type { BatchOptions } from "../data/batch.ts";
import type { Augmentation, Fit } from "../data/view.ts";
import type { Tasks } from "./targets.ts";

/**
 * - "structure": of one mask, Conv-LoRA's: cross entropy and weighted IoU.
 * - "balanced-bce": of one mask, Conv-LoRA's for shadows.
 * - "entropy-dice": of classes, SAMed's: 0.2 cross entropy and 0.8 dice; each class has a token and a perceptron.
 * - "set": of classes, Mask2Former's: `maskTokens` tokens share a perceptron, and a classifier names their masks.
 * - "multi-task": of several tasks, LibMTL's and MTSAM's: cross entropy of labels, absolute error of depth, 1 - cosine
 *   of normals, weighed by `taskWeights`.
 */
export type LossName = "structure" | "balanced-bce" | "entropy-dice" | "set" | "multi-task";

/**
 * - "iou": over all pixels, of what is looked for, or the mean of the classes'.
 * - "pictureIou", "ber", "sMeasure": of one mask, the mean over pictures, as Conv-LoRA's experiments have them.
 * - "loss": the only one of several tasks.
 */
export type MetricName = "iou" | "pictureIou" | "ber" | "sMeasure" | "loss";

export interface RunSettings {
  /** The preset that the others come from. */
  readonly preset?: string | undefined;
  /** The method's published name: "conv-lora". */
  readonly method: string;
  /** Settings of its adapter that are not the published ones. */
  readonly methodSettings: MethodSettings;
  readonly loss: LossName;
  /** Mask tokens of the loss "set". */
  readonly maskTokens: number;
  /**
   * How much pixels of a class count in the loss, by label. "auto": 1 / ln(1.02 + the class's part of the pixels), as
   * ENet has it.
   */
  readonly classWeights: "none" | "auto" | readonly number[];
  /**
   * Of several tasks: how much the loss of each counts, by the task's name or its kind ("labels", "depth", "normals"); 1
   * unless given. They are divided by their sum.
   */
  readonly taskWeights: Readonly<Record<string, number>>;
  readonly steps: number;
  /** Pictures of a step. */
  readonly batch: number;
  /** Parts of a step that are computed one after another, and whose gradients are averaged; of several processes in each. */
  readonly micro: number;
  /** Processes that share each step: 1, or as many as MPI has started. */
  readonly ranks: number;
  readonly optimiser: "adamW" | "adam" | "sgd";
  readonly rate: number;
  /**
   * What large tensors of the base and of scratch memory are stored in: singles, halves ("mixed") or bfloat16, as far as the
   * device has it. What trains stays in singles.
   */
  readonly precision: Precision;
  /** What the rate does after its warm-up: it falls to 0 in a straight line, in half a wave, or stays. */
  readonly schedule: "linear" | "cosine" | "constant";
  /** The part of the steps in which the rate rises from 0. */
  readonly warmup: number;
  readonly decay: number;
  /** The most that the norm of all gradients may be; 0: any. */
  readonly clip: number;
  /** Patterns of parameters that stay as they are though the method trains them. */
  readonly freeze: readonly string[];
  readonly seed: number;
  /** The side of the model's square input, in pixels; 0: as the checkpoint was trained. Positions are interpolated. */
  readonly size: number;
  readonly fit: Fit;
  /** How pictures are resized. */
  readonly filter: NonNullable<BatchOptions["filter"]>;
  readonly augment: Augmentation;
  /** Steps between validations; the last step has one, too. */
  readonly validateEvery: number;
  /** What is best on validation. */
  readonly metric: MetricName;
  /** Ends the run after so many validations in a row without a better one; 0: never. */
  readonly patience: number;
  /** Whether a class may be in no picture to train on, or in none to validate on. */
  readonly emptyClasses: "refused" | "allowed";
}

/** What is asked of a run: steps or epochs, and what is left to the set is not there. */
export interface AskedSettings extends Partial<Omit<RunSettings, "ranks">> {
  /** How often each picture is taken, in place of `steps`. */
  readonly epochs?: number | undefined;
}

/** What is not asked for. Loss and metric are those of one mask, of classes or of several tasks, as the set has them. */
export const usualSettings = {
  method: "conv-lora",
  methodSettings: {},
  maskTokens: 20,
  classWeights: "none",
  taskWeights: {},
  steps: 300,
  batch: 4,
  micro: 1,
  optimiser: "adamW",
  precision: "f32",
  rate: 2e-3,
  schedule: "linear",
  warmup: 0,
  decay: 0.01,
  clip: 1,
  freeze: [],
  seed: 1,
  size: 0,
  fit: "square",
  filter: "bilinear",
  augment: { mirror: 0.5 },
  validateEvery: 50,
  patience: 0,
  emptyClasses: "refused",
} as const satisfies Omit<RunSettings, "loss" | "metric" | "ranks">;

const weights: Wanted = {
  words: '"none", "auto", or a list of a weight for each class',
  is: (value) => value === "none" || value === "auto" || Array.isArray(value),
  among: ["none", "auto"],
};

export const settingWants: Wants<AskedSettings> = {
  preset: text,
  method: text,
  methodSettings: object("settings by name"),
  loss: oneOf("structure", "balanced-bce", "entropy-dice", "set", "multi-task"),
  maskTokens: anything,
  classWeights: weights,
  taskWeights: object("an object of weights by task: { depth: 2 }"),
  steps: anything,
  epochs: anything,
  batch: anything,
  micro: anything,
  optimiser: oneOf("adamW", "adam", "sgd"),
  precision: oneOf(...precisions),
  rate: anything,
  schedule: oneOf("linear", "cosine", "constant"),
  warmup: anything,
  decay: anything,
  clip: anything,
  freeze: list("a list of patterns of parameters"),
  seed: anything,
  size: anything,
  fit: oneOf("square", "longest"),
  filter: oneOf("bilinear", "bicubic"),
  augment: { words: "an object of augmentations", is: isObject },
  validateEvery: anything,
  metric: oneOf("iou", "pictureIou", "ber", "sMeasure", "loss"),
  patience: anything,
  emptyClasses: oneOf("refused", "allowed"),
};

/** What a run must go on with: its settings, and the items of its sets. */
export interface RunIdentity {
  readonly settings: RunSettings;
  /** The tasks of the sets, by name. */
  readonly tasks: Tasks;
  readonly train: readonly string[];
  readonly validation: readonly string[];
}

/** @throws E1102 naming the first setting that differs. */
export function checkSame(before: RunIdentity, now: RunIdentity, where: string): void {
  const flat = ({ settings, ...sets }: RunIdentity) => ({ ...settings, ...sets });
  const [old, asked] = [flat(before), flat(now)] as Readonly<Record<string, unknown>>[];
  for (const name of Object.keys({ ...old, ...asked })) {
    const [was, is] = [old![name], asked![name]].map((value) => JSON.stringify(value) ?? "nothing");
    if (was === is) continue;
    const short = (value: string) => (value.length > 60 ? `${value.slice(0, 57)}…` : value);
    throw diagnose("E1102", {
      message: `the run was begun with ${name} ${short(was!)}, and is to go on with ${short(is!)}`,
      where,
      help: "give what it was begun with, or another folder",
    });
  }
}
