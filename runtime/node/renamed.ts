/** Old words that still work, and say so. */

const said = new Set<string>();

/** Warns once in a process, on stderr, that something has another name now. */
export function sayRenamed(before: string, now: string): void {
  if (said.has(before)) return;
  said.add(before);
  process.emitWarning(`${before} is now ${now}; the old word still works`, "DeprecationWarning");
}
