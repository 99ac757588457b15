/**
 * `inarch merge MODEL`: a checkpoint with which the model without its adapters computes what it does
 * with them.
 */
import { type ArgsDef, defineCommand } from "citty";
import { loadModel } from "../build/load-model.ts";
import { formatBytes } from "../diagnostics/bytes.ts";
import { diagnose } from "../diagnostics/index.ts";
import { exactly } from "../merge/evaluate.ts";
import { type MergeReport, mergeFiles } from "../merge/node/merge-files.ts";
import { openDevice } from "../runtime/node/device.ts";
import { openProgress, progressStyle } from "../runtime/node/progress.ts";
import { methodNames, withMethod } from "../training/forecast/method.ts";
import { deviceFlag } from "./arguments/device.ts";
import { repeated } from "./arguments/flags.ts";
import { modelArguments } from "./arguments/model.ts";

const args = {
  model: modelArguments.model,
  config: modelArguments.config,
  weights: {
    type: "string",
    required: true,
    valueHint: "FILE",
    description:
      "a checkpoint; repeated for the adapter's file, behind it: of two tensors the later counts",
  },
  output: {
    type: "string",
    alias: "o",
    required: true,
    valueHint: "FILE",
    description: "the file to write: .safetensors",
  },
  method: {
    type: "enum",
    options: [...methodNames],
    description: "what is grafted on a SAM; a file brings its own adapters",
  },
  task: {
    type: "string",
    valueHint: "NUMBER",
    description: "of a model of several tasks: the one that is merged, counted from 0",
  },
  device: {
    ...deviceFlag,
    description:
      "where weights are computed; reference: in double precision, a minute for some layers",
  },
  json: { type: "boolean", default: false, description: "print what was written as JSON" },
} satisfies ArgsDef;

export const mergeCommand = defineCommand({
  meta: { name: "merge", description: "fold adapters into a model's weights" },
  args,
  async run({ args: given, rawArgs }) {
    const progress = openProgress(progressStyle(given.json));
    const files = repeated(rawArgs, "weights", args);
    const task = given.task === undefined ? undefined : taskOf(given.task);
    const loaded = await loadModel(given.model, { config: given.config, weights: files[0] });
    const model =
      given.method === undefined ? loaded.model : withMethod(loaded.model, given.method);
    const { device } = await openDevice({ kind: given.device, ...exactly });
    try {
      const { output } = given;
      const report = await mergeFiles({
        model,
        files,
        output,
        task,
        device,
        onProgress: progress.report,
      });
      progress.end();
      const text = given.json ? JSON.stringify(report, null, 2) : describe(report);
      process.stdout.write(`${text}\n`);
    } finally {
      progress.end();
      device.destroy();
    }
  },
});

function taskOf(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw diagnose("E503", {
    message: `--task cannot be "${text}"`,
    help: "tasks are counted from 0: --task 0",
  });
}

function describe({ output, tensors, bytes, merged, replaced }: MergeReport): string {
  const trained = replaced.length > 0 ? `, ${replaced.length} trained` : "";
  return `${output}: ${tensors} tensors, ${formatBytes(bytes)}; ${merged.length} merged${trained}`;
}
