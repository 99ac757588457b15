/** `inarch convert IN OUT`: a checkpoint in another format, under other names, of another dtype. */
import { floatNames } from "../formats/index.ts";
import { defineCommand } from "./arguments/command.ts";

export const command = defineCommand({
  description: "convert a checkpoint between formats, names and dtypes",
  args: {
    input: {
      type: "positional",
      description: "checkpoint: .safetensors, .safetensors.index.json, .pth or .pt",
    },
    output: { type: "positional", description: "file to write: .safetensors" },
    names: {
      type: "enum",
      options: ["meta", "hf"],
      description: "whose names a SAM's tensors get; without it they stay",
    },
    dtype: {
      type: "enum",
      options: floatNames,
      description: "format of float tensors; without it each keeps its own",
    },
    key: {
      type: "string",
      valueHint: "KEY",
      description: "of a .pth with several dicts of tensors: the one that is meant, such as ema",
    },
  },
  async run({ input, output, names, dtype, key }, { progress }) {
    const { convert } = await import("../export/node/convert.ts");
    const report = await convert({
      input,
      output,
      names,
      dtype,
      key,
      onProgress: ({ writtenBytes, totalBytes }) =>
        progress.report(writtenBytes, totalBytes, "bytes written"),
    });
    const { tensors, bytes, prefix } = report;
    const without = prefix === null ? "" : `; names without ${prefix ? `"${prefix}"` : "wrappers"}`;
    const text = `${output}: ${tensors} tensors, ${(bytes / 2 ** 20).toFixed(1)} MiB${without}`;
    return { report, text };
  },
});
