/**
 * Typed kernel expressions with arithmetic. Constructors fold, so kernels and views are written
 * naively: `x.add(0)` is `x`, and a reshape that undoes another leaves no trace.
 *
 * Index arithmetic (`u32`) carries an inclusive upper bound. Flattening and unflattening
 * coordinates then cancels: `(b*196 + t) / 196` is `b` when `t` is known to stay below 196.
 */
import { bug } from "../../diagnostics/index.ts";
import { castNumber } from "./cast.ts";
import type { Expr, Fn, Scalar } from "./ir.ts";
import { same } from "./keys.ts";
import { divisorOf, gcd, type Sum, type Term, unitsOf } from "./sums.ts";

export type Operand = Value | number;

export class Value {
  readonly expr: Expr;
  /** Inclusive upper bound of a `u32`; Infinity when nothing is known. */
  readonly bound: number;
  /** The same value as a sum of products with literals, where it was built as one. */
  readonly sum: Sum | undefined;
  /** A number that divides a `u32` for certain: what alignment is proved with. */
  readonly divisor: number;

  constructor(expr: Expr, bound = Number.POSITIVE_INFINITY, sum?: Sum, divisor = 1) {
    this.expr = expr;
    this.bound = expr.kind === "lit" ? expr.value : bound;
    this.sum = sum;
    this.divisor = expr.kind === "lit" ? expr.value : divisor;
  }

  get type(): Scalar {
    return this.expr.type;
  }
  add(b: Operand) {
    return call("add", this, b);
  }
  sub(b: Operand) {
    return call("sub", this, b);
  }
  mul(b: Operand) {
    return call("mul", this, b);
  }
  div(b: Operand) {
    return call("div", this, b);
  }
  mod(b: Operand) {
    return call("mod", this, b);
  }
  min(b: Operand) {
    return call("min", this, b);
  }
  max(b: Operand) {
    return call("max", this, b);
  }
  /** The larger of two numbers (`f32`); of a NaN and a number, either. Cheaper than `max`. */
  maxnum(b: Operand) {
    return call("maxnum", this, b);
  }
  /** this * b + c, rounded once where the target can. */
  fma(b: Operand, c: Operand) {
    return call("fma", this, b, c);
  }
  neg() {
    return call("neg", this);
  }
  abs() {
    return call("abs", this);
  }
  floor() {
    return call("floor", this);
  }
  exp() {
    return call("exp", this);
  }
  log() {
    return call("log", this);
  }
  sqrt() {
    return call("sqrt", this);
  }
  tanh() {
    return call("tanh", this);
  }
  lt(b: Operand) {
    return call("lt", this, b);
  }
  le(b: Operand) {
    return call("le", this, b);
  }
  gt(b: Operand) {
    return operand(b, this).lt(this);
  }
  ge(b: Operand) {
    return operand(b, this).le(this);
  }
  eq(b: Operand) {
    return call("eq", this, b);
  }
  and(b: Value) {
    return call("and", this, b);
  }
  or(b: Value) {
    return call("or", this, b);
  }
  not() {
    return call("not", this);
  }
  /** `yes` where this is true, else `no`. Both are evaluated. One of them may be a number. */
  select(yes: Operand, no: Operand): Value {
    const like = yes instanceof Value ? yes : no instanceof Value ? no : literal(0, "f32");
    return call("select", operand(yes, like), operand(no, like), this);
  }
  cast(type: Scalar): Value {
    if (type === this.type) return this;
    if (this.expr.kind === "lit")
      return literal(castNumber(this.expr.value, this.type, type), type);
    return new Value({ kind: "cast", type, arg: this.expr }, this.bound);
  }
}

export const literal = (value: number, type: Scalar): Value =>
  new Value({ kind: "lit", type, value: type === "bool" ? Number(value !== 0) : value });

export const index = (value: number): Value => literal(value, "u32");

/** States a bound that the surrounding code guarantees (a guard, a clamp): `value <= bound`. */
export const bounded = (value: Value, bound: number): Value =>
  value.bound <= bound ? value : new Value(value.expr, bound, value.sum, value.divisor);

const operand = (v: Operand, like: Value) => (typeof v === "number" ? literal(v, like.type) : v);

const comparisons: ReadonlySet<Fn> = new Set(["lt", "le", "eq", "and", "or", "not"]);

function call(fn: Fn, a: Value, ...rest: Operand[]): Value {
  const args = [a, ...rest.map((r) => operand(r, a))];
  for (const x of args.slice(0, fn === "select" ? 2 : undefined))
    if (x.type !== a.type) bug(`${fn} of ${a.type} and ${x.type}`);
  const folded =
    a.type === "u32"
      ? foldIndex(fn, a, args[1], args[2])
      : a.type === "bool"
        ? foldBool(fn, a, args[1])
        : foldNumber(fn, a, args[1]);
  return folded ?? foldSelect(fn, args) ?? plain(fn, a.type, args);
}

