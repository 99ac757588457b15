/** Runs one command line: finds the command, reads its arguments, and prints what comes of it. */
import { readFileSync } from "node:fs";
import { diagnose } from "../../diagnostics/index.ts";
import { meant } from "../../diagnostics/nearest.ts";
import { openProgress, progressStyle } from "../../runtime/node/progress.ts";
import { bytesToJson } from "../../runtime/plan-json.ts";
import { type Arguments, argumentsOf, type Command } from "../arguments/command.ts";
import { parse } from "../arguments/parse.ts";
import { overview, usage } from "../arguments/usage.ts";
import { type Commands, ownCommands } from "./commands.ts";
import { exitCodes, reportFailure } from "./failure.ts";

/** Runs `inarch ARGS`. Returns the exit code. */
export async function run(
  args: readonly string[],
  commands: Commands = ownCommands(),
): Promise<number> {
  try {
    return await dispatch(args, commands);
  } catch (error) {
    return reportFailure(error, args);
  }
}

async function dispatch(typed: readonly string[], commands: Commands): Promise<number> {
  const [first, ...rest] = typed;
  if (first === undefined) {
    process.stderr.write(await listed(commands));
    return exitCodes.user;
  }
  if (first === "--help" || first === "-h") {
    process.stdout.write(await listed(commands));
    return 0;
  }
  if (first === "--version" || first === "-v") {
    process.stdout.write(`${version()}\n`);
    return 0;
  }
  if (!commands.names.includes(first)) throw unknownCommand(first, commands.names);
  const command = await commands.load(first);
  const args = await argumentsOf(command);
  if (rest.includes("--help") || rest.includes("-h")) {
    process.stdout.write(usage({ name: first, description: command.description }, args));
    return 0;
  }
  return perform(command, args, first, rest);
}

async function perform(
  command: Command,
  args: Arguments,
  name: string,
  typed: readonly string[],
): Promise<number> {
  const { given, notes } = parse(`inarch ${name}`, typed, args);
  const json = given.json === true;
  const progress = openProgress(progressStyle(json));
  for (const note of notes) process.stderr.write(`${note}\n`);
  const print = (line: string) => {
    progress.end();
    if (!json) process.stdout.write(`${line}\n`);
  };
  try {
    const { report, text, exitCode = 0, isQuiet } = await command.run(given, { progress, print });
    progress.end();
    if (isQuiet) return exitCode;
    const printed = json ? JSON.stringify(report, bytesToJson, 2) : text;
    process.stdout.write(printed.endsWith("\n") ? printed : `${printed}\n`);
    return exitCode;
  } finally {
    progress.end();
  }
}

async function listed(commands: Commands): Promise<string> {
  const lines = commands.names.map(async (name) => {
    const { description } = await commands.load(name);
    return { name, description };
  });
  return overview(version(), await Promise.all(lines));
}

function unknownCommand(typed: string, names: readonly string[]) {
  if (typed.startsWith("-"))
    return diagnose("E501", {
      message: `inarch has no flag ${typed}`,
      help: "the command comes first: inarch COMMAND …; inarch --help lists them",
    });
  const near = /^(?:help|version)$/.test(typed) ? `inarch --${typed}` : meant(typed, names);
  return diagnose("E500", {
    message: `inarch has no command "${typed}"`,
    help: near === undefined ? `its commands are ${names.join(", ")}` : `did you mean ${near}?`,
  });
}

/** The version of the package, whose file stands above cli/ or above dist/cli/. */
function version(): string {
  for (const above of ["../../package.json", "../../../package.json"]) {
    try {
      const text = readFileSync(new URL(above, import.meta.url), "utf8");
      return (JSON.parse(text) as { version: string }).version;
    } catch {
      // Only one of the two exists.
    }
  }
  return "unknown";
}
