/** Where in the user's own files an error comes from, by its stack. */
import { fileURLToPath } from "node:url";
import type { Span } from "../diagnostics/index.ts";

export interface UserPlace {
  /** The innermost place in the user's own code. */
  readonly span: Span;
  /** Whether that code threw by itself, rather than something that it called in inarch. */
  readonly threw: boolean;
}

/**
 * The user's place in the stack of an error; undefined where none of the user's code takes part.
 * Stacks must be mapped to sources (`process.setSourceMapsEnabled`).
 */
export function userPlace(error: unknown): UserPlace | undefined {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  let threw = true;
  for (const line of stack.split("\n")) {
    const match = /^at (?:.*\()?((?:file:\/\/)?(?:\/|[a-zA-Z]:[\\/]).*):(\d+):(\d+)\)?$/.exec(
      line.trim(),
    );
    if (!match) continue;
    const file = match[1]!.startsWith("file:") ? fileURLToPath(match[1]!) : match[1]!;
    if (!isOurs(file))
      return { span: { file, line: Number(match[2]), column: Number(match[3]) }, threw };
    threw = false;
  }
  return undefined;
}

const installation = fileURLToPath(new URL("..", import.meta.url));
const ours = /^(?:cli|compiler|diagnostics|models|node_modules|ops|runtime)[\\/]/;

/** Examples and tests lie in the same checkout, and are a user's code all the same. */
const isOurs = (file: string) =>
  file.startsWith(installation) && ours.test(file.slice(installation.length));
