/**
 * Which values are numbers of a format already: rounding them again changes nothing, and on their way
 * from one memory of halves to another it would cost more than the way itself.
 */
import { type FormatName, formatOf } from "../../formats/index.ts";
import type { Expr, Fn, Stmt } from "./ir.ts";

/** Tells of the values of a kernel's statements whether they are numbers of a format for certain. */
export function exactIn(format: FormatName, body: readonly Stmt[]): (e: Expr) => boolean {
  const { scalar, integers } = formatOf(format);
  const named = new Set<string>();
  const isExact = (e: Expr): boolean => {
    switch (e.kind) {
      case "load":
        return e.from.scalar === format;
      case "ref":
        return !e.mutable && named.has(e.name);
      case "lit":
        return e.type === scalar && Number.isInteger(e.value) && Math.abs(e.value) <= integers;
      case "call":
        return e.type === scalar && (parts[e.fn]?.(e.args).every(isExact) ?? false);
      case "id":
      case "lane":
      case "broadcast":
      case "shuffle":
      case "reduce":
      case "cast":
        return false;
    }
  };
  const visit = (block: readonly Stmt[]): void => {
    for (const s of block) {
      if (s.kind === "for" || s.kind === "if") visit(s.body);
      if (s.kind === "let" && isExact(s.value)) named.add(s.name);
      if (s.kind === "load4" && s.from.scalar === format) for (const n of s.names) named.add(n);
    }
  };
  visit(body);
  return isExact;
}

/** Functions that give numbers of a format for such numbers, and the arguments that must be some. */
const parts: Partial<Record<Fn, (args: readonly Expr[]) => readonly Expr[]>> = {
  ...{ neg: (args) => args, abs: (args) => args, min: (args) => args, max: (args) => args },
  select: ([yes, no]) => [yes!, no!],
};
