/** The flags of a study, and what they say of it: they go before what its file says. */
import { parseBytes } from "../../diagnostics/bytes.ts";
import { diagnose } from "../../diagnostics/index.ts";
import type { SetDescription } from "../../study/data/node/open.ts";
import type { TaskFiles } from "../../study/data/task-files.ts";
import type { Study } from "../../study/train/study.ts";
import { flagReaders } from "./values.ts";

export const { misused, numberOf } = flagReaders("inarch train");

const number = (description: string) =>
  ({ type: "string", valueHint: "NUMBER", description }) as const;
const folder = (description: string) =>
  ({ type: "string", valueHint: "FOLDER", description }) as const;
const choice = (description: string, ...options: readonly string[]) =>
  ({ type: "enum", options, description }) as const;

export const setFlags = {
  pictures: folder("pictures to train on"),
  masks: folder("their masks, by the pictures' names"),
  "val-pictures": folder("pictures to validate on; unless given a part is held out"),
  "val-masks": folder("their masks"),
  set: {
    type: "string",
    valueHint: "FILE",
    description: "a file of JSON or YAML that describes the set, in place of folders",
  },
  classes: {
    type: "string",
    valueHint: "NAMES",
    description:
      "names of the masks' values 0, 1, …, with commas, or how many; unless given masks are of one object",
  },
  value: {
    type: "string",
    valueHint: "VALUE",
    description: "what is inside in masks of several values: a number, or a colour as #rrggbb",
  },
  ignore: number("the masks' value of pixels that do not count"),
  "hold-out": number("the part of the pictures that is held out; 0.2 unless given"),
  folds: number("so many runs, of which each holds out another part"),
  share: number(
    "the part of the pictures to train on that is taken, drawn by the seed; 1 unless given",
  ),
} as const;

export const runFlags = {
  loss: choice(
    "structure unless given; of classes entropy-dice, of several tasks multi-task",
    "structure",
    "balanced-bce",
    "entropy-dice",
    "set",
    "multi-task",
  ),
  "mask-tokens": number("of the loss set; 20 unless given"),
  "class-weights": {
    type: "string",
    valueHint: "none|auto|LIST",
    description: "how much pixels of a class count: none, auto, or a number for each, with commas",
  },
  "task-weights": {
    type: "string",
    valueHint: "LIST",
    description:
      "of several tasks, how much the loss of each counts, by its name or its kind: labels=1,normals=4",
  },
  steps: number("steps; 300 unless given"),
  epochs: number("how often each picture is taken, in place of steps"),
  batch: number("pictures of a step; 4 unless given"),
  micro: number("parts of a step, one after another; 1 unless given"),
  optimiser: choice("adamW unless given", "adamW", "adam", "sgd"),
  precision: choice(
    "mixed stores large tensors as halves, bf16 in bfloat16 (not with WebGPU); f32 unless given",
    "f32",
    "mixed",
    "bf16",
  ),
  rate: number("the learning rate; 0.002 unless given"),
  schedule: choice("how the rate falls; linear unless given", "linear", "cosine", "constant"),
  warmup: number("the part of the steps in which the rate rises; 0 unless given"),
  decay: number("of the parameters; 0.01 unless given"),
  clip: number("the most that the norm of all gradients may be; 1 unless given, 0 for any"),
  freeze: {
    type: "string",
    repeated: true,
    valueHint: "PATTERN",
    description: "parameters that stay as they are, as in 'mask_decoder.**'; repeatable",
  },
  seed: number("of the order, augmentation and first values; 1 unless given"),
  size: number(
    "the side of the model's square, in pixels, of which positions are interpolated; as its checkpoint has it unless given",
  ),
  fit: choice(
    "pictures are stretched to the model's square, as usual, or lie in it with their longest side",
    "square",
    "longest",
  ),
  filter: choice("how pictures are resized; bilinear unless given", "bilinear", "bicubic"),
  "validate-every": number("steps between validations; 50 unless given, of epochs one of them"),
  metric: choice(
    "what is best on validation; iou unless given, of several tasks loss",
    "iou",
    "pictureIou",
    "ber",
    "sMeasure",
    "loss",
  ),
  patience: number("ends after so many validations without a better one; 0, never, unless given"),
  "empty-classes": choice(
    "whether a class may be in no picture; refused unless given",
    "refused",
    "allowed",
  ),
  time: {
    type: "string",
    valueHint: "TIME",
    description: "ends after so long, such as 90s, 30m or 2h; the run can go on later",
  },
  budget: {
    type: "string",
    valueHint: "SIZE",
    description: "the most device memory, such as 4GiB; a step then has as many parts as it takes",
  },
} as const;

type Given = Readonly<Partial<Record<string, string | readonly string[] | boolean>>>;

