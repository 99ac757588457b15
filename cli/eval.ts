/** `inarch eval RUN`: scores of a run's adapter on a set. */
import { join } from "node:path";
import type { SetDescription } from "../study/data/node/open.ts";
import type { EvaluateReport, LabelScores, TaskScores } from "../study/predict/node/evaluate.ts";
import type { Tasks } from "../study/train/targets.ts";
import { checkpointFlags } from "./arguments/checkpoint.ts";
import { defineCommand } from "./arguments/command.ts";
import { deviceFlag } from "./arguments/device.ts";
import { readSet } from "./arguments/set.ts";
import { tileFlag, tilesOf } from "./arguments/tile.ts";
import { flagReaders } from "./arguments/values.ts";

const { misused, numberOf, countOf } = flagReaders("inarch eval");

const folder = (description: string) =>
  ({ type: "string", valueHint: "FOLDER", description }) as const;

export const command = defineCommand({
  description: "scores of what inarch train has made, on pictures and masks",
  args: async () =>
    ({
      run: { type: "positional", description: "the folder of a run: --out of inarch train" },
      pictures: folder("pictures"),
      masks: folder("their masks, by the pictures' names; the values are the run's classes"),
      value: {
        type: "string",
        valueHint: "VALUE",
        description: "what is inside in masks of several values: a number, or a colour as #rrggbb",
      },
      ignore: {
        type: "string",
        valueHint: "NUMBER",
        description: "the masks' value of pixels that do not count",
      },
      set: {
        type: "string",
        valueHint: "FILE",
        description: "a file of JSON or YAML that describes the set, in place of folders",
      },
      ...checkpointFlags,
      weights: { ...checkpointFlags.weights, description: "the checkpoint that it was trained on" },
      adapter: {
        type: "string",
        valueHint: "FILE",
        description: "another adapter of the run's method than its best",
      },
      batch: {
        type: "string",
        valueHint: "NUMBER",
        description: "pictures that are seen at once; 1 unless given",
      },
      tile: tileFlag,
      device: await deviceFlag(),
    }) as const,
  async run(given, { progress }) {
    const { evaluate } = await import("../study/predict/node/evaluate.ts");
    const { run, weights, config, adapter, device } = given;
    const set = await setOf(given, await tasksOf(run));
    const batch = countOf("--batch", given.batch);
    const report = await evaluate({
      ...{ run, weights, config, adapter, device, set, batch },
      tiles: tilesOf("inarch eval", given.tile),
      onProgress: progress.report,
      onPhase: progress.note,
    });
    return { report, text: describe(report) };
  },
});

/** Errors: E1103. */
async function tasksOf(run: string): Promise<Tasks> {
  const { readRun } = await import("../study/train/node/run-folder.ts");
  return (await readRun(run)).tasks;
}

type Given = Readonly<
  Record<"pictures" | "masks" | "value" | "ignore" | "set", string | undefined>
>;

async function setOf(given: Given, tasks: Tasks): Promise<SetDescription> {
  const { pictures, masks, value, ignore, set } = given;
  if (set !== undefined) {
    const other = (["pictures", "masks", "value", "ignore"] as const).find((f) => given[f]);
    if (other) throw misused(`--set and --${other} do not go together`, "leave one of them out");
    return readSet(set);
  }
  if (pictures === undefined || masks === undefined)
    throw misused(
      "there is nothing to compare with",
      "give --pictures FOLDER and --masks FOLDER, or --set FILE",
    );
  const [{ classes, kind }, ...others] = Object.values(tasks) as [Tasks[string]];
  if (others.length > 0 || kind !== "labels" || classes === undefined)
    throw misused(
      `the run knows ${Object.keys(tasks).join(", ")}, not masks alone`,
      "describe pictures and targets in a file: --set FILE",
    );
  const left = ignore === undefined ? {} : { ignore: numberOf("--ignore", ignore) };
  if (classes.length === 2) {
    const inside = value?.startsWith("#") ? value : numberOf("--value", value);
    const files = { kind: "mask" as const, name: classes[1]!, folder: masks, ...left };
    const target = inside === undefined ? files : { ...files, value: inside };
    return { format: "folders", pictures, targets: { masks: target } };
  }
  if (value !== undefined)
    throw misused("--value is of masks of one thing", "the run has several classes: leave it out");
  const target = { kind: "classes" as const, classes, folder: masks, ...left };
  return { format: "folders", pictures, targets: { masks: target } };
}

const shown = (score: number | null | undefined) =>
  score === null || score === undefined ? "undefined" : score.toFixed(4);

function describe({ run, tasks }: EvaluateReport): string {
  return tasks
    .flatMap((one) => {
      const name = tasks.length > 1 ? `, ${one.task}` : "";
      const lines = one.kind === "labels" ? table(one) : errorsOf(one);
      return [`${join(run)}${name}: ${one.pictures} pictures`, ...lines];
    })
    .join("\n");
}

const errorWords: Readonly<Record<string, string>> = {
  absolute: "absolute error",
  relative: "relative error",
  mean: "mean angle, degrees",
  median: "median angle, degrees",
  within11: "within 11.25 degrees",
  within22: "within 22.5 degrees",
  within30: "within 30 degrees",
};

/** The errors of depth or of normals. */
const errorsOf = (scores: TaskScores): string[] =>
  Object.entries(scores).flatMap(([name, value]) =>
    errorWords[name] ? [`  ${errorWords[name].padEnd(24)} ${shown(value)}`] : [],
  );

function table({ classes, accuracy, ber, perPicture, ...means }: LabelScores): string[] {
  const columns = ["iou", "dice", "precision", "recall"] as const;
  const line = (name: string, cells: readonly string[]) =>
    `  ${name.padEnd(16)}${cells.map((cell) => cell.padStart(11)).join("")}`;
  const mean = ({
    value,
    undefined: missing,
  }: {
    value: number | null;
    undefined: number | null;
  }) => `${shown(value)}${missing ? ` (${missing} undefined)` : ""}`;
  const named: readonly (readonly [string, string])[] = [
    ["mean IoU", mean(means.meanIou)],
    ["mean Dice", mean(means.meanDice)],
    ["mean accuracy", mean(means.meanAccuracy)],
    ["accuracy", shown(accuracy)],
    ["BER", shown(ber)],
    ...Object.entries(perPicture ?? {}).map(
      ([metric, one]) => [`${metric}, per picture`, mean(one)] as const,
    ),
  ];
  return [
    line("class", [...columns, "pixels"]),
    ...Object.entries(classes).map(([name, scores]) =>
      line(name, [...columns.map((column) => shown(scores[column])), String(scores.pixels)]),
    ),
    ...named.map(([name, value]) => `  ${name.padEnd(24)} ${value}`),
  ];
}
