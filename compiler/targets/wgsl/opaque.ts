/**
 * Where WGSL's compilers would compute as if there were no NaN and no infinity: they make x - x zero, x * 0 and
 * 0 / x zero, x * a + x * b x * (a + b), exp(log(x)) x, sqrt(x) * sqrt(x) |x|, and they refuse constants that overflow.
 * There an argument becomes opaque: the same number, of which they know nothing, so that the device computes what is written.
 */
import type { Expr, Fn, Kernel, Scalar, Stmt } from "../../kernel/ir.ts";
import { isStable, keyOf } from "../../kernel/keys.ts";
import { withArguments, withParts } from "../../kernel/parts.ts";

type Call = Extract<Expr, { kind: "call" }>;

export function withOpaque(kernel: Kernel): Kernel {
  const zeros = zerosIn(kernel.body);
  const known = new Known();
  const expr = (e: Expr): Expr => guarded(withArguments(e, expr), known);
  const block = (body: readonly Stmt[]): readonly Stmt[] =>
    body.map((s) => {
      const changed = withParts(zeros.has(s) ? withHiddenValues(s) : s, expr, block);
      if (changed.kind === "let") known.values.set(changed.name, changed.value);
      return changed;
    });
  return { ...kernel, body: block(kernel.body) };
}

function guarded(e: Expr, known: Known): Expr {
  if (e.kind === "broadcast" || e.kind === "shuffle" || e.kind === "reduce")
    return e.arg.kind === "lit" ? { ...e, arg: opaque(e.arg) } : e;
  if (e.kind !== "call") return e;
  const { type } = e.args[0]!;
  const isConstant = e.fn !== "select" && e.args.every((a) => a.kind === "lit");
  if (isConstant && (type === "f32" || type === "i32")) return guarded(withOpaqueAt(e, 0), known);
  return type === "f32" ? (laws[e.fn]?.(e, known) ?? e) : e;
}

/** By function: which argument compilers must not know, if there is one. */
const laws: Partial<Record<Fn, (e: Call, known: Known) => Expr>> = {
  ...{ add: sum, sub: sum, lt: comparison, le: comparison, eq: comparison },
  mul: (e, known) => product(e, known),
  div: (e, known) => product(e, known),
  fma: (e, known) => {
    const changed = product(e, known) as Call;
    return changed === e ? sum(e, known) : changed;
  },
  exp: (e, known) =>
    [...known.terms(e.args[0]!).values()].some(({ of }) => isCall(known.of(of), "log"))
      ? withOpaqueAt(e, 0)
      : e,
  log: (e, known) => (isCall(known.of(e.args[0]!), "exp", "sqrt", "div") ? withOpaqueAt(e, 0) : e),
};

/** What is added and taken away again may be infinite; so may be what is added twice, times one and times another. */
function sum(e: Call, known: Known): Expr {
  const last = e.args.length - 1;
  const [before, behind] = [e.args.slice(0, last), e.args[last]!];
  const left = e.fn === "fma" ? known.productOf(before[0]!, before[1]!) : known.terms(before[0]!);
  const right = known.terms(behind);
  const same = e.fn === "sub" ? -1 : 1;
  const isGone = [...right].some(([key, r]) => {
    const l = left.get(key);
    return l !== undefined && l.sign * r.sign !== same;
  });
  if (isGone || right.size > mostTerms) return withOpaqueAt(e, last);
  return left.size > mostTerms ? withOpaqueAt(e, e.fn === "fma" ? last : 0) : e;
}

/** 0 times or by something, and what a number is multiplied with that may undo how it was made. */
function product(e: Call, known: Known): Expr {
  const [a, b] = [known.of(e.args[0]!), known.of(e.args[1]!)];
  for (const [at, of] of [a, b].entries()) if (isZero(of)) return withOpaqueAt(e, at);
  if (isSame(a, b) && (e.fn === "div" || isRoot(a))) return withOpaqueAt(e, 1);
  return isCall(a, "exp") && isCall(b, "exp") ? withOpaqueAt(e, 1) : e;
}

/** A NaN is no number, and differs from itself. */
function comparison(e: Call, known: Known): Expr {
  const [left, right] = e.args.map((a) => known.terms(a)) as [Terms, Terms];
  return [...right.keys()].some((key) => left.has(key)) ? withOpaqueAt(e, 1) : e;
}

const isCall = (e: Expr, ...fns: readonly Fn[]) => e.kind === "call" && fns.includes(e.fn);
const isRoot = (e: Expr): boolean =>
  isCall(e, "sqrt") || (isCall(e, "div") && isCall((e as Call).args[1]!, "sqrt"));
const isZero = (e: Expr) => e.kind === "lit" && e.value === 0;

const isSame = (a: Expr, b: Expr) => isStable(a) && isStable(b) && keyOf(a) === keyOf(b);

/** What is added or taken away in an expression, alone or times something; 0 for a sign that is not known. */
interface Term {
  readonly of: Expr;
  readonly sign: 1 | -1 | 0;
}

/** By what tells whether two are the same: an expression whose value may change is only itself. */
type Terms = ReadonlyMap<string | Expr, Term>;

const none: Terms = new Map();
const keyFor = (e: Expr) => (isStable(e) ? keyOf(e) : e);

