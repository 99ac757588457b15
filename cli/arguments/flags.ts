/**
 * Checks a command line against a command's arguments before anything runs. citty drops what it
 * does not know; here an unknown flag is an error that names the nearest known one.
 */

import { parseArgs } from "node:util";
import type { ArgsDef } from "citty";
import { diagnose } from "../../diagnostics/index.ts";
import { meant } from "../../diagnostics/nearest.ts";

/**
 * Refuses unknown flags (E501), missing arguments (E502), values that a flag does not take (E503)
 * and surplus arguments (E504). `command` is what was typed before: "inarch show".
 */
export function checkArguments(
  command: string,
  rawArgs: readonly string[],
  definitions: ArgsDef,
): void {
  const { flags, positionals } = scan(rawArgs, definitions);
  for (const flag of flags) checkFlag(command, flag, definitions);
  const names = Object.keys(definitions).filter((name) => definitions[name]!.type === "positional");
  const wanted = names.filter((name) => isRequired(definitions[name]!));
  const missing = wanted[positionals.length];
  if (missing !== undefined) throw missingArgument(command, missing.toUpperCase(), definitions);
  const surplus = positionals[names.length];
  if (surplus !== undefined)
    throw diagnose("E504", {
      message: `${command} takes ${names.length === 0 ? "no arguments" : `${names.length} (${names.join(", ").toUpperCase()})`}, but "${surplus}" was given too`,
      help: `quote arguments with spaces; ${command} --help lists what there is`,
    });
  for (const [name, definition] of Object.entries(definitions))
    if (definition.type !== "positional" && definition.required)
      if (!flags.some((flag) => isCalled(flag.name, name, definition)))
        throw missingArgument(command, `--${name}`, definitions);
}

/**
 * Every value of a flag that may be given several times, in order: citty keeps the last alone.
 * `--dim batch=2 --dim size=64` gives `["batch=2", "size=64"]`.
 */
export function repeated(
  rawArgs: readonly string[],
  name: string,
  definitions: ArgsDef,
): readonly string[] {
  const { flags } = scan(rawArgs, definitions);
  const definition = definitions[name]!;
  return flags.flatMap((flag) =>
    isCalled(flag.name, name, definition) && flag.value !== undefined ? [flag.value] : [],
  );
}

interface Flag {
  readonly name: string;
  /** As typed: `--stage` or `-s`. */
  readonly typed: string;
  readonly value: string | undefined;
}

type Definition = ArgsDef[string];

const aliasesOf = ({ type, ...rest }: Definition): readonly string[] =>
  type === "positional" || !("alias" in rest) || rest.alias === undefined
    ? []
    : [rest.alias].flat();

const kebab = (name: string) => name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);

const isCalled = (typed: string, name: string, definition: Definition) =>
  kebab(typed) === kebab(name) || aliasesOf(definition).includes(typed);

const isRequired = (definition: Definition) =>
  definition.required !== false && definition.default === undefined;

function scan(rawArgs: readonly string[], definitions: ArgsDef) {
  const options: Record<string, { type: "string" | "boolean" }> = {};
  for (const [name, definition] of Object.entries(definitions)) {
    if (definition.type === "positional") continue;
    const type = definition.type === "boolean" ? "boolean" : "string";
    for (const spelling of [name, kebab(name), ...aliasesOf(definition)])
      options[spelling] = { type };
  }
  const { tokens } = parseArgs({
    args: [...rawArgs],
    options,
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

function checkFlag(command: string, flag: Flag, definitions: ArgsDef): void {
  const named = Object.entries(definitions).filter(([, d]) => d.type !== "positional");
  const found = named.find(([name, d]) => isCalled(flag.name, name, d));
  const negated = named.find(
    ([name, d]) => d.type === "boolean" && isCalled(flag.name.replace(/^no-/, ""), name, d),
  );
  if (!found && !negated) throw unknownFlag(command, flag, Object.keys(Object.fromEntries(named)));
  if (!found) return;
  const [name, definition] = found;
  if (definition.type === "boolean") {
    if (flag.value !== undefined && !/^(?:true|false)$/.test(flag.value))
      throw badValue(command, `--${name}`, flag.value, "it is a switch: leave the value out");
    return;
  }
  // parseArgs takes whatever follows, and a flag that follows is not what was meant.
  if (flag.value === undefined || flag.value === "" || flag.value.startsWith("--"))
    throw diagnose("E502", {
      message: `${flag.typed} needs a value`,
      where: command,
      help: `${flag.typed} ${hint(name, definition)}`,
    });
  if (definition.type === "enum" && !definition.options?.includes(flag.value)) {
    const near = meant(flag.value, definition.options ?? []);
    const list = (definition.options ?? []).join(", ");
    throw badValue(
      command,
      `--${name}`,
      flag.value,
      near === undefined ? `it takes one of ${list}` : `did you mean ${near}? It takes ${list}`,
    );
  }
}

const hint = (name: string, definition: Definition) =>
  definition.valueHint ??
  (definition.type === "enum" ? (definition.options ?? []).join("|") : name.toUpperCase());

function unknownFlag(command: string, flag: Flag, names: readonly string[]) {
  const near = meant(flag.name, names);
  const list = names.map((name) => `--${name}`).join(", ") || "none";
  return diagnose("E501", {
    message: `${command} has no flag ${flag.typed}`,
    help: near === undefined ? `its flags are ${list}` : `did you mean --${near}?`,
  });
}

const badValue = (command: string, flag: string, value: string, help: string) =>
  diagnose("E503", { message: `${flag} cannot be "${value}"`, where: command, help });

function missingArgument(command: string, name: string, definitions: ArgsDef) {
  const usage = Object.entries(definitions).flatMap(([key, d]) =>
    d.type === "positional" ? [key.toUpperCase()] : d.required ? [`--${key} ${hint(key, d)}`] : [],
  );
  return diagnose("E502", {
    message: `${command} needs ${name}`,
    help: `type ${command} ${usage.join(" ")}; ${command} --help says more`,
  });
}
