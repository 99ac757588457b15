/**
 * The setting of a training: all that the next step depends on beside the base, the seed, the states and
 * the inputs. A checkpoint holds it, and training goes on with the same or with what was accepted.
 */
import { diagnose } from "../../diagnostics/index.ts";
import { meant } from "../../diagnostics/nearest.ts";
import { isRecord } from "../weights/json.ts";

/** By name: whatever JSON holds. What is undefined counts as null. */
export type Settings = Readonly<Record<string, unknown>>;

/** The text that a checkpoint holds. */
export const settingsText = (settings: Settings): string => canonical(settings);

export interface Going {
  readonly settings: Settings;
  /** Names of settings that may be others than in the checkpoint. */
  readonly accept: readonly string[];
}

/**
 * Compares the setting here with that of a checkpoint.
 * @throws E432, which names all that differs, E462 for a text that is no setting, E460 for a name to
 * accept that there is not.
 */
export function checkSettings(
  { settings, accept }: Going,
  text: string | undefined,
  where: string,
): void {
  if (text === undefined)
    throw diagnose("E432", {
      message: "the checkpoint does not say with which rate, loss and optimiser it was trained",
      where,
      help: "an earlier version of inarch wrote it, or another program changed it: take one that save() wrote",
    });
  // There was one rank before there could be several.
  const theirs: Settings = { ranks: 1, ...parsed(text, where) };
  const names = [...new Set([...Object.keys(theirs), ...Object.keys(settings)])];
  for (const name of accept) if (![...names, "base"].includes(name)) throw unknown(name, names);
  const other = names.filter((name) => canonical(theirs[name]) !== canonical(settings[name]));
  // What a loss is made of has the sizes in it.
  const isTold = (name: string) => name !== "loss" || !other.includes("dims");
  const left = other.filter((name) => isTold(name) && !accept.includes(name));
  if (left.length === 0) return;
  const words = left.map((name) => differs(name, theirs[name], settings[name])).join("; ");
  throw diagnose("E432", {
    message: `the checkpoint was trained otherwise: ${words}`,
    where,
    help: `train with what it was trained with, or go on with what is given here: accept: [${left.map((name) => JSON.stringify(name)).join(", ")}]`,
  });
}

/** A hash says that something is another, and no more. */
const isHash = (value: unknown) => typeof value === "string" && /^[0-9a-f]{32}$/.test(value);

const differs = (name: string, theirs: unknown, mine: unknown): string =>
  isHash(theirs) || isHash(mine)
    ? `${name} is another`
    : `${name} was ${canonical(theirs)} and is ${canonical(mine)}`;

/** JSON with keys in one order. */
function canonical(value: unknown): string {
  const sorted = (_: string, item: unknown) =>
    isRecord(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item;
  return JSON.stringify(value ?? null, sorted);
}

function parsed(text: string, where: string): Settings {
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return value;
  } catch {
    // The same as another JSON value.
  }
  throw damagedCheckpoint("settings", text, "a JSON object", where);
}

const unknown = (name: string, names: readonly string[]) => {
  const near = meant(name, names);
  return diagnose("E460", {
    message: `accept: a training has no setting "${name}"`,
    help: `${near === undefined ? "" : `write ${near}; `}it has ${names.join(", ")}`,
  });
};

/** E462, for a field of a checkpoint that cannot be. */
export const damagedCheckpoint = (name: string, value: unknown, wanted: string, where: string) =>
  diagnose("E462", {
    message: `the checkpoint's ${name} is ${JSON.stringify(value)?.slice(0, 200)}, not ${wanted}`,
    where,
    help: "take a checkpoint as save() wrote it",
  });
