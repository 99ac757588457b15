/** Options of public functions: a name that is not known is an error, so that no misspelt one is lost. */
import { diagnose } from "./index.ts";
import { meant } from "./nearest.ts";
import type { LazySpan } from "./span.ts";

/** The names that an object of options may have, each of the type's: the compiler finds what is missing. */
export type OptionNames<T> = { readonly [Name in keyof T]-?: unknown };

/**
 * Checks the names of `given` against the keys of `known`, inherited ones included; the values are the
 * caller's to check. `of` is what the options are of, as the message names it: "createTrainer", "topK".
 * Nothing at all is fine. `at` is asked for the place when there is an error.
 * @throws E460 for an unknown name, and for what is no object.
 */
export function checkOptions<T extends object>(
  of: string,
  given: T | undefined,
  known: OptionNames<T>,
  at?: () => LazySpan,
): void {
  if (given === undefined) return;
  const names = Object.keys(known);
  if (typeof given !== "object" || given === null || Symbol.iterator in given)
    throw diagnose("E460", {
      message: `${of} takes its options as one object, and was given ${shown(given)}`,
      at: at?.(),
      help: `write { ${names[0] ?? ""}: … }; it has ${names.join(", ")}`,
    });
  for (const name in given as Record<string, unknown>) {
    if (Object.hasOwn(known, name)) continue;
    const near = meant(name, names);
    throw diagnose("E460", {
      message: `${of} has no option "${name}"`,
      at: at?.(),
      help: `${near === undefined ? "" : `write ${near}; `}it has ${names.join(", ") || "no options"}`,
    });
  }
}

/** Those options of `given` that `known` has, for one of several functions that share an object. */
export const pickOptions = <T extends object>(given: T, known: OptionNames<T>): T =>
  Object.fromEntries(Object.entries(given).filter(([name]) => Object.hasOwn(known, name))) as T;

/** A value in a few words, whatever it is: what stands where something else was expected. */
export function shown(value: unknown): string {
  if (typeof value === "string")
    return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "symbol") return "a symbol";
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  return Array.isArray(value) ? "an array" : `an object (${value.constructor?.name ?? "no class"})`;
}
