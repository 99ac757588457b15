/** Errors of a user's code: shown at its own lines, found in the stack. */
import { fileURLToPath } from "node:url";
import { diagnose, InarchError, type Span } from "../diagnostics/index.ts";
import { isOwnFile } from "../diagnostics/span.ts";

/** Does what runs code of the user's file; without a file the code is all ours. Errors: E513, E900. */
export function inUsersWords<T>(file: string | undefined, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw file === undefined ? error : userError(file, error);
  }
}

/** What the user's code throws, or makes inarch throw, gets its place in `file`. Errors: E513, E900. */
export function userError(file: string, error: unknown): unknown {
  if (error instanceof InarchError) return error;
  const words = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const { span, threw } = userPlace(error);
  if (!threw && !span) return error;
  const at = span && { resolve: () => span };
  if (!threw)
    return diagnose("E900", {
      message: `inarch itself fails: ${words}`,
      at,
      help: "check that the arguments at this place have the types that the editor asks for; if they have, it is a bug in inarch: please report it",
      cause: error,
    });
  // What is thrown and is no error has no place.
  return diagnose("E513", {
    message: `the model's file throws ${words}`,
    at,
    where: at ? undefined : file,
    help: "correct the expression at this place",
    cause: error,
  });
}

interface UserPlace {
  /** The innermost place in the user's own code, if it takes part. */
  readonly span: Span | undefined;
  /** Whether that code threw by itself, rather than something that it called in inarch. */
  readonly threw: boolean;
}

/**
 * The user's place in the stack of an error.
 * Stacks must be mapped to sources (`process.setSourceMapsEnabled`).
 */
function userPlace(error: unknown): UserPlace {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  let threw = true;
  for (const line of stack.split("\n")) {
    const match = /^at (?:.*\()?((?:file:\/\/)?(?:\/|[a-zA-Z]:[\\/]).*):(\d+):(\d+)\)?$/.exec(
      line.trim(),
    );
    if (!match) continue;
    const file = match[1]!.startsWith("file:") ? fileURLToPath(match[1]!) : match[1]!;
    // A package that the user's code calls: the call is the place.
    if (/[\\/]node_modules[\\/]/.test(file) && !isOwnFile(file)) continue;
    if (!isOwnFile(file))
      return { span: { file, line: Number(match[2]), column: Number(match[3]) }, threw };
    threw = false;
  }
  return { span: undefined, threw };
}
