/** Quantities in a few digits, for people. */

const large = [
  [1e12, " T"],
  [1e9, " G"],
  [1e6, " M"],
  [1e3, " k"],
] as const;

/** 487043440640 -> "487 G", 1500 -> "1.50 k": three digits. */
export function formatCount(count: number): string {
  const [size, unit] = large.find(([least]) => count >= least) ?? [1, ""];
  return `${unit === "" && Number.isInteger(count) ? count : digits(count / size)}${unit}`;
}

/** Milliseconds -> "12.3 ms", "1.23 s", "45.6 µs". */
export function formatTime(milliseconds: number): string {
  if (milliseconds >= 1000) return `${digits(milliseconds / 1000)} s`;
  if (milliseconds >= 1) return `${digits(milliseconds)} ms`;
  return `${digits(milliseconds * 1000)} µs`;
}

/** Three digits that mean something. */
export const digits = (x: number): string =>
  x >= 100 ? x.toFixed(0) : x >= 10 ? x.toFixed(1) : x.toFixed(2);

/** A part of a whole in percent, for widths. */
export const percent = (part: number, whole: number): string =>
  whole > 0 ? `${Math.min(100, (100 * part) / whole).toFixed(2)}%` : "0%";
