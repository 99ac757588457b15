/** `inarch study FILE`: a grid of runs over seeds, and a table of them beside what is published. */
import type { StudyReport, StudyRequest } from "../study/grid/node/run-study.ts";
import type { StudyRow } from "../study/grid/table.ts";
import { checkpointFlags } from "./arguments/checkpoint.ts";
import { defineCommand } from "./arguments/command.ts";
import { deviceFlag } from "./arguments/device.ts";
import { interrupted, studyIn } from "./arguments/study.ts";
import { flagReaders } from "./arguments/values.ts";

const { misused, numberOf } = flagReaders("inarch study");

export const command = defineCommand({
  description: "run a grid of trainings over seeds, and compare them",
  args: async () =>
    ({
      study: {
        type: "positional",
        description:
          "a study in YAML, JSON or TypeScript: what inarch train takes, and a grid of values by name",
      },
      weights: { ...checkpointFlags.weights, required: false },
      config: checkpointFlags.config,
      seeds: {
        type: "string",
        valueHint: "LIST",
        description: "each combination runs once with each, with commas; 1,2,3 unless given",
      },
      out: {
        type: "string",
        valueHint: "FOLDER",
        description: "the study's folder; one in which a study is under way goes on",
      },
      device: await deviceFlag(),
    }) as const,
  async run(given, { progress }) {
    const { runStudy } = await import("../study/grid/node/run-study.ts");
    const { partsOf } = await import("../study/train/study.ts");
    const file = await studyIn(given.study);
    const flags = Object.entries({
      ...{ weights: given.weights, config: given.config, out: given.out, device: given.device },
      seeds: given.seeds?.split(",").map((one) => numberOf("--seeds", one)),
    }).filter(([, value]) => value !== undefined);
    const { settings, others } = partsOf({ ...file, ...Object.fromEntries(flags) });
    const { set, weights, out, folds, ...rest } = others;
    if (folds !== undefined) throw misused("a study has no folds", "leave folds out");
    if (set === undefined)
      throw misused("there are no pictures to train on", "write set: in the study");
    if (weights === undefined) throw misused("there is no checkpoint", "give --weights FILE");
    if (out === undefined) throw misused("there is no folder for the study", "give --out FOLDER");
    const stop = new AbortController();
    const onInterrupt = () => stop.abort(interrupted(out));
    process.once("SIGINT", onInterrupt);
    try {
      const request: StudyRequest = {
        ...{ ...rest, set, weights, out, settings, signal: stop.signal },
        onProgress: progress.report,
        onPhase: progress.note,
        onStatus: ({ step, steps }) => progress.report(step, steps, "steps"),
      };
      const report = await runStudy(request);
      return { report, text: describe(report) };
    } finally {
      process.off("SIGINT", onInterrupt);
    }
  },
});

function describe({ folder, rows, metric }: StudyReport): string {
  const lines = rows.map((row) => `  ${wordsOf(row).padEnd(36)} ${scoreOf(row)}`);
  return [`${metric}, mean over seeds:`, ...lines, `the study: ${folder}/study.html`].join("\n");
}

const wordsOf = ({ values }: StudyRow) =>
  Object.entries(values)
    .map(([name, value]) => `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ") || "all";

function scoreOf({ score: { mean, error, of }, published }: StudyRow): string {
  const own = mean === null ? "undefined" : mean.toFixed(4);
  const spread = error === null ? "" : ` ± ${error.toFixed(4)}`;
  const printed = published.map((one) => `${one.set} ${one.value}`).join(", ");
  return `${own}${spread} (${of} runs)${printed ? `; published: ${printed}` : ""}`;
}
