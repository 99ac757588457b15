/** What `--help` prints: plain text, aligned, at most 100 columns wide. */
import type { ArgsDef } from "citty";

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
export function usage({ name, description }: CommandLine, definitions: ArgsDef): string {
  const entries = Object.entries(definitions);
  const positionals = entries.filter(([, d]) => d.type === "positional");
  const flags = entries.filter(([, d]) => d.type !== "positional");
  const needed = flags.filter(([, d]) => d.required).map((flag) => spelling(...flag));
  const first = ["usage: inarch", name, ...positionals.map(([p]) => p.toUpperCase()), ...needed];
  const optional = flags.some(([, d]) => !d.required) ? " [FLAGS]" : "";
  return lines([
    `inarch ${name}: ${description}`,
    "",
    `${first.join(" ")}${optional}`,
    "",
    ...table([
      ...positionals.map(([p, d]): Row => [p.toUpperCase(), d.description ?? ""]),
      ...flags.map(([flag, d]): Row => [spelling(flag, d), words(d)]),
    ]),
  ]);
}

type Definition = ArgsDef[string];
type Row = readonly [left: string, right: string];

const lines = (text: readonly string[]) => `${text.join("\n")}\n`;

/** `--stage graph|regions`, `--out DIR`, `--json` */
function spelling(flag: string, definition: Definition): string {
  switch (definition.type) {
    case "boolean":
      return `--${flag}`;
    case "enum":
      return `--${flag} ${(definition.options ?? []).join("|")}`;
    default:
      return `--${flag} ${definition.valueHint ?? flag.toUpperCase()}`;
  }
}

function words({ description = "", default: usual }: Definition): string {
  if (usual === undefined || usual === false) return description;
  return `${description} (${usual} unless told)`;
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
