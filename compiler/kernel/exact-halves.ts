/**
 * Which values are halves already: rounding them again changes nothing, and on their way from one
 * memory of halves to another it would cost more than the way itself.
 */
import type { Expr, Fn, Stmt } from "./ir.ts";

/** Tells of the values of a kernel's statements whether they are halves for certain. */
export function exactHalves(body: readonly Stmt[]): (e: Expr) => boolean {
  const named = new Set<string>();
  const isHalf = (e: Expr): boolean => {
    switch (e.kind) {
      case "load":
        return e.from.scalar === "f16";
      case "ref":
        return !e.mutable && named.has(e.name);
      case "lit":
        return e.type === "f32" && Number.isInteger(e.value) && Math.abs(e.value) <= 2048;
      case "call":
        return e.type === "f32" && (parts[e.fn]?.(e.args).every(isHalf) ?? false);
      case "id":
      case "lane":
      case "broadcast":
      case "reduce":
      case "cast":
        return false;
    }
  };
  const visit = (block: readonly Stmt[]): void => {
    for (const s of block) {
      if (s.kind === "for" || s.kind === "if") visit(s.body);
      if (s.kind === "let" && isHalf(s.value)) named.add(s.name);
      if (s.kind === "load4" && s.from.scalar === "f16") for (const n of s.names) named.add(n);
    }
  };
  visit(body);
  return isHalf;
}

/** Functions that give halves of halves, and the arguments that have to be halves for it. */
const parts: Partial<Record<Fn, (args: readonly Expr[]) => readonly Expr[]>> = {
  ...{ neg: (args) => args, abs: (args) => args, min: (args) => args, max: (args) => args },
  select: ([yes, no]) => [yes!, no!],
};
