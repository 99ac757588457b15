/**
 * Kernels with barriers on one processor: what stands between two barriers runs for one vector of threads after
 * another. Loops and branches around barriers are the same for all threads, so they stand around these runs.
 * What a run computes and another one reads is kept in memory, for each vector.
 */
import type { Expr, Kernel, Stmt } from "./ir.ts";
import { withArguments, withParts } from "./parts.ts";

export const hasBarrier = (s: Stmt): boolean =>
  s.kind === "barrier" || ((s.kind === "for" || s.kind === "if") && s.body.some(hasBarrier));

/** Statements without a barrier that follow each other, or one around or at a barrier. */
export function runsOf(body: readonly Stmt[]): readonly (readonly Stmt[])[] {
  const runs: Stmt[][] = [];
  let isOpen = false;
  for (const s of body) {
    const isBarrier = hasBarrier(s);
    if (!isBarrier && isOpen) runs.at(-1)!.push(s);
    else runs.push([s]);
    isOpen = !isBarrier;
  }
  return runs;
}

/** The names that one run declares and another one, or a condition around barriers, reads or sets. */
export function keptNames(kernel: Kernel): ReadonlySet<string> {
  const declared = new Map<string, number>();
  const kept = new Set<string>();
  let run = 0;
  const use = (name: string) => {
    const by = declared.get(name);
    if (by !== undefined && by !== run) kept.add(name);
  };
  const read = (e: Expr): Expr => {
    if (e.kind === "ref") use(e.name);
    return withArguments(e, read);
  };
  const inside = (body: readonly Stmt[]): readonly Stmt[] =>
    body.map((s) => {
      if (s.kind === "let" || s.kind === "var" || s.kind === "for") declared.set(s.name, run);
      if (s.kind === "load4") for (const name of s.names) declared.set(name, run);
      if (s.kind === "set") use(s.name);
      return withParts(s, read, inside);
    });
  const around = (body: readonly Stmt[]): void => {
    for (const statements of runsOf(body)) {
      run++;
      const [first] = statements;
      if (!first || !hasBarrier(first)) inside(statements);
      else if (first.kind === "for") around(first.body);
      else if (first.kind === "if") {
        read(first.cond);
        around(first.body);
      }
    }
  };
  around(kernel.body);
  return kept;
}
