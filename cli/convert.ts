/** `inarch convert IN OUT`: a checkpoint in another format, under other names, of another dtype. */
import { defineCommand } from "citty";
import { convert } from "../export/node/convert.ts";
import { openProgress, progressStyle } from "../runtime/node/progress.ts";

export const convertCommand = defineCommand({
  meta: {
    name: "convert",
    description: "convert a checkpoint between formats, names and dtypes",
  },
  args: {
    input: {
      type: "positional",
      required: true,
      description: "checkpoint: .safetensors, .safetensors.index.json, .pth or .pt",
    },
    output: { type: "positional", required: true, description: "file to write: .safetensors" },
    names: {
      type: "enum",
      options: ["meta", "hf"],
      description: "whose names a SAM's tensors get; without it they stay",
    },
    dtype: {
      type: "enum",
      options: ["f32", "f16", "bf16"],
      description: "format of float tensors; without it each keeps its own",
    },
    json: { type: "boolean", description: "print the report as JSON", default: false },
  },
  async run({ args }) {
    const progress = openProgress(progressStyle(args.json));
    const report = await convert({
      input: args.input,
      output: args.output,
      names: args.names,
      dtype: args.dtype,
      onProgress: ({ writtenBytes, totalBytes }) =>
        progress.report(writtenBytes, totalBytes, "bytes written"),
    }).finally(() => progress.end());
    const { output, tensors, bytes } = report;
    const words = `${output}: ${tensors} tensors, ${(bytes / 2 ** 20).toFixed(1)} MiB`;
    process.stdout.write(`${args.json ? JSON.stringify(report, null, 2) : words}\n`);
  },
});
