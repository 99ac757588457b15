/** `inarch build MODEL --out DIR`: a folder that the runtime loads with the compiler absent. */
import { type ArgsDef, defineCommand } from "citty";
import { type BuildReport, build } from "../build/build.ts";
import { loadModel } from "../build/load-model.ts";
import { openProgress, progressStyle } from "../runtime/node/progress.ts";
import { tuningOf } from "../tuning/store.ts";
import { parseDims } from "./arguments/dims.ts";
import { repeated } from "./arguments/flags.ts";
import { limitsFlag, limitsOf } from "./arguments/limits.ts";
import { modelArguments, programsOf } from "./arguments/model.ts";
import { precisionFlag } from "./arguments/precision.ts";
import { tuningFlag } from "./arguments/tuning.ts";

const args = {
  ...modelArguments,
  out: { type: "string", required: true, valueHint: "DIR", description: "the folder to write" },
  weights: {
    type: "string",
    valueHint: "FILE",
    description: "a checkpoint: the parameters that the programs need go into the folder",
  },
  limits: limitsFlag,
  precision: precisionFlag,
  tuning: tuningFlag,
  json: { type: "boolean", default: false, description: "print what was written as JSON" },
} satisfies ArgsDef;

export const buildCommand = defineCommand({
  meta: { name: "build", description: "compile a model ahead of time" },
  args,
  async run({ args: given, rawArgs }) {
    const progress = openProgress(progressStyle(given.json));
    try {
      const loaded = await loadModel(given.model, {
        config: given.config,
        weights: given.weights,
      });
      const { profile, device } = await limitsOf(given.limits);
      const report = await build({
        loaded,
        out: given.out,
        programs: programsOf(loaded.model, repeated(rawArgs, "program", args)),
        dims: parseDims(repeated(rawArgs, "dim", args)),
        profile,
        precision: given.precision,
        tuning: await tuningOf(given.tuning, device),
        weights: given.weights,
        onProgress: progress.report,
      });
      progress.end();
      process.stdout.write(
        given.json ? `${JSON.stringify(report, null, 2)}\n` : describeBuild(report),
      );
    } finally {
      progress.end();
    }
  },
});

function describeBuild({ out, name, programs, files, bytes, weights }: BuildReport): string {
  const rows = Object.entries(programs).map(
    ([program, { steps, kernels }]) =>
      `  ${program}: ${steps} ${steps === 1 ? "step" : "steps"}, ${kernels} different kernels`,
  );
  const size = `${(bytes / 1024).toFixed(1)} KiB in ${files.length} files`;
  const stored = weights && `, ${(weights.bytes / 2 ** 20).toFixed(1)} MiB of weights`;
  return `${[
    `built ${name} into ${out}: ${size}${stored ?? ", without weights"}`,
    ...rows,
    `load it with: import { load } from "./${name}.js"`,
  ].join("\n")}\n`;
}
