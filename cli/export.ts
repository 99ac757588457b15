/**
 * `inarch export MODEL --onnx FILE`: one program of a model as an ONNX model, its weights inside; those
 * beyond 2 GiB go to a file beside it, tensor by tensor.
 */

import type { Model } from "../compiler/graph/model.ts";
import { formatBytes } from "../diagnostics/bytes.ts";
import { diagnose } from "../diagnostics/index.ts";
import type { ExportReport } from "../export/node/onnx.ts";
import { defineCommand } from "./arguments/command.ts";
import { parseDims } from "./arguments/dims.ts";
import { modelArguments, modelOf, programsOf } from "./arguments/model.ts";

export const command = defineCommand({
  description: "write a program of a model as an ONNX model",
  args: {
    ...modelArguments,
    program: {
      ...modelArguments.program,
      description: "the program to export; needed where the model has several",
    },
    onnx: { type: "string", required: true, valueHint: "FILE", description: "the file to write" },
    weights: {
      type: "string",
      repeated: true,
      valueHint: "FILE",
      description:
        "a checkpoint; may be repeated, for an adapter's file: of two tensors the later counts",
    },
    "weights-as-inputs": {
      type: "boolean",
      description: "leave the weights out: parameters become inputs of the ONNX model",
    },
  },
  async run(given, { progress }) {
    const { exportModel } = await import("../export/node/onnx.ts");
    const { weights: files, onnx } = given;
    const loaded = await modelOf(given, files[0]);
    const report = await exportModel({
      loaded,
      program: await oneProgram(loaded.model, given.program),
      dims: parseDims(given.dim),
      weights: given["weights-as-inputs"] ? "inputs" : files,
      onnx,
      onProgress: progress.report,
    });
    return { report, text: describe(report) };
  },
});

/** An ONNX file holds one graph. Errors: E111, E502. */
async function oneProgram(model: Model, wanted: readonly string[]): Promise<string> {
  const programs = await programsOf(model, wanted);
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
