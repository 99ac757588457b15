/** `inarch tune MODEL`: measures which tiles are the fastest on this machine's device. */
import { type ArgsDef, defineCommand } from "citty";
import { loadModel } from "../build/load-model.ts";
import { showTile } from "../compiler/tuning/tuning.ts";
import { diagnose } from "../diagnostics/index.ts";
import { openProgress, progressStyle } from "../runtime/node/progress.ts";
import { cachePath } from "../tuning/store.ts";
import { type TuneReport, tune } from "../tuning/tune.ts";
import { parseDims } from "./arguments/dims.ts";
import { repeated } from "./arguments/flags.ts";
import { modelArguments, programsOf } from "./arguments/model.ts";

const args = {
  ...modelArguments,
  output: {
    type: "string",
    valueHint: "FILE",
    description: "the file to write or to add to; the user's cache unless given",
  },
  candidates: {
    type: "string",
    default: "6",
    valueHint: "COUNT",
    description: "how many tiles of each kernel are tried, the best of the model first",
  },
  rounds: {
    type: "string",
    default: "9",
    valueHint: "COUNT",
    description: "how often each is measured",
  },
  json: { type: "boolean", default: false, description: "print what was measured as JSON" },
} satisfies ArgsDef;

export const tuneCommand = defineCommand({
  meta: { name: "tune", description: "measure the fastest tiles of a model's kernels" },
  args,
  async run({ args: given, rawArgs }) {
    const candidates = countOf("--candidates", given.candidates, 2);
    const rounds = countOf("--rounds", given.rounds, 3);
    const loaded = await loadModel(given.model, { config: given.config });
    const progress = openProgress(progressStyle(given.json));
    try {
      const report = await tune({
        loaded,
        programs: programsOf(loaded.model, repeated(rawArgs, "program", args)),
        dims: parseDims(repeated(rawArgs, "dim", args)),
        file: given.output ?? cachePath(),
        candidates,
        rounds,
        onProgress: progress.report,
      });
      progress.end();
      process.stdout.write(given.json ? `${JSON.stringify(report, null, 2)}\n` : describe(report));
    } finally {
      progress.end();
    }
  },
});

function countOf(flag: string, text: string, least: number): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= least && count <= 1000) return count;
  throw diagnose("E503", {
    message: `${flag} is "${text}", but takes a whole number from ${least} to 1000`,
    where: "inarch tune",
    help: `leave ${flag} out for its default`,
  });
}

function describe({ device, file, kernels: results }: TuneReport): string {
  const kernels = Object.entries(results);
  const lines = kernels.flatMap(([name, { tile, gain, noise, trials }]) => [
    name,
    `  ${gain > 1 ? `${showTile(tile)}: ${gain.toFixed(2)} times as fast as the default` : "the default stays"} (noise ${(100 * noise).toFixed(1)} %)`,
    ...trials.map(
      ({ tile: tried, milliseconds, reason }) =>
        `    ${milliseconds === undefined ? "    lost" : `${milliseconds.toFixed(3).padStart(8)} ms`}  ${showTile(tried)}${reason === undefined ? "" : `: ${reason}`}`,
    ),
  ]);
  const faster = kernels.filter(([, { gain }]) => gain > 1).length;
  const summary =
    kernels.length === 0
      ? `${file} has all kernels of the model already: delete it to measure again`
      : `${faster} of ${kernels.length} kernels got faster; ${file} is for --tuning`;
  return `${[`device ${device}`, ...lines, summary].join("\n")}\n`;
}
