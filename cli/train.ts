/** `inarch train`: fine-tunes a SAM on a set of pictures and masks, by flags, by a study in a file, or both. */
import type { SetDescription } from "../study/data/node/open.ts";
import type { Status } from "../study/train/node/clock.ts";
import type { FoldsReport } from "../study/train/node/folds.ts";
import type { TrainRequest } from "../study/train/node/train.ts";
import type { TrainReport } from "../study/train/node/train-report.ts";
import type { Study } from "../study/train/study.ts";
import { checkpointFlags } from "./arguments/checkpoint.ts";
import { defineCommand } from "./arguments/command.ts";
import { deviceFlag } from "./arguments/device.ts";
import { methodFlag } from "./arguments/method.ts";
import { readSet } from "./arguments/set.ts";
import { parseSettings } from "./arguments/settings.ts";
import {
  foldersOf,
  interrupted,
  misused,
  runFlags,
  setFlags,
  studyIn,
  studyOfFlags,
} from "./arguments/study.ts";

export const command = defineCommand({
  description: "fine-tune a SAM on pictures and masks",
  args: async () => {
    const { type, options } = await methodFlag();
    const { taskMethodNames } = await import("../models/sam/presets/published.ts");
    const { presets } = await import("../study/train/presets.ts");
    return {
      study: {
        type: "string",
        valueHint: "FILE",
        description:
          "what flags would say, in YAML, JSON or TypeScript (defineStudy); flags go before it",
      },
      ...setFlags,
      weights: { ...checkpointFlags.weights, required: false },
      config: checkpointFlags.config,
      preset: {
        type: "enum",
        options: presets.map(({ name }) => name),
        description: "the settings of a published experiment; what else is given goes before them",
      },
      method: {
        type,
        options: [...options, ...taskMethodNames],
        description: "what is trained; conv-lora unless given",
      },
      setting: {
        type: "string",
        repeated: true,
        valueHint: "NAME=VALUE",
        description: "a setting of the method's adapter; repeatable",
      },
      ...runFlags,
      out: {
        type: "string",
        valueHint: "FOLDER",
        description: "the run's folder; one in which a run is under way goes on",
      },
      device: await deviceFlag(),
    } as const;
  },
  async run(given, { progress }) {
    const { openMpi, train, trainFolds } = await import("../study/train/node/index.ts");
    checkTogether(given);
    const { out, folds, request } = await requestOf(given);
    const world = await openMpi();
    // The others of a job say what went wrong, and nothing else.
    const isFirst = (world?.rank ?? 0) === 0;
    const told = isFirst
      ? {
          onProgress: progress.report,
          onPhase: progress.note,
          onStatus: (status: Status) =>
            progress.report(status.step, status.steps, "steps", inWords(status)),
        }
      : {};
    const stop = new AbortController();
    const onInterrupt = () => stop.abort(interrupted(out));
    process.once("SIGINT", onInterrupt);
    try {
      const whole: TrainRequest = {
        ...{ ...request, ...told, reducer: world, signal: stop.signal },
      };
      const [report, text] = await (folds === undefined
        ? train(whole).then((one) => [one, describe(one)] as const)
        : trainFolds(whole, folds).then((all) => [all, describeFolds(all)] as const));
      world?.close();
      return { report, text, isQuiet: !isFirst };
    } finally {
      process.off("SIGINT", onInterrupt);
    }
  },
});

/** A flag, and those that would not be heeded beside it. */
const apart = [
  ["set", ["pictures", "masks", "val-pictures", "val-masks", "classes", "value", "ignore"]],
  ["classes", ["value"]],
  ["hold-out", ["val-pictures", "val-masks", "folds"]],
  ["folds", ["val-pictures", "val-masks"]],
  ["steps", ["epochs"]],
] as const;

type Given = Parameters<typeof studyOfFlags>[0];

