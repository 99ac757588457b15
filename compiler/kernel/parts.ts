/** Statements and expressions with other parts, and the names that they declare: what passes over kernels share. */
import type { Expr, Stmt } from "./ir.ts";

/** A statement with other expressions, and other statements inside it. */
export function withParts(
  s: Stmt,
  expr: (e: Expr) => Expr,
  block: (body: readonly Stmt[]) => readonly Stmt[],
): Stmt {
  switch (s.kind) {
    case "let":
    case "var":
    case "set":
      return { ...s, value: expr(s.value) };
    case "store":
      return { ...s, index: expr(s.index), value: expr(s.value) };
    case "store4": {
      const [a, b, c, d] = s.values;
      return { ...s, index: expr(s.index), values: [expr(a), expr(b), expr(c), expr(d)] };
    }
    case "load4":
    case "fragment-load":
    case "fragment-store":
      return { ...s, index: expr(s.index) };
    case "for":
      return { ...s, body: block(s.body) };
    case "if":
      return { ...s, cond: expr(s.cond), body: block(s.body) };
    case "barrier":
    case "fragment-zero":
    case "fragment-multiply":
      return s;
  }
}

/** An expression of other expressions. */
export function withArguments(e: Expr, expr: (e: Expr) => Expr): Expr {
  switch (e.kind) {
    case "lit":
    case "ref":
    case "id":
    case "lane":
      return e;
    case "broadcast":
    case "reduce":
    case "cast":
      return { ...e, arg: expr(e.arg) };
    case "call":
      return { ...e, args: e.args.map(expr) };
    case "load":
      return { ...e, index: expr(e.index) };
  }
}

/** The names that statements declare, those inside of loops and branches too. */
export const namesIn = (body: readonly Stmt[]): string[] =>
  body.flatMap((s) => {
    if (s.kind === "let" || s.kind === "var") return [s.name];
    if (s.kind === "load4") return s.names;
    if (s.kind === "for") return [s.name, ...namesIn(s.body)];
    return s.kind === "if" ? namesIn(s.body) : [];
  });
