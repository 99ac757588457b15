/** `inarch tune MODEL`: measures which tiles are the fastest on this machine's device. */
import { type ArgsDef, defineCommand } from "citty";
import { loadModel, traceLoaded } from "../build/load-model.ts";
import { compileStages } from "../compiler/compile.ts";
import type { Region } from "../compiler/fuse/region.ts";
import { deviceProfile, type Profile } from "../compiler/profile.ts";
import { withTuning } from "../compiler/tuning/file.ts";
import { inputTypes, kernelKey, templateOf } from "../compiler/tuning/kernel-key.ts";
import { deviceKey, showTile, type TunedKernel } from "../compiler/tuning/tuning.ts";
import { diagnose } from "../diagnostics/index.ts";
import { openDevice } from "../runtime/node/device.ts";
import { cachePath, readTuningFile, writeTuningFile } from "../tuning/store.ts";
import { type TuneResult, tuneRegion } from "../tuning/tuner.ts";
import { parseDims } from "./arguments/dims.ts";
import { repeated } from "./arguments/flags.ts";
import { modelArguments, programsOf } from "./arguments/model.ts";
import { openProgress, progressStyle } from "./progress.ts";

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
    const path = given.output ?? cachePath();
    const before = await readTuningFile(path);
    const loaded = await loadModel(given.model, { config: given.config });
    const dims = parseDims(repeated(rawArgs, "dim", args));
    const programs = programsOf(loaded.model, repeated(rawArgs, "program", args));
    const progress = openProgress(progressStyle(given.json));
    const { device } = await openDevice();
    try {
      const profile = deviceProfile(device.capabilities);
      const key = deviceKey(device.capabilities);
      const regions = programs.flatMap((program) =>
        compileStages(traceLoaded(loaded, program, dims), { profile }).fusion.regions.slice(),
      );
      const todo = [...tunable(regions, profile)].filter(
        ([name]) => !Object.hasOwn(before.devices[key] ?? {}, name),
      );
      const results: Record<string, TuneResult> = {};
      const tuned: Record<string, TunedKernel> = {};
      for (const [done, [name, region]] of todo.entries()) {
        progress.report(done, todo.length, "kernels");
        const result = await tuneRegion(region, { device, profile, candidates, rounds });
        results[name] = result;
        tuned[name] = { tile: result.tile, gain: Math.round(result.gain * 1000) / 1000 };
        // What was measured is not lost when a later kernel fails.
        await writeTuningFile(path, withTuning(before, key, tuned));
      }
      progress.end();
      const text = given.json
        ? `${JSON.stringify({ device: key, file: path, kernels: results }, null, 2)}\n`
        : describe(key, path, results);
      process.stdout.write(text);
    } finally {
      progress.end();
      device.destroy();
    }
  },
});

/** One region of each kernel that has a choice of tiles, by its key. */
export function tunable(regions: readonly Region[], profile: Profile): Map<string, Region> {
  const found = new Map<string, Region>();
  for (const region of regions) {
    const template = templateOf(region);
    if (!template) continue;
    const { attrs } = region.anchor;
    if (template.tiles(inputTypes(region), attrs, profile).length < 2) continue;
    const key = kernelKey(region, template, profile);
    if (!found.has(key)) found.set(key, region);
  }
  return found;
}

function countOf(flag: string, text: string, least: number): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= least && count <= 1000) return count;
  throw diagnose("E503", {
    message: `${flag} is "${text}", but takes a whole number from ${least} to 1000`,
    where: "inarch tune",
    help: `leave ${flag} out for its default`,
  });
}

function describe(device: string, path: string, results: Readonly<Record<string, TuneResult>>) {
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
      ? `${path} has all kernels of the model already: delete it to measure again`
      : `${faster} of ${kernels.length} kernels got faster; ${path} is for --tuning`;
  return `${[`device ${device}`, ...lines, summary].join("\n")}\n`;
}
