/** Which expressions have the same value: what lets the builder compute it once. */
import { bug } from "../../diagnostics/index.ts";
import type { Expr } from "./ir.ts";

/** True where an expression has one value wherever in its scope it is read. */
export function isStable(e: Expr): boolean {
  switch (e.kind) {
    case "lit":
    case "id":
    case "lane":
      return true;
    case "broadcast":
    case "shuffle":
    case "reduce":
      return false;
    case "ref":
      return !e.mutable;
    case "call":
      return e.args.every(isStable);
    case "cast":
      return isStable(e.arg);
    case "load":
      return e.from.space === "global" && !e.from.writable && isStable(e.index);
  }
}

const keys = new WeakMap<Expr, string>();

/** Two stable expressions with one key have one value. */
export function keyOf(e: Expr): string {
  const known = keys.get(e);
  if (known !== undefined) return known;
  const key = makeKey(e);
  keys.set(e, key);
  return key;
}

function makeKey(e: Expr): string {
  switch (e.kind) {
    case "lit":
      return `${Object.is(e.value, -0) ? "-0" : e.value}${e.type}`;
    case "id":
      return `${e.of}.${e.axis}`;
    case "lane":
      return "lane";
    case "broadcast":
    case "shuffle":
    case "reduce":
      return bug(`a ${e.kind} is never shared`);
    case "ref":
      return e.name;
    case "call":
      return `${e.fn}(${e.args.map(keyOf).join()})`;
    case "cast":
      return `${e.type}(${keyOf(e.arg)})`;
    case "load":
      return `${e.from.name}[${keyOf(e.index)}]`;
  }
}

/** Structural equality of pure expressions; a mutable variable never equals anything. */
export function same(a: Expr, b: Expr): boolean {
  if (a === b) return a.kind !== "ref" || !a.mutable;
  if (a.kind !== b.kind || a.type !== b.type) return false;
  switch (a.kind) {
    case "lit":
      return Object.is(a.value, (b as typeof a).value);
    case "ref":
      return !a.mutable && a.name === (b as typeof a).name;
    case "id":
      return a.of === (b as typeof a).of && a.axis === (b as typeof a).axis;
    case "lane":
      return true;
    case "cast":
      return same(a.arg, (b as typeof a).arg);
    case "load":
    case "shuffle":
    case "broadcast":
    case "reduce":
      return false;
    case "call": {
      const other = b as typeof a;
      return (
        a.fn === other.fn &&
        a.args.length === other.args.length &&
        a.args.every((x, i) => same(x, other.args[i]!))
      );
    }
  }
}