/** Flags of numbers, and what they are called in a study. */
const numbers = {
  "hold-out": "part",
  folds: "folds",
  share: "share",
  "mask-tokens": "maskTokens",
  steps: "steps",
  epochs: "epochs",
  batch: "batch",
  micro: "micro",
  rate: "rate",
  warmup: "warmup",
  decay: "decay",
  clip: "clip",
  seed: "seed",
  size: "size",
  "validate-every": "validateEvery",
  patience: "patience",
} as const satisfies Readonly<Record<string, keyof Study>>;

/** Flags of words. */
const words = {
  preset: "preset",
  method: "method",
  loss: "loss",
  optimiser: "optimiser",
  precision: "precision",
  schedule: "schedule",
  fit: "fit",
  filter: "filter",
  metric: "metric",
  "empty-classes": "emptyClasses",
  weights: "weights",
  config: "config",
  out: "out",
  device: "device",
} as const satisfies Readonly<Record<string, keyof Study>>;

/** What flags say of a study; what none says is not there. Errors: E370, E503. */
export function studyOfFlags(given: Given): Study {
  const text = (flag: string) => given[flag] as string | undefined;
  const found = [
    ...Object.entries(numbers).map(([flag, name]) => [name, numberOf(`--${flag}`, text(flag))]),
    ...Object.entries(words).map(([flag, name]) => [name, text(flag)]),
    ["seconds", text("time") === undefined ? undefined : secondsOf(text("time")!)],
    ["budget", text("budget") === undefined ? undefined : parseBytes(text("budget")!)],
    ["classWeights", weightsOf(text("class-weights"))],
    ["taskWeights", taskWeightsOf(text("task-weights"))],
    ["freeze", (given.freeze as readonly string[]).length > 0 ? given.freeze : undefined],
  ] as (readonly [string, unknown])[];
  return Object.fromEntries(found.filter(([, value]) => value !== undefined));
}

function weightsOf(text: string | undefined) {
  if (text === undefined || text === "none" || text === "auto") return text;
  return text.split(",").map((one) => numberOf("--class-weights", one));
}

function taskWeightsOf(text: string | undefined) {
  if (text === undefined) return undefined;
  const pairs = text.split(",").map((one) => {
    const [, name, weight] = /^\s*([^=\s]+)\s*=(.*)$/.exec(one) ?? [];
    if (name === undefined)
      throw misused(
        `--task-weights cannot be "${text}"`,
        "give names and numbers: --task-weights depth=1,normals=4",
      );
    return [name, numberOf("--task-weights", weight)] as const;
  });
  return Object.fromEntries(pairs);
}

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86400 };

function secondsOf(text: string): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)\s*([smhd])$/.exec(text.trim()) ?? [];
  if (count !== undefined) return Number(count) * units[unit!]!;
  throw misused(`--time cannot be "${text}"`, "give a number and its unit: --time 90s, 30m or 2h");
}

/** A set of folders. Errors: E370. */
export function foldersOf(
  given: Given,
  [picturesFlag, masksFlag]: readonly [string, string],
): SetDescription | undefined {
  const [pictures, masks] = [given[picturesFlag], given[masksFlag]] as (string | undefined)[];
  if (pictures === undefined && masks === undefined) return undefined;
  if (pictures === undefined || masks === undefined)
    throw misused(
      `--${pictures === undefined ? masksFlag : picturesFlag} is given alone`,
      `give --${picturesFlag} FOLDER and --${masksFlag} FOLDER`,
    );
  return { format: "folders", pictures, targets: { masks: { ...filesOf(given), folder: masks } } };
}

function filesOf(given: Given): TaskFiles {
  const [classes, value, ignore] = [given.classes, given.value, given.ignore] as (
    | string
    | undefined
  )[];
  const left = ignore === undefined ? {} : { ignore: numberOf("--ignore", ignore) };
  if (classes === undefined)
    return { kind: "mask", ...(value === undefined ? {} : { value: insideOf(value) }), ...left };
  const names = classes.split(",").map((name) => name.trim());
  const count = Number(classes);
  return { kind: "classes", classes: Number.isSafeInteger(count) ? count : names, ...left };
}

const insideOf = (text: string) => (text.startsWith("#") ? text : numberOf("--value", text));

/** A study in a file. Errors: E460, E465, E1003, E1106, and E510 to E513 for TypeScript. */
export async function studyIn(file: string): Promise<Study> {
  const { readStudy, studyOf } = await import("../../study/train/node/study-file.ts");
  if (!/\.[cm]?[jt]s$/.test(file)) return readStudy(file);
  const { resolve } = await import("node:path");
  const { importGraphFile } = await import("../../build/graph-file.ts");
  return studyOf((await importGraphFile(resolve(file), file)).exports.default, file);
}

/** What an interrupt ends a training with. */
export const interrupted = (out: string) =>
  diagnose("E1104", {
    message: "the training was interrupted, and what was done is saved",
    where: out,
    help: "the same command goes on from there",
  });
