/** Statements and expressions with other parts: what passes over kernels that change them share. */
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
