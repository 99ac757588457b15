/**
 * Runs one command line: finds the command, checks its arguments, and turns whatever is thrown into
 * a message and an exit code. 0: done. 1: the user's mistake. 2: ours. 3: the environment's.
 */
import { readFileSync } from "node:fs";
import { sep } from "node:path";
import { pathToFileURL } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { type CommandDef, runCommand } from "citty";
import { diagnose, InarchError, type Kind } from "../diagnostics/index.ts";
import { meant } from "../diagnostics/nearest.ts";
import { checkArguments } from "./arguments/flags.ts";
import { type CommandLine, overview, usage } from "./arguments/usage.ts";

interface Command extends CommandLine {
  /** Commands load when they are asked for, so that `--help` does not wait for a GPU. */
  readonly load: () => Promise<unknown>;
}

const commands: readonly Command[] = [
  {
    name: "segment",
    description: "segment a picture from points, boxes or a mask",
    load: async () => (await import("./segment.ts")).segmentCommand,
  },
  {
    name: "doctor",
    description: "say what this machine can run, and what is missing",
    load: async () => (await import("./doctor.ts")).doctorCommand,
  },
  {
    name: "show",
    description: "print any stage of a model's compilation",
    load: async () => (await import("./show.ts")).showCommand,
  },
  {
    name: "explain",
    description: "write a page that shows what the compiler makes of a model, with measured times",
    load: async () => (await import("./explain.ts")).explainCommand,
  },
  {
    name: "plan",
    description: "forecast the memory that a model takes to run or to train",
    load: async () => (await import("./plan.ts")).planCommand,
  },
  {
    name: "build",
    description: "compile a model ahead of time into a folder that the runtime loads",
    load: async () => (await import("./build.ts")).buildCommand,
  },
  {
    name: "tune",
    description: "measure the fastest tiles of a model's kernels on this machine",
    load: async () => (await import("./tune.ts")).tuneCommand,
  },
  {
    name: "export",
    description: "write a program of a model as an ONNX model",
    load: async () => (await import("./export.ts")).exportCommand,
  },
  {
    name: "merge",
    description: "fold a model's adapters into its weights, where that is exact",
    load: async () => (await import("./merge.ts")).mergeCommand,
  },
  {
    name: "convert",
    description: "convert a checkpoint between formats, names and dtypes",
    load: async () => (await import("./convert.ts")).convertCommand,
  },
  {
    name: "params",
    description: "count what each method trains on ViT-B, L and H",
    load: async () => (await import("./params.ts")).paramsCommand,
  },
];

/** Runs `inarch ARGS`. Returns the exit code; a command may have set `process.exitCode` itself. */
export async function run(args: readonly string[]): Promise<number> {
  try {
    await dispatch(args);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    return reportFailure(error, args);
  }
}

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

const exitCodes: Readonly<Record<Kind, number>> = { user: 1, internal: 2, environment: 3 };

async function dispatch(args: readonly string[]): Promise<void> {
  const [first, ...rest] = args;
  if (first === undefined) {
    process.stderr.write(overview(version(), commands));
    process.exitCode = exitCodes.user;
    return;
  }
  if (first === "--help" || first === "-h") {
    process.stdout.write(overview(version(), commands));
    return;
  }
  if (first === "--version" || first === "-v") {
    process.stdout.write(`${version()}\n`);
    return;
  }
  const command = commands.find(({ name }) => name === first) ?? unknownCommand(first);
  // Commands differ in their arguments, which only citty's parser looks at.
  const definition = (await command.load()) as CommandDef;
  const definitions = typeof definition.args === "object" ? await definition.args : {};
  if (rest.includes("--help") || rest.includes("-h")) {
    process.stdout.write(usage(command, definitions));
    return;
  }
  checkArguments(`inarch ${command.name}`, rest, definitions);
  await runCommand(definition, { rawArgs: [...rest] });
}

function unknownCommand(typed: string): never {
  if (typed.startsWith("-"))
    throw diagnose("E501", {
      message: `inarch has no flag ${typed}`,
      help: "the command comes first: inarch COMMAND …; inarch --help lists them",
    });
  const names = commands.map(({ name }) => name);
  const near = meant(typed, names);
  throw diagnose("E500", {
    message: `inarch has no command "${typed}"`,
    help: near === undefined ? `its commands are ${names.join(", ")}` : `did you mean ${near}?`,
  });
}

/** NO_COLOR with any value but the empty one means none. */
const colours = () => !process.env.NO_COLOR && process.env.TERM !== "dumb";

const styled = (text: string) =>
  process.stderr.isTTY && colours() ? `\u001b[1;31m${text}\u001b[0m` : text;

/** The version of the package, whose file stands above cli/ or above dist/cli/. */
function version(): string {
  for (const above of ["../package.json", "../../package.json"]) {
    try {
      const text = readFileSync(new URL(above, import.meta.url), "utf8");
      return (JSON.parse(text) as { version: string }).version;
    } catch {
      // Only one of the two exists.
    }
  }
  return "unknown";
}

function toInarchError(error: unknown): InarchError {
  if (error instanceof InarchError) return error;
  const { name = "Error", message = String(error) } = error instanceof Error ? error : {};
  if (name === "CLIError")
    return diagnose("E502", {
      message: stripVTControlCharacters(message),
      help: "inarch COMMAND --help says how it is used",
    });
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