function plain(fn: Fn, type: Scalar, args: readonly Value[], bound?: number): Value {
  const result = comparisons.has(fn) ? "bool" : type;
  return new Value({ kind: "call", type: result, fn, args: args.map((x) => x.expr) }, bound);
}

const isLiteral = (v: Value | undefined, n: number) => v?.expr.kind === "lit" && v.expr.value === n;

function foldNumber(fn: Fn, a: Value, b: Value | undefined): Value | undefined {
  if (fn === "neg" && a.expr.kind === "lit")
    return literal(a.type === "i32" ? -a.expr.value | 0 : -a.expr.value, a.type);
  // What an integer is divided by when that is no divisor: WGSL refuses such constants.
  if (fn === "div" && a.type !== "f32" && isLiteral(b, 0)) return a;
  if ((fn === "add" || fn === "sub") && isLiteral(b, 0)) return a;
  if (fn === "add" && isLiteral(a, 0)) return b;
  if ((fn === "mul" || fn === "div") && isLiteral(b, 1)) return a;
  if (fn === "mul" && isLiteral(a, 1)) return b;
  return undefined;
}

function foldBool(fn: Fn, a: Value, b: Value | undefined): Value | undefined {
  if (fn === "not" && a.expr.kind === "lit") return literal(1 - a.expr.value, "bool");
  if (fn === "and") {
    if (isLiteral(a, 0) || isLiteral(b, 1)) return a;
    if (isLiteral(a, 1) || isLiteral(b, 0)) return b;
  }
  if (fn === "or") {
    if (isLiteral(a, 1) || isLiteral(b, 0)) return a;
    if (isLiteral(a, 0) || isLiteral(b, 1)) return b;
  }
  return undefined;
}

function foldSelect(fn: Fn, args: readonly Value[]): Value | undefined {
  if (fn !== "select") return undefined;
  const [yes, no, condition] = args as [Value, Value, Value];
  if (condition.expr.kind === "lit") return condition.expr.value ? yes : no;
  if (same(yes.expr, no.expr)) return yes;
  return yes.type === "u32"
    ? plain("select", "u32", args, Math.max(yes.bound, no.bound))
    : undefined;
}

export function sumOf(v: Value): Sum {
  if (v.expr.kind === "lit") return { constant: v.expr.value, terms: [] };
  return v.sum ?? { constant: 0, terms: [{ factor: 1, atom: v }] };
}

export function fromSum({ constant, terms }: Sum): Value {
  const merged = recompose(mergeTerms(terms));
  if (merged.length === 0) return index(constant);
  const bound = merged.reduce((sum, t) => sum + t.factor * t.atom.bound, constant);
  let sum: Value | undefined;
  for (const { factor, atom } of merged) {
    const term = factor === 1 ? atom : plain("mul", "u32", [atom, index(factor)]);
    sum = sum === undefined ? term : plain("add", "u32", [sum, term]);
  }
  if (constant !== 0) sum = plain("add", "u32", [sum!, index(constant)]);
  if (merged.length === 1 && merged[0]!.factor === 1 && constant === 0) return merged[0]!.atom;
  return new Value(sum!.expr, bound, { constant, terms: merged }, divisorOf(constant, merged));
}

function mergeTerms(terms: readonly Term[]): Term[] {
  const out: Term[] = [];
  for (const t of terms) {
    const i = out.findIndex((o) => same(o.atom.expr, t.atom.expr));
    if (i < 0) out.push(t);
    else out[i] = { factor: out[i]!.factor + t.factor, atom: t.atom };
  }
  return out.filter((t) => t.factor !== 0);
}

/** `(x / c) * c + x % c` is `x`: what flattening right after unflattening leaves behind. */
function recompose(terms: Term[]): Term[] {
  for (const low of terms) {
    const mod = quotient(low.atom, "mod");
    if (!mod) continue;
    const high = terms.find((t) => {
      const div = quotient(t.atom, "div");
      return (
        div?.by === mod.by && t.factor === low.factor * mod.by && same(div.of.expr, mod.of.expr)
      );
    });
    if (!high) continue;
    const rest = terms.filter((t) => t !== low && t !== high);
    const whole = sumOf(mod.of);
    if (whole.constant !== 0) continue;
    const back = whole.terms.map((t) => ({ factor: t.factor * low.factor, atom: t.atom }));
    return recompose(mergeTerms([...rest, ...back]));
  }
  return terms;
}

interface Quotient {
  readonly of: Value;
  readonly by: number;
}
const quotients = new WeakMap<Expr, Quotient>();

function quotient(v: Value, fn: "div" | "mod"): Quotient | undefined {
  const { expr } = v;
  return expr.kind === "call" && expr.fn === fn ? quotients.get(expr) : undefined;
}

function makeQuotient(fn: "div" | "mod", of: Value, by: number): Value {
  const { expr } = plain(fn, "u32", [of, index(by)]);
  quotients.set(expr, { of, by });
  if (fn === "div") return new Value(expr, Math.floor(of.bound / by));
  // What divides both divides the remainder.
  const divisor = gcd(by, of.divisor);
  return new Value(expr, Math.min(of.bound, by - divisor), undefined, divisor);
}

