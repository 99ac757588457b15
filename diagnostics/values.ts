/** Values of options: what a type declares, asked of callers who have no types. */
import { diagnose } from "./index.ts";
import { meant } from "./nearest.ts";
import { shown } from "./options.ts";

/** What a value must be, in words, and whether it is. */
export interface Wanted {
  readonly words: string;
  is(value: unknown): boolean;
  /** The words that it may be, where these are few. */
  readonly among?: readonly string[];
}

export const oneOf = (...among: readonly string[]): Wanted => ({
  words: among.map((word) => JSON.stringify(word)).join(" or "),
  is: (value) => among.includes(value as string),
  among,
});

/** Infinity is one, NaN is none. */
export const atLeast = (least: number): Wanted => ({
  words: `a number of at least ${least}`,
  is: (value) => typeof value === "number" && value >= least,
});

const typed = (type: string, words: string): Wanted => ({
  words,
  is: (value) => typeof value === type,
});

export const text = typed("string", "a string");
export const number = typed("number", "a number");
export const truth = typed("boolean", "true or false");
export const callback = typed("function", "a function");

export const isObject = (value: unknown): boolean =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const object = (words: string): Wanted => ({ words, is: isObject });
export const list = (words: string): Wanted => ({ words, is: Array.isArray });

/** For what is checked elsewhere. */
export const anything: Wanted = { words: "anything", is: () => true };

export type Wants<T> = { readonly [Name in keyof T]-?: Wanted };

/**
 * Checks the values of those options that are given; `undefined` is none, unless all must be given. Their
 * names are `checkOptions`'s.
 * @throws E465 for one that its option cannot have.
 */
export function checkValues<T extends object>(
  of: string,
  given: T,
  wants: Wants<T>,
  all: "all" | "some" = "some",
): void {
  for (const [name, { words, is, among = [] }] of Object.entries<Wanted>(wants)) {
    const value = (given as Record<string, unknown>)[name];
    if ((value === undefined && all === "some") || is(value)) continue;
    const near = typeof value === "string" ? meant(value, among) : undefined;
    throw diagnose("E465", {
      message: `${of} has the option ${name}, which cannot be ${shown(value)}`,
      help: near === undefined ? `give ${words}` : `write ${name}: ${JSON.stringify(near)}`,
    });
  }
}
