/** Where a picture's bytes come from: a file, or the caller. */
import { readFile } from "node:fs/promises";
import { diagnose } from "../../diagnostics/index.ts";

/** The bytes, and the name of their file if they are of one. Errors: E306. */
export async function readSource(
  source: string | Uint8Array,
): Promise<{ bytes: Uint8Array; where: string | undefined }> {
  if (typeof source !== "string") return { bytes: source, where: undefined };
  try {
    return { bytes: await readFile(source), where: source };
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "unknown";
    const reasons: Record<string, string> = {
      ENOENT: "there is no such file",
      EISDIR: "it is a folder, not a file",
      EACCES: "reading it is not permitted",
    };
    throw diagnose("E306", {
      message: `cannot read ${source}: ${reasons[code] ?? code}`,
      where: source,
      help: "check the path; it is relative to the folder you are in",
      cause,
    });
  }
}
