/** `inarch train`: fine-tunes a SAM on a folder of pictures and one of masks. */
import { readFile } from "node:fs/promises";
import { diagnose } from "../diagnostics/index.ts";
import type { SetDescription } from "../study/data/node/open.ts";
import type { TaskFiles } from "../study/data/task-files.ts";
import type { TrainReport } from "../study/train/node/train.ts";
import { checkpointFlags } from "./arguments/checkpoint.ts";
import { defineCommand } from "./arguments/command.ts";
import { deviceFlag } from "./arguments/device.ts";
import { methodFlag } from "./arguments/method.ts";
import { parseSettings } from "./arguments/settings.ts";

const number = (description: string) =>
  ({ type: "string", valueHint: "NUMBER", description }) as const;
const folder = (description: string) =>
  ({ type: "string", valueHint: "FOLDER", description }) as const;

export const command = defineCommand({
  description: "fine-tune a SAM on pictures and masks",
  args: async () => {
    const { type, options } = await methodFlag();
    return {
      pictures: folder("pictures to train on"),
      masks: folder("their masks, by the pictures' names"),
      "val-pictures": folder("pictures to validate on; unless given a part is held out"),
      "val-masks": folder("their masks"),
      set: {
        type: "string",
        valueHint: "JSON",
        description: "a file that describes the set, in place of folders",
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
      ...checkpointFlags,
      method: { type, options, default: "conv-lora", description: "what is trained" },
      setting: {
        type: "string",
        repeated: true,
        valueHint: "NAME=VALUE",
        description: "a setting of the method's adapter; repeatable",
      },
      steps: number("steps; 300 unless given"),
      batch: number("pictures of a step; 4 unless given"),
      rate: number("the learning rate, which falls to 0; 0.002 unless given"),
      seed: number("of the order, augmentation and first values; 1 unless given"),
      fit: {
        type: "enum",
        options: ["square", "longest"],
        default: "square",
        description:
          "pictures are stretched to the model's square, or lie in it with their longest side",
      },
      "validate-every": number("steps between validations; 50 unless given"),
      "hold-out": number("the part of the pictures that is held out; 0.2 unless given"),
      out: {
        type: "string",
        required: true,
        valueHint: "FOLDER",
        description: "the run's folder; one in which a run is under way goes on",
      },
      device: await deviceFlag(),
    } as const;
  },
  async run(given, { progress }) {
    const { train } = await import("../study/train/node/train.ts");
    const { method, fit, weights, config, out, device } = given;
    checkTogether(given);
    const stop = new AbortController();
    const onInterrupt = () => stop.abort(interrupted(out));
    process.once("SIGINT", onInterrupt);
    try {
      const report = await train({
        set: await setOf(given, given.pictures, given.masks),
        validation: validationOf(given),
        part: numberOf("--hold-out", given["hold-out"]),
        ...{ weights, config, out, device },
        settings: {
          ...{ method, fit, methodSettings: parseSettings(given.setting, method) },
          steps: numberOf("--steps", given.steps),
          batch: numberOf("--batch", given.batch),
          rate: numberOf("--rate", given.rate),
          seed: numberOf("--seed", given.seed),
          validateEvery: numberOf("--validate-every", given["validate-every"]),
        } as object,
        onProgress: progress.report,
        onPhase: progress.note,
        signal: stop.signal,
      });
      return { report, text: describe(report) };
    } finally {
      process.off("SIGINT", onInterrupt);
    }
  },
});

/** A flag, and those that would not be heeded beside it. */
const apart = [
  ["set", ["pictures", "masks", "val-pictures", "val-masks", "classes", "value", "ignore"]],
  ["classes", ["value"]],
  ["hold-out", ["val-pictures", "val-masks"]],
] as const;

/** @throws E370 for flags of which one would not be heeded. */
function checkTogether(given: Readonly<Partial<Record<string, unknown>>>): void {
  for (const [flag, others] of apart)
    for (const other of others)
      if (given[flag] !== undefined && given[other] !== undefined)
        throw misused(`--${flag} and --${other} do not go together`, "leave one of them out");
}

interface Described {
  readonly set?: string | undefined;
  readonly classes?: string | undefined;
  readonly value?: string | undefined;
  readonly ignore?: string | undefined;
}

async function setOf(
  given: Described,
  pictures: string | undefined,
  masks: string | undefined,
): Promise<SetDescription> {
  if (given.set !== undefined) return readDescription(given.set);
  if (pictures === undefined || masks === undefined)
    throw misused(
      "there are no pictures to train on",
      "give --pictures FOLDER and --masks FOLDER, or --set JSON",
    );
  return { format: "folders", pictures, targets: { masks: { ...filesOf(given), folder: masks } } };
}

function validationOf(
  given: Described & {
    readonly "val-pictures"?: string | undefined;
    readonly "val-masks"?: string | undefined;
  },
): SetDescription | undefined {
  const { "val-pictures": pictures, "val-masks": folder } = given;
  if (pictures === undefined && folder === undefined) return undefined;
  if (pictures === undefined || folder === undefined)
    throw misused(
      `--${pictures === undefined ? "val-masks" : "val-pictures"} is given alone`,
      "give --val-pictures FOLDER and --val-masks FOLDER",
    );
  return { format: "folders", pictures, targets: { masks: { ...filesOf(given), folder } } };
}

function filesOf({ classes, value, ignore }: Described): TaskFiles {
  const left = ignore === undefined ? {} : { ignore: numberOf("--ignore", ignore)! };
  if (classes === undefined)
    return { kind: "mask", ...(value === undefined ? {} : { value: insideOf(value) }), ...left };
  const names = classes.split(",").map((name) => name.trim());
  const count = Number(classes);
  return { kind: "classes", classes: Number.isSafeInteger(count) ? count : names, ...left };
}

const insideOf = (text: string) => (text.startsWith("#") ? text : numberOf("--value", text)!);

async function readDescription(path: string): Promise<SetDescription> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as SetDescription;
  } catch (cause) {
    throw diagnose("E1003", {
      message: `the description cannot be read: ${(cause as Error).message}`,
      where: path,
      help: 'write JSON: { "format": "folders", "pictures": "images", "targets": { … } }',
      cause,
    });
  }
}

function numberOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw misused(`${flag} cannot be "${text}"`, `give a number: ${flag} 1`);
}

const misused = (message: string, help: string) =>
  diagnose("E370", { message, where: "inarch train", help });

const interrupted = (out: string) =>
  diagnose("E1104", {
    message: "the training was interrupted, and what was done is saved",
    where: out,
    help: "the same command goes on from there",
  });

function describe({ folder, best, before, last, pictures, steps }: TrainReport): string {
  const score = (value: number | null) => (value === null ? "undefined" : value.toFixed(4));
  return [
    `${steps} steps on ${pictures.train} pictures, ${pictures.validation} held out`,
    `IoU before ${score(before.score)}, best ${score(best.score)} after ${best.step} steps, last ${score(last.score)}`,
    ...Object.entries(best.iou).map(([name, iou]) => `  ${name.padEnd(16)} ${score(iou)}`),
    `the adapter: ${folder}/adapter.safetensors`,
  ].join("\n");
}
