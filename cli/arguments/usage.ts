/** What `--help` prints: plain text, aligned, at most 100 columns wide. */
import type { Argument, Arguments } from "./command.ts";
import { hint, neededOf } from "./parse.ts";

export interface CommandLine {
  readonly name: string;
  readonly description: string;
}

/** The list of commands. */
export function overview(version: string, commands: readonly CommandLine[]): string {
  return lines([
    `inarch ${version}: compiles vision transformers and their adapters to fused GPU kernels`,
    "",
    "usage: inarch COMMAND …",
    "",
    ...table(commands.map(({ name, description }) => [name, description])),
    "",
    "inarch COMMAND --help says how a command is used.",
    "Exit codes: 0 done, 1 a mistake in what was given, 2 a bug in inarch, 3 the environment.",
  ]);
}

/** How one command is used: its positional arguments in the first line, then every argument. */
export function usage({ name, description }: CommandLine, args: Arguments): string {
  const entries = Object.entries(args);
  const positionals = entries.filter(([, { type }]) => type === "positional");
  const flags = entries.filter(([, { type }]) => type !== "positional");
  return lines([
    `inarch ${name}: ${description}`,
    "",
    ["usage: inarch", name, ...neededOf(args), "[FLAGS]"].join(" "),
    "",
    ...table([...positionals, ...flags].map(([arg, d]): Row => [spelling(arg, d), words(d)])),
  ]);
}

type Row = readonly [left: string, right: string];

const lines = (text: readonly string[]) => `${text.join("\n")}\n`;

/** `MODEL`, `--stage graph|regions`, `--out DIR`, `--json` */
function spelling(name: string, arg: Argument): string {
  switch (arg.type) {
    case "positional":
      return name.toUpperCase() + (arg.repeated ? "…" : "");
    case "boolean":
      return `--${name}`;
    case "enum":
    case "string":
      return `--${name} ${hint(name, arg)}`;
  }
}

function words(arg: Argument): string {
  const usual = arg.type === "positional" ? undefined : arg.default;
  if (usual === undefined || usual === false) return arg.description;
  return `${arg.description} (${usual} unless told)`;
}

const width = 100;
/** A longer left cell gets a line of its own. */
const widestLeft = 30;

/** A flag with its values, broken between them where they are too many for one line. */
function choices(left: string): string[] {
  const broken = [""];
  for (const choice of left.split(/(?<=\|)/)) {
    const line = broken.at(-1)! + choice;
    if (line.length <= width - 8) broken[broken.length - 1] = line;
    else broken.push(choice);
  }
  return broken.map((line, i) => (i === 0 ? "  " : "      ") + line);
}

function table(rows: readonly Row[]): string[] {
  const fitting = rows.map(([left]) => left.length).filter((n) => n <= widestLeft);
  const indent = Math.max(...fitting, 0) + 4;
  return rows.flatMap(([left, right]) => {
    const wrapped = wrap(right, width - indent).map((line) => " ".repeat(indent) + line);
    const head = `  ${left}`;
    if (left.length > widestLeft) return [...choices(left), ...wrapped];
    const [first = "", ...rest] = wrapped;
    return [(head + first.slice(head.length)).trimEnd(), ...rest];
  });
}

function wrap(text: string, columns: number): string[] {
  const wrapped: string[] = [];
  for (const word of text.split(" ")) {
    const last = wrapped.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns)
      wrapped[wrapped.length - 1] = `${last} ${word}`;
    else wrapped.push(word);
  }
  return wrapped;
}
