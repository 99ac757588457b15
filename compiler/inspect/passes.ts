/** Prints the log of a compilation: each pass with its time, and what it made. */
import type { Counts, Pass } from "../passes.ts";
import { columns } from "./names.ts";

/**
 * ```
 * pass           ms  made
 * rewrite     123.4  nodes before 4,010, nodes 3,620
 * fuse        350.0  regions 1,177
 * all         980.1
 * ```
 */
export function printPasses(passes: readonly Pass[]): string {
  const row = (name: string, milliseconds: number, made: string) => [
    name,
    milliseconds.toFixed(1).padStart(8),
    made,
  ];
  const total = passes.reduce((sum, pass) => sum + pass.milliseconds, 0);
  return `${columns(
    [
      ["pass", "ms".padStart(8), "made"],
      ...passes.map(({ name, milliseconds, made }) => row(name, milliseconds, inWords(made))),
      row("all", total, ""),
    ],
    "",
  ).join("\n")}\n`;
}

const inWords = (made: Counts): string =>
  Object.entries(made)
    .map(([what, count]) => `${what} ${count.toLocaleString("en-US")}`)
    .join(", ");
