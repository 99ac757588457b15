/** `inarch tune MODEL`: measures which tiles are the fastest on this machine's device. */

import { diagnose } from "../diagnostics/index.ts";
import type { TuneReport } from "../tuning/tune.ts";
import { defineCommand } from "./arguments/command.ts";
import { deviceFlag } from "./arguments/device.ts";
import { parseDims } from "./arguments/dims.ts";
import { modelArguments, modelOf, programsOf } from "./arguments/model.ts";

export const command = defineCommand({
  description: "measure the fastest tiles of a model's kernels on this machine",
  args: async () =>
    ({
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
      device: await deviceFlag(),
    }) as const,
  async run(given, { progress }) {
    const candidates = countOf("--candidates", given.candidates, 2);
    const rounds = countOf("--rounds", given.rounds, 3);
    const { cachePath } = await import("../tuning/store.ts");
    const { tune } = await import("../tuning/tune.ts");
    const loaded = await modelOf(given);
    const report = await tune({
      loaded,
      programs: await programsOf(loaded.model, given.program),
      dims: parseDims(given.dim),
      file: given.output ?? cachePath(),
      candidates,
      rounds,
      device: given.device,
      onProgress: progress.report,
      onDevice: (words) => progress.note(`on ${words}`),
    });
    return { report, text: await describe(report) };
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

async function describe({ device, file, kernels: results }: TuneReport): Promise<string> {
  const { showTile } = await import("../compiler/tuning/tuning.ts");
  const kernels = Object.entries(results);
  const lines = kernels.flatMap(([name, { form, tile, gain, noise, trials }]) => [
    name,
    `  ${gain > 1 ? `${form} ${showTile(tile)}: ${gain.toFixed(2)} times as fast as the default` : "the default stays"} (noise ${(100 * noise).toFixed(1)} %)`,
    ...trials.map(
      ({ form: kind, tile: tried, milliseconds, reason }) =>
        `    ${milliseconds === undefined ? "    lost" : `${milliseconds.toFixed(3).padStart(8)} ms`}  ${kind} ${showTile(tried)}${reason === undefined ? "" : `: ${reason}`}`,
    ),
  ]);
  const faster = kernels.filter(([, { gain }]) => gain > 1).length;
  const summary =
    kernels.length === 0
      ? `${file} has all kernels of the model already: delete it to measure again`
      : `${faster} of ${kernels.length} kernels got faster; ${file} is for --tuning`;
  return `${[`device ${device}`, ...lines, summary].join("\n")}\n`;
}
