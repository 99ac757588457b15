/** The place of a checkpoint that is to be written. */
import { stat } from "node:fs/promises";
import { diagnose } from "../../diagnostics/index.ts";

/** Errors: E240 (an output that is an input, a folder, or of another format's name). */
export async function checkOutput(output: string, inputs: readonly string[]): Promise<void> {
  const refuse = (message: string, help: string) =>
    diagnose("E240", { message, where: output, help });
  if (!output.endsWith(".safetensors")) {
    throw refuse(
      "the output's name does not end in .safetensors, the format that is written",
      "name it so: weights.safetensors",
    );
  }
  const existing = await stat(output).catch(() => undefined);
  if (!existing) return;
  if (existing.isDirectory()) throw refuse("the output is a folder", "add the name of a file");
  for (const input of inputs) {
    // By identity, not by path: links have other names.
    const { dev, ino } = await stat(input);
    if (dev === existing.dev && ino === existing.ino) {
      throw refuse(`the output is the input ${input}`, "give the output another name");
    }
  }
}
