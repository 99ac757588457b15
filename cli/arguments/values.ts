/** Values of flags. */
import { diagnose } from "../../diagnostics/index.ts";

/** Reads flags of a command, and makes the error for one that is misused: E370. */
export function flagReaders(where: string) {
  const misused = (message: string, help: string) => diagnose("E370", { message, where, help });

  function numberOf(flag: string, text: string): number;
  function numberOf(flag: string, text: string | undefined): number | undefined;
  function numberOf(flag: string, text: string | undefined): number | undefined {
    if (text === undefined) return undefined;
    const value = Number(text);
    if (text.trim() !== "" && Number.isFinite(value)) return value;
    throw misused(`${flag} cannot be "${text}"`, `give a number: ${flag} 1`);
  }

  /** How many of something: a whole number from 1 up. */
  function countOf(flag: string, text: string | undefined): number | undefined {
    const value = numberOf(flag, text);
    if (value === undefined || (Number.isSafeInteger(value) && value > 0)) return value;
    throw misused(`${flag} cannot be ${text}`, `give a whole number from 1 up: ${flag} 4`);
  }

  return { misused, numberOf, countOf };
}
