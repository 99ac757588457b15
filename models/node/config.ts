/** Configurations of SAM in files. */
import { readFile } from "node:fs/promises";
import { diagnose } from "../../diagnostics/index.ts";
import { parseSamConfig, type SamConfig } from "../sam/config.ts";

/** Errors: E306 for a file that cannot be read, E230 for what is no configuration. */
export async function readSamConfig(path: string): Promise<SamConfig> {
  const text = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw diagnose("E306", {
      message:
        cause.code === "ENOENT"
          ? "there is no such configuration"
          : `cannot read the configuration: ${cause.code ?? cause.message}`,
      where: path,
      help: "check the path; it is relative to the folder you are in",
      cause,
    });
  });
  return parseSamConfig(text, path);
}