/** @throws E370 for flags of which one would not be heeded. */
function checkTogether(given: Given): void {
  for (const [flag, others] of apart)
    for (const other of others)
      if (given[flag] !== undefined && given[other] !== undefined)
        throw misused(`--${flag} and --${other} do not go together`, "leave one of them out");
}

/** What is asked for in all: the study of a file, and what flags say instead. Errors: E370, E460, E465, E1106. */
async function requestOf(given: Given) {
  const { partsOf } = await import("../study/train/study.ts");
  const file = given.study === undefined ? {} : await studyIn(given.study as string);
  const flags = studyOfFlags(given);
  const timed = flags.steps === undefined ? {} : { epochs: undefined };
  const counted = flags.epochs === undefined ? {} : { steps: undefined };
  const study = { ...file, ...timed, ...counted, ...flags } as Study;
  const { settings, others } = partsOf(study);
  const method = settings.method ?? "conv-lora";
  const own = parseSettings(given.setting as readonly string[], method);
  const { weights, out, folds, grid, seeds, ...rest } = others;
  if (grid ?? seeds)
    throw misused("the study has a grid of runs", `run it: inarch study ${given.study as string}`);
  const set = await setOf(given, file);
  const held = foldersOf(given, ["val-pictures", "val-masks"]);
  if (weights === undefined) throw misused("there is no checkpoint", "give --weights FILE");
  if (out === undefined) throw misused("there is no folder for the run", "give --out FOLDER");
  const methodSettings = { ...settings.methodSettings, ...own };
  const request = {
    ...{ ...rest, set, weights, out },
    ...(held === undefined ? {} : { validation: held }),
    settings: { ...settings, methodSettings },
  } as TrainRequest;
  return { out, folds, request };
}

async function setOf(given: Given, { set }: Study): Promise<SetDescription> {
  if (given.set !== undefined) return readSet(given.set as string);
  const folders = foldersOf(given, ["pictures", "masks"]);
  if (folders !== undefined) return folders;
  if (set !== undefined) return set as SetDescription;
  throw misused(
    "there are no pictures to train on",
    "give --pictures FOLDER and --masks FOLDER, --set FILE, or --study FILE",
  );
}

/** "loss 0.70, rate 1.2e-3, 3.1 pictures/s, 2 min left" */
function inWords({ loss, rate, speed, left }: Status): string {
  const time =
    left < 90
      ? `${Math.ceil(left)} s`
      : left < 5400
        ? `${Math.ceil(left / 60)} min`
        : `${(left / 3600).toFixed(1)} h`;
  return `loss ${loss.toFixed(4)}, rate ${rate.toPrecision(2)}, ${speed.toFixed(speed < 10 ? 1 : 0)} pictures/s, ${time} left`;
}

const said = (value: number | null) => (value === null ? "undefined" : value.toFixed(4));

const ends = {
  steps: "",
  patience: ", ended for want of anything better",
  time: ", ended by the time",
} as const;

/** Of several tasks metrics are named TASK/METRIC. */
const isOfTask = ([name]: readonly [string, unknown]) => name.includes("/");

function describe({ folder, best, before, last, pictures, steps, ended }: TrainReport): string {
  return [
    `${steps} steps on ${pictures.train} pictures, ${pictures.validation} held out${ends[ended]}`,
    `score before ${said(before.score)}, best ${said(best.score)} after ${best.step} steps, last ${said(last.score)}`,
    ...[...Object.entries(best.iou), ...Object.entries(best.metrics).filter(isOfTask)].map(
      ([name, value]) => `  ${name.padEnd(16)} ${said(value ?? null)}`,
    ),
    `the adapter: ${folder}/adapter.safetensors`,
  ].join("\n");
}

function describeFolds({ folder, folds, score }: FoldsReport): string {
  return [
    ...folds.map(
      ({ best, folder }) => `${folder}: best ${said(best.score)} after ${best.step} steps`,
    ),
    `mean ${said(score.mean)}, deviation ${said(score.deviation)}`,
    `the folds: ${folder}/folds.json`,
  ].join("\n");
}
