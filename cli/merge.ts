/**
 * `inarch merge MODEL`: a checkpoint with which the model without its adapters computes what it does
 * with them.
 */
import { formatBytes } from "../diagnostics/bytes.ts";
import { diagnose } from "../diagnostics/index.ts";
import type { MergeReport } from "../merge/node/merge-files.ts";
import { defineCommand } from "./arguments/command.ts";
import { deviceFlag } from "./arguments/device.ts";
import { methodFlag } from "./arguments/method.ts";
import { modelArguments, modelOf } from "./arguments/model.ts";
import { parseSettings } from "./arguments/settings.ts";

export const command = defineCommand({
  description: "fold a model's adapters into its weights, where that is exact",
  args: async () =>
    ({
      model: modelArguments.model,
      config: modelArguments.config,
      weights: {
        type: "string",
        required: true,
        repeated: true,
        valueHint: "FILE",
        description:
          "a checkpoint; repeated for the adapter's file, behind it: of two tensors the later counts",
      },
      output: {
        type: "string",
        letter: "o",
        required: true,
        valueHint: "FILE",
        description: "the file to write: .safetensors",
      },
      method: {
        ...(await methodFlag()),
        description: "what is grafted on a SAM; a file brings its own adapters",
      },
      setting: {
        type: "string",
        valueHint: "name=value",
        repeated: true,
        description:
          "of the method's adapter, where its file does not say it: alpha=6, parts=q,v; may be repeated",
      },
      task: {
        type: "string",
        valueHint: "NUMBER",
        description: "of a model of several tasks: the one that is merged, counted from 0",
      },
      device: {
        ...(await deviceFlag()),
        description:
          "where weights are computed; reference: in double precision, a minute for some layers",
      },
    }) as const,
  async run(given, { progress }) {
    const { withMethod } = await import("../training/forecast/method.ts");
    const { exactly } = await import("../merge/evaluate.ts");
    const { adaptersOf, mergeFiles } = await import("../merge/node/merge-files.ts");
    const { openDevice } = await import("../runtime/node/device.ts");
    const { deviceWords } = await import("../runtime/node/opened.ts");
    const { weights: files, output, method } = given;
    const settings = parseSettings(given.setting, method);
    const task = given.task === undefined ? undefined : taskOf(given.task);
    const { model: bare } = await modelOf(given, files[0]);
    const model =
      method === undefined ? bare : withMethod(bare, method, await adaptersOf(files), settings);
    const opened = await openDevice(
      given.device === "reference" ? { kind: given.device, ...exactly } : { kind: given.device },
    );
    const { device } = opened;
    progress.note(`on ${deviceWords(opened)}`);
    try {
      const onProgress = progress.report;
      const report = await mergeFiles({ model, files, output, task, device, onProgress });
      return { report, text: describe(report) };
    } finally {
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