const times = (terms: Terms, by: Term["sign"]): Terms =>
  new Map(
    [...terms].map(([key, { of, sign }]) => [key, { of, sign: (sign * by) as Term["sign"] }]),
  );

function both(a: Terms, b: Terms): Terms {
  const all = new Map(a);
  for (const [key, { of, sign }] of b) {
    const other = all.get(key);
    all.set(key, { of, sign: other === undefined || other.sign === sign ? sign : 0 });
  }
  return all;
}

/** A sum of more is not taken apart further: it becomes opaque where something is added to it. */
const mostTerms = 32;

/** What the names of a kernel stand for. */
class Known {
  readonly values = new Map<string, Expr>();
  readonly #terms = new WeakMap<Expr, Terms>();

  of(e: Expr): Expr {
    const value = e.kind === "ref" && !e.mutable ? this.values.get(e.name) : undefined;
    return value === undefined ? e : this.of(value);
  }

  terms(e: Expr): Terms {
    const found = this.#terms.get(e) ?? this.#findTerms(e);
    this.#terms.set(e, found);
    return found;
  }

  #findTerms(e: Expr): Terms {
    const value = this.of(e);
    if (value.kind === "lit") return none;
    const own: Terms = new Map([[keyFor(e), { of: e, sign: 1 }]]);
    return value.kind === "call" ? both(own, this.#partsOf(value)) : own;
  }

  #partsOf({ fn, args }: Call): Terms {
    const [a, b, c] = args as [Expr, Expr, Expr];
    switch (fn) {
      case "neg":
        return times(this.terms(a), -1);
      case "add":
        return both(this.terms(a), this.terms(b));
      case "sub":
        return both(this.terms(a), times(this.terms(b), -1));
      case "mul":
        return this.productOf(a, b);
      case "div":
        return this.#times(a, b);
      case "fma":
        return both(this.productOf(a, b), this.terms(c));
      default:
        return none;
    }
  }

  /** The terms of both factors. */
  productOf(a: Expr, b: Expr): Terms {
    return both(this.#times(a, b), this.#times(b, a));
  }

  #times(a: Expr, factor: Expr): Terms {
    const sign = this.#signOf(factor);
    if (sign !== 0) return times(this.terms(a), sign);
    // What is added in `a` is no factor of the product. It is taken away if something is in the other.
    const isMixed = [...this.terms(factor).values()].some((term) => term.sign < 0);
    const parts = times(this.terms(a), isMixed ? 0 : 1);
    return new Map([...parts, ...this.#factors(a)]);
  }

  #factors(e: Expr): Terms {
    const value = this.of(e);
    if (value.kind === "lit") return none;
    const own: Terms = new Map([[keyFor(e), { of: e, sign: 0 }]]);
    if (!isCall(value, "mul", "div", "neg")) return own;
    const [a, b] = (value as Call).args as [Expr, Expr?];
    return new Map([
      ...own,
      ...this.#factors(a),
      ...(isCall(value, "mul") ? this.#factors(b!) : []),
    ]);
  }

  #signOf(e: Expr): Term["sign"] {
    const value = this.of(e);
    if (value.kind === "lit") return value.value < 0 ? -1 : 1;
    const isSquare =
      isCall(value, "mul") && isSame((value as Call).args[0]!, (value as Call).args[1]!);
    return isSquare || isCall(value, "abs", "exp", "sqrt") ? 1 : 0;
  }
}

/** Declarations of and writes to what holds nothing but 0. */
function zerosIn(body: readonly Stmt[]): ReadonlySet<Stmt> {
  const writes = new Map<string, Stmt[]>();
  const others = new Set<string>();
  const note = (s: Stmt, name: string, values: readonly Expr[]) => {
    if (values.every((v) => v.type === "f32" && isZero(v)))
      writes.set(name, [...(writes.get(name) ?? []), s]);
    else others.add(name);
  };
  const visit = (block: readonly Stmt[]): void => {
    for (const s of block) {
      if (s.kind === "for" || s.kind === "if") visit(s.body);
      if (s.kind === "let" || s.kind === "var" || s.kind === "set") note(s, s.name, [s.value]);
      if (s.kind === "store" && s.to.space !== "global") note(s, s.to.name, [s.value]);
      if (s.kind === "store4" && s.to.space !== "global") note(s, s.to.name, s.values);
      if (s.kind === "fragment-store") others.add(s.to.name);
    }
  };
  visit(body);
  return new Set([...writes].flatMap(([name, all]) => (others.has(name) ? [] : all)));
}

function withHiddenValues(s: Stmt): Stmt {
  switch (s.kind) {
    case "let":
    case "var":
    case "set":
    case "store":
      return { ...s, value: opaque(s.value) };
    case "store4": {
      const [a, b, c, d] = s.values;
      return { ...s, values: [opaque(a), opaque(b), opaque(c), opaque(d)] };
    }
    default:
      return s;
  }
}

const withOpaqueAt = (e: Call, at: number): Expr => ({
  ...e,
  args: e.args.map((a, i) => (i === at && !isCall(a, "opaque") ? opaque(a) : a)),
});

const opaque = (e: Expr): Expr => ({
  kind: "call",
  type: e.type as Scalar,
  fn: "opaque",
  args: [e],
});
