/** `inarch build MODEL --out DIR`: a folder that the runtime loads with the compiler absent. */
import type { BuildReport } from "../build/build.ts";
import { defineCommand } from "./arguments/command.ts";
import { parseDims } from "./arguments/dims.ts";
import { limitsFlag, limitsOf, targetFlag } from "./arguments/limits.ts";
import { modelArguments, modelOf, programsOf } from "./arguments/model.ts";
import { precisionFlags, precisionOf } from "./arguments/precision.ts";
import { tuningFlag } from "./arguments/tuning.ts";

export const command = defineCommand({
  description: "compile a model ahead of time into a folder that the runtime loads",
  args: async () =>
    ({
      ...modelArguments,
      out: { type: "string", required: true, valueHint: "DIR", description: "the folder to write" },
      weights: {
        type: "string",
        valueHint: "FILE",
        description: "a checkpoint: the parameters that the programs need go into the folder",
      },
      target: await targetFlag(),
      limits: limitsFlag,
      ...precisionFlags,
      tuning: tuningFlag,
    }) as const,
  async run(given, { progress }) {
    const { build } = await import("../build/build.ts");
    const { tuningOf } = await import("../tuning/store.ts");
    const { out, weights } = given;
    const loaded = await modelOf(given, weights);
    const { profile, device } = await limitsOf(given.limits, given.target);
    const report = await build({
      loaded,
      out,
      programs: programsOf(loaded.model, given.program),
      dims: parseDims(given.dim),
      target: given.target,
      profile,
      ...precisionOf(given),
      tuning: await tuningOf(given.tuning, device),
      weights,
      onProgress: progress.report,
    });
    return { report, text: describe(report) };
  },
});

function describe(report: BuildReport): string {
  const { out, name, programs, files, bytes, weights, withoutLibraries } = report;
  const rows = Object.entries(programs).map(
    ([program, { steps, kernels }]) =>
      `  ${program}: ${steps} ${steps === 1 ? "step" : "steps"}, ${kernels} different kernels`,
  );
  const size = `${(bytes / 1024).toFixed(1)} KiB in ${files.length} files`;
  const stored = weights && `, ${(weights.bytes / 2 ** 20).toFixed(1)} MiB of weights`;
  return [
    `built ${name} into ${out}: ${size}${stored ?? ", without weights"}`,
    ...rows,
    ...(withoutLibraries === null
      ? []
      : [`without libraries, so that machines compile the kernels: ${withoutLibraries}`]),
    `load it with: import { load } from "./${name}.js"`,
  ].join("\n");
}
