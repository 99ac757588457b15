/** Turns whatever is thrown into a message and an exit code. */
import { sep } from "node:path";
import { pathToFileURL } from "node:url";
import { diagnose, InarchError, type Kind } from "../../diagnostics/index.ts";

/** 0: done. 1: the user's mistake. 2: ours. 3: the environment's. */
export const exitCodes: Readonly<Record<Kind, number>> = { user: 1, internal: 2, environment: 3 };

/**
 * Prints a failure: for people on stderr, and with `--json` among the arguments as
 * `{"error": {…}}` on stdout. Returns the exit code. `INARCH_DEBUG=1` adds the stack.
 */
export function reportFailure(error: unknown, args: readonly string[]): number {
  const known = toInarchError(error);
  if (args.includes("--json")) {
    process.stdout.write(`${JSON.stringify({ error: known }, null, 2)}\n`);
  } else {
    // Paths below the working directory read better without it.
    const here = process.cwd() + sep;
    const text = known.message.replaceAll(pathToFileURL(here).href, "").replaceAll(here, "");
    process.stderr.write(`${text.replace(/^error\[\w+\]/, (code) => styled(code))}\n`);
  }
  if (process.env.INARCH_DEBUG === "1") {
    const stack = known.cause instanceof Error ? known.cause.stack : known.stack;
    process.stderr.write(`${stack}\n`);
  }
  return exitCodes[known.kind];
}

/** NO_COLOR with any value but the empty one means none. */
const colours = () => !process.env.NO_COLOR && process.env.TERM !== "dumb";

const styled = (text: string) =>
  process.stderr.isTTY && colours() ? `\u001b[1;31m${text}\u001b[0m` : text;

function toInarchError(error: unknown): InarchError {
  if (error instanceof InarchError) return error;
  const { name = "Error", message = String(error) } = error instanceof Error ? error : {};
  const { syscall, path } = Object(error) as NodeJS.ErrnoException;
  if (syscall !== undefined)
    return diagnose("E520", {
      message: `the system refuses: ${message}`,
      where: path,
      help: "check the path, its permissions, and the room on its disk",
      cause: error,
    });
  return diagnose("E900", {
    message: `this is a bug in inarch: ${name}: ${message}`,
    help: "please report it with the command that you typed; INARCH_DEBUG=1 prints the stack",
    cause: error,
  });
}
