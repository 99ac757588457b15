/** Sizes of named dims from the command line. */
import type { Dims } from "../../compiler/graph/sources.ts";
import { diagnose } from "../../diagnostics/index.ts";

/** `["batch=2", "size=64"]` -> `{ batch: 2, size: 64 }`. Errors: E503. */
export function parseDims(values: readonly string[]): Dims {
  const dims: Record<string, number> = {};
  for (const value of values) {
    const match = /^([A-Za-z_]\w*)=(\d+)$/.exec(value.trim());
    const size = Number(match?.[2]);
    if (!match || !Number.isSafeInteger(size) || size < 1)
      throw diagnose("E503", {
        message: `--dim cannot be "${value}"`,
        help: "give a name and a whole number from 1 up: --dim batch=2; repeat the flag for more",
      });
    dims[match[1]!] = size;
  }
  return dims;
}
