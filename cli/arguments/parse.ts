/** The one parser of a command line: what was typed, by a command's arguments, or what is wrong with it. */
import { parseArgs } from "node:util";
import { diagnose } from "../../diagnostics/index.ts";
import { meant } from "../../diagnostics/nearest.ts";
import type { Argument, Arguments, Choice, Given, Text } from "./command.ts";

export interface Parsed<A extends Arguments> {
  readonly given: Given<A>;
  /** What of it has another name by now: a sentence each, for people. */
  readonly notes: readonly string[];
}

/**
 * Reads a command line. `command` is what was typed before: "inarch show".
 * @throws E501 for unknown flags, E502 for missing arguments, E503 for values that a flag does not take,
 * E504 for surplus arguments.
 */
export function parse<A extends Arguments>(
  command: string,
  rawArgs: readonly string[],
  args: A,
): Parsed<A> {
  const { flags, positionals } = scan(rawArgs, args);
  const notes: string[] = [];
  const values = new Map<string, (string | boolean)[]>();
  for (const flag of flags) {
    const { name, value, note } = readFlag(command, flag, args);
    values.set(name, [...(values.get(name) ?? []), value]);
    if (note !== undefined) notes.push(note);
  }
  const named = placed(command, positionals, args);
  const entries = Object.entries(args).map(([name, arg]) => {
    if (arg.type === "positional") return [name, named.get(name)] as const;
    const all = values.get(name) ?? [];
    const needed = arg.type === "string" && arg.required === true;
    if (needed && all.length === 0) throw missingArgument(command, `--${name}`, args);
    if (arg.type === "string" && arg.repeated) return [name, all] as const;
    return [name, all.at(-1) ?? usual(arg)] as const;
  });
  return { given: Object.fromEntries(entries) as Given<A>, notes };
}

const usual = (arg: Argument) =>
  arg.type === "positional"
    ? undefined
    : (arg.default ?? (arg.type === "boolean" ? false : undefined));

/** Positional arguments by name: the last takes the rest if it may. Errors: E502, E504. */
function placed(
  command: string,
  positionals: readonly string[],
  args: Arguments,
): ReadonlyMap<string, string | readonly string[]> {
  const wanted = Object.entries(args).filter(([, { type }]) => type === "positional");
  const found = wanted.map(([name, arg], i) => {
    const value = positionals[i];
    if (value === undefined) throw missingArgument(command, name.toUpperCase(), args);
    const all = arg.type === "positional" && arg.repeated === true;
    return [name, all ? positionals.slice(i) : value] as const;
  });
  const surplus = positionals[wanted.length];
  if (surplus === undefined || Array.isArray(found.at(-1)?.[1])) return new Map(found);
  const names = wanted.map(([name]) => name.toUpperCase()).join(", ");
  throw diagnose("E504", {
    message: `${command} takes ${wanted.length === 0 ? "no arguments" : `${wanted.length} (${names})`}, but "${surplus}" was given too`,
    help: `quote arguments with spaces; ${command} --help lists what there is`,
  });
}

interface Flag {
  readonly name: string;
  /** As typed: `--stage` or `-s`. */
  readonly typed: string;
  readonly value: string | undefined;
}

function scan(rawArgs: readonly string[], args: Arguments) {
  const options: Record<string, { type: "string" | "boolean"; short?: string }> = {};
  for (const [name, arg] of Object.entries(args)) {
    if (arg.type === "positional") continue;
    const letter = arg.type === "string" ? arg.letter : undefined;
    const type = arg.type === "boolean" ? "boolean" : "string";
    options[name] = { type, ...(letter === undefined ? {} : { short: letter }) };
  }
  const { tokens } = parseArgs({
    args: [...rawArgs],
    options,
    // What is wrong is said in our own words.
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const flags: Flag[] = [];
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind === "option")
      flags.push({ name: token.name, typed: token.rawName, value: token.value });
  }
  return { flags, positionals };
}

interface Valued {
  readonly name: string;
  readonly value: string | boolean;
  readonly note?: string;
}

function readFlag(command: string, flag: Flag, args: Arguments): Valued {
  const name = flag.name.replace(/^no-/, "");
  if (name !== flag.name && args[name]?.type === "boolean") return { name, value: false };
  const arg = Object.hasOwn(args, flag.name) ? args[flag.name]! : undefined;
  if (arg === undefined || arg.type === "positional") throw unknownFlag(command, flag, args);
  if (arg.type === "boolean") {
    if (flag.value !== undefined && !/^(?:true|false)$/.test(flag.value))
      throw badValue(command, `--${flag.name}`, flag.value, "it is a switch: leave the value out");
    return { name: flag.name, value: flag.value !== "false" };
  }
  const { value } = flag;
  // parseArgs takes whatever follows, and a flag that follows is not what was meant.
  if (value === undefined || value === "" || value.startsWith("--"))
    throw diagnose("E502", {
      message: `${flag.typed} needs a value`,
      where: command,
      help: `${flag.typed} ${hint(flag.name, arg)}`,
    });
  return arg.type === "enum"
    ? { name: flag.name, ...optionOf(command, flag.name, value, arg) }
    : { name: flag.name, value };
}

function optionOf(command: string, name: string, value: string, choice: Choice) {
  const { options, formerly, numbered = [] } = choice;
  if (options.includes(value)) return { value };
  if (numbered.includes(value.replace(/:\d+$/, ""))) return { value };
  const now = formerly && Object.hasOwn(formerly, value) ? formerly[value] : undefined;
  if (now !== undefined)
    return {
      value: now,
      note: `--${name} ${value} is now --${name} ${now}; the old word still works`,
    };
  const near = meant(value, options);
  const list = options.join(", ");
  const help =
    near === undefined ? `it takes one of ${list}` : `did you mean ${near}? It takes ${list}`;
  throw badValue(command, `--${name}`, value, help);
}

/** What stands for the value of a flag: `FILE`, `graph|regions`. */
export const hint = (name: string, arg: Text | Choice): string =>
  arg.type === "enum" ? arg.options.join("|") : (arg.valueHint ?? name.toUpperCase());

function unknownFlag(command: string, flag: Flag, args: Arguments) {
  const names = Object.keys(args).filter((name) => args[name]!.type !== "positional");
  const near = meant(flag.name, names);
  const list = names.map((name) => `--${name}`).join(", ");
  return diagnose("E501", {
    message: `${command} has no flag ${flag.typed}`,
    help: near === undefined ? `its flags are ${list}` : `did you mean --${near}?`,
  });
}

const badValue = (command: string, flag: string, value: string, help: string) =>
  diagnose("E503", { message: `${flag} cannot be "${value}"`, where: command, help });

function missingArgument(command: string, name: string, args: Arguments) {
  return diagnose("E502", {
    message: `${command} needs ${name}`,
    help: `type ${[command, ...neededOf(args)].join(" ")}; ${command} --help says more`,
  });
}

/** What cannot be left out, as it is typed: `MODEL`, `FILE…`, `--out DIR`. */
export const neededOf = (args: Arguments): string[] =>
  Object.entries(args).flatMap(([name, arg]) => {
    if (arg.type === "positional") return [name.toUpperCase() + (arg.repeated ? "…" : "")];
    return arg.type === "string" && arg.required ? [`--${name} ${hint(name, arg)}`] : [];
  });
