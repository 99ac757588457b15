/**
 * Faults that were mended, to be put back one at a time: the fuzzer must find each. A change names text
 * that stands exactly once in a file, and what it is instead.
 */
export interface Change {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface Fault {
  readonly name: string;
  readonly changes: readonly Change[];
  /** The kind of cases that finds it. */
  readonly kind: "graphs" | "calls" | "files";
  /** What a case tries that can find it: others are passed over, which saves time and changes no seed. */
  readonly trying?: readonly string[];
}

/** A fault of one change, which sequences of calls find; without a replacement the text is taken out. */
export const inCalls = (name: string, file: string, find: string, replace = ""): Fault => ({
  name,
  changes: [{ file, find, replace }],
  kind: "calls",
});

/** As `inCalls`, found by programs that try something. */
export const inGraphs = (
  name: string,
  trying: readonly string[],
  ...change: [file: string, find: string, replace?: string]
): Fault => ({ ...inCalls(name, ...change), kind: "graphs", trying });
