/**
 * `inarch export MODEL --onnx FILE`: one program of a model as an ONNX model, its weights inside; those
 * beyond 2 GiB go to a file beside it, tensor by tensor.
 */
import { type ArgsDef, defineCommand } from "citty";
import { type LoadedModel, loadModel } from "../build/load-model.ts";
import { formatBytes } from "../diagnostics/bytes.ts";
import { diagnose } from "../diagnostics/index.ts";
import { type ExportReport, exportModel } from "../export/node/onnx.ts";
import { openProgress, progressStyle } from "../runtime/node/progress.ts";
import { parseDims } from "./arguments/dims.ts";
import { repeated } from "./arguments/flags.ts";
import { modelArguments, programsOf } from "./arguments/model.ts";

const args = {
  ...modelArguments,
  program: {
    ...modelArguments.program,
    description: "the program to export; needed where the model has several",
  },
  onnx: { type: "string", required: true, valueHint: "FILE", description: "the file to write" },
  weights: {
    type: "string",
    valueHint: "FILE",
    description:
      "a checkpoint; may be repeated, for an adapter's file: of two tensors the later counts",
  },
  "weights-as-inputs": {
    type: "boolean",
    default: false,
    description: "leave the weights out: parameters become inputs of the ONNX model",
  },
  json: { type: "boolean", default: false, description: "print what was written as JSON" },
} satisfies ArgsDef;

export const exportCommand = defineCommand({
  meta: { name: "export", description: "write a program of a model as an ONNX model" },
  args,
  async run({ args: given, rawArgs }) {
    const progress = openProgress(progressStyle(given.json));
    try {
      const files = repeated(rawArgs, "weights", args);
      const loaded = await loadModel(given.model, { config: given.config, weights: files[0] });
      const report = await exportModel({
        loaded,
        program: oneProgram(loaded, repeated(rawArgs, "program", args)),
        dims: parseDims(repeated(rawArgs, "dim", args)),
        weights: given["weights-as-inputs"] ? "inputs" : files,
        onnx: given.onnx,
        onProgress: progress.report,
      });
      progress.end();
      const text = given.json ? JSON.stringify(report, null, 2) : describe(report);
      process.stdout.write(`${text}\n`);
    } finally {
      progress.end();
    }
  },
});

/** An ONNX file holds one graph. Errors: E111, E502. */
function oneProgram({ model }: LoadedModel, wanted: readonly string[]): string {
  const programs = programsOf(model, wanted);
  if (programs.length === 1) return programs[0]!;
  throw diagnose("E502", {
    message: `an ONNX file holds one program, and ${model.name} has ${Object.keys(model.programs).join(", ")}`,
    help: `add --program ${programs[0]}; export the others to files of their own`,
  });
}

function describe({ onnx, program, bytes, parameters, data }: ExportReport): string {
  const beside = data
    ? `, and ${data.file} of ${formatBytes(data.bytes)}: keep the two together`
    : "";
  return `${onnx}: program ${program}, ${parameters} parameters, ${formatBytes(bytes)}${beside}`;
}
