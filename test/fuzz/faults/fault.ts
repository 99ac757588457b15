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
}

type One = (name: string, file: string, find: string, replace?: string) => Fault;

/** A fault of one change; without a replacement the text is taken out. */
const found =
  (kind: Fault["kind"]): One =>
  (name, file, find, replace = "") => ({ name, changes: [{ file, find, replace }], kind });

export const inCalls = found("calls");
export const inGraphs = found("graphs");
