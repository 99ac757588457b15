/** Statements and expressions with other parts, and the names that they declare: what passes over kernels share. */
import type { Expr, Stmt } from "./ir.ts";

/** A statement with other expressions, and other statements inside it: itself where none is another. */
export function withParts(
  s: Stmt,
  expr: (e: Expr) => Expr,
  block: (body: readonly Stmt[]) => readonly Stmt[],
): Stmt {
  switch (s.kind) {
    case "let":
    case "var":
    case "set": {
      const value = expr(s.value);
      return value === s.value ? s : { ...s, value };
    }
    case "store": {
      const [index, value] = [expr(s.index), expr(s.value)];
      return index === s.index && value === s.value ? s : { ...s, index, value };
    }
    case "store4": {
      const index = expr(s.index);
      const values = mapped(s.values, expr) as typeof s.values;
      return index === s.index && values === s.values ? s : { ...s, index, values };
    }
    case "load4":
    case "fragment-load":
    case "fragment-store": {
      const index = expr(s.index);
      return index === s.index ? s : { ...s, index };
    }
    case "copy": {
      const [index, at, when] = [expr(s.index), expr(s.at), expr(s.when)];
      const isSame = index === s.index && at === s.at && when === s.when;
      return isSame ? s : { ...s, index, at, when };
    }
    case "for": {
      const body = kept(s.body, block(s.body));
      return body === s.body ? s : { ...s, body };
    }
    case "if": {
      const cond = expr(s.cond);
      const body = kept(s.body, block(s.body));
      return cond === s.cond && body === s.body ? s : { ...s, cond, body };
    }
    case "barrier":
    case "fragment-zero":
    case "fragment-multiply":
    case "fragment-elements":
    case "copy-group":
    case "copy-wait":
      return s;
  }
}

/** An expression of other expressions: itself where none is another. */
export function withArguments(e: Expr, expr: (e: Expr) => Expr): Expr {
  switch (e.kind) {
    case "lit":
    case "ref":
    case "id":
    case "lane":
      return e;
    case "broadcast":
    case "shuffle":
    case "reduce":
    case "cast": {
      const arg = expr(e.arg);
      return arg === e.arg ? e : { ...e, arg };
    }
    case "call": {
      const args = mapped(e.args, expr);
      return args === e.args ? e : { ...e, args };
    }
    case "load": {
      const index = expr(e.index);
      return index === e.index ? e : { ...e, index };
    }
  }
}

/** The list itself where every part stays. */
const mapped = <T>(all: readonly T[], change: (one: T) => T): readonly T[] =>
  kept(all, all.map(change));

const kept = <T>(before: readonly T[], after: readonly T[]): readonly T[] =>
  after.length === before.length && after.every((one, i) => one === before[i]) ? before : after;

/** The names that statements declare, those inside of loops and branches too. */
export const namesIn = (body: readonly Stmt[]): string[] =>
  body.flatMap((s) => {
    if (s.kind === "let" || s.kind === "var") return [s.name];
    if (s.kind === "load4" || s.kind === "fragment-elements") return s.names;
    if (s.kind === "for") return [s.name, ...namesIn(s.body)];
    return s.kind === "if" ? namesIn(s.body) : [];
  });
