/** A number format of a later version: told where a plan is checked, and where its tensors are stored. */
import { diagnose } from "../diagnostics/index.ts";

/** A later version may have others. `words` lead to the format: "w is stored in". */
export const unknownFormat = (words: string, format: unknown, where?: string) =>
  diagnose("E153", {
    message: `${words} ${String(format)}, a number format that this runtime does not know`,
    where,
    help: "compile it again with this version of inarch",
  });
