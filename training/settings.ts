/** Settings of training are numbers in ranges; what is outside is said by name. */
import { diagnose } from "../diagnostics/index.ts";

/** Which numbers a setting may be, in words and as a test. */
export interface Range {
  readonly words: string;
  readonly holds: (value: number) => boolean;
}

export const positive: Range = { words: "a number above 0", holds: (v) => v > 0 };
export const fromZero: Range = { words: "a number of 0 or more", holds: (v) => v >= 0 };
export const belowOne: Range = {
  words: "a number from 0 up to, but not, 1",
  holds: (v) => v >= 0 && v < 1,
};
export const fraction: Range = { words: "a number from 0 to 1", holds: (v) => v >= 0 && v <= 1 };
export const portion: Range = { words: "a number above 0, up to 1", holds: (v) => v > 0 && v <= 1 };
export const count: Range = {
  words: "a whole number from 1 up",
  holds: (v) => Number.isSafeInteger(v) && v >= 1,
};
export const countFromZero: Range = {
  words: "a whole number from 0 up",
  holds: (v) => Number.isSafeInteger(v) && v >= 0,
};

/**
 * Checks settings by name: `check("adamW", { decay: [0.01, fromZero] })`.
 * @throws E720 for the first that is infinite as 32 bits, NaN or outside its range.
 */
export function check(
  of: string,
  settings: Readonly<Record<string, readonly [value: number, range: Range]>>,
): void {
  for (const [name, [value, range]] of Object.entries(settings))
    if (!Number.isFinite(Math.fround(value)) || typeof value !== "number" || !range.holds(value))
      throw diagnose("E720", {
        message: `${of}: ${name} is ${value}`,
        help: `give ${range.words}`,
      });
}