function foldIndex(
  fn: Fn,
  a: Value,
  b: Value | undefined,
  c: Value | undefined,
): Value | undefined {
  if (b === undefined) return undefined;
  const [la, lb] = [sumOf(a), sumOf(b)];
  const divisor = b.expr.kind === "lit" ? b.expr.value : undefined;
  switch (fn) {
    case "add":
      return fromSum({
        constant: la.constant + lb.constant,
        terms: [...la.terms, ...lb.terms],
      });
    case "mul": {
      const [factor, of] = divisor === undefined ? [literalOf(a), lb] : [divisor, la];
      if (factor === undefined) return plain("mul", "u32", [a, b], a.bound * b.bound);
      if (factor === 0) return index(0);
      return fromSum({
        constant: of.constant * factor,
        terms: of.terms.map((t) => ({ factor: t.factor * factor, atom: t.atom })),
      });
    }
    case "div":
      if (divisor === 0) return a;
      return divisor === undefined ? undefined : divide(a, divisor);
    case "mod":
      return divisor === undefined ? undefined : remainder(a, divisor);
    case "sub":
      return subtract(a, b);
    case "fma":
      return a.mul(b).add(c!);
    case "min":
      if (a.bound <= (divisor ?? -1)) return a;
      if (divisor !== undefined && a.expr.kind === "lit") return index(Math.min(divisor, a.bound));
      if (divisor === 0) return b;
      return plain("min", "u32", [a, b], Math.min(a.bound, b.bound));
    case "max":
      if (divisor === 0) return a;
      return plain("max", "u32", [a, b], Math.max(a.bound, b.bound));
    case "lt":
    case "le":
    case "eq":
      return compare(fn, a, b);
    default:
      return undefined;
  }
}

const literalOf = (v: Value) => (v.expr.kind === "lit" ? v.expr.value : undefined);

function subtract(a: Value, b: Value): Value {
  const [la, lb] = [sumOf(a), sumOf(b)];
  const negative = lb.terms.map((t) => ({ factor: -t.factor, atom: t.atom }));
  const terms = mergeTerms([...la.terms, ...negative]);
  const constant = la.constant - lb.constant;
  if (constant >= 0 && terms.every((t) => t.factor > 0)) return fromSum({ constant, terms });
  return plain("sub", "u32", [a, b], a.bound);
}

/** floor((c*A + r) / c) = A + floor(r / c), for any r >= 0. */
function divide(a: Value, by: number): Value {
  if (by === 1) return a;
  if (a.bound < by) return index(0);
  const { constant, terms } = sumOf(a);
  const whole = terms.filter((t) => t.factor % by === 0);
  const parts = terms.filter((t) => t.factor % by !== 0);
  const split = unitsOf({ constant: constant % by, terms: parts }, by);
  const units = fromSum(split.units);
  const left = by / split.scale;
  const inner = quotient(units, "div");
  const fraction =
    units.bound < left
      ? index(0)
      : inner
        ? divide(inner.of, inner.by * left)
        : makeQuotient("div", units, left);
  const outer = fromSum({
    constant: Math.floor(constant / by),
    terms: whole.map((t) => ({ factor: t.factor / by, atom: t.atom })),
  });
  return outer.add(fraction);
}

/** (c*A + r) mod c = r mod c. */
function remainder(a: Value, by: number): Value {
  if (by === 1) return index(0);
  const { constant, terms } = sumOf(a);
  const parts = terms
    .map((t) => ({ factor: t.factor % by, atom: t.atom }))
    .filter((t) => t.factor !== 0);
  const split = unitsOf({ constant: constant % by, terms: parts }, by);
  const units = fromSum(split.units);
  const left = by / split.scale;
  const inner = quotient(units, "mod");
  const reduced =
    units.bound < left
      ? units
      : inner && inner.by % left === 0
        ? remainder(inner.of, left)
        : makeQuotient("mod", units, left);
  return reduced.mul(split.scale).add(fromSum(split.rest));
}

function compare(fn: "lt" | "le" | "eq", a: Value, b: Value): Value | undefined {
  const [x, y] = [literalOf(a), literalOf(b)];
  if (x !== undefined && y !== undefined)
    return literal(Number(fn === "lt" ? x < y : fn === "le" ? x <= y : x === y), "bool");
  if (y !== undefined && fn === "lt" && a.bound < y) return literal(1, "bool");
  if (y !== undefined && fn === "le" && a.bound <= y) return literal(1, "bool");
  // A sum is at least its constant.
  const least = y === undefined ? 0 : (a.sum?.constant ?? 0);
  if (y !== undefined && (fn === "lt" ? least >= y : least > y)) return literal(0, "bool");
  if (x !== undefined && fn === "le" && x <= (b.sum?.constant ?? 0)) return literal(1, "bool");
  if (x === 0 && fn === "le") return literal(1, "bool");
  if (y !== undefined && fn === "eq" && a.bound < y) return literal(0, "bool");
  if (fn !== "lt" && same(a.expr, b.expr)) return literal(1, "bool");
  return undefined;
}
