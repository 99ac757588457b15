/**
 * What is known of index arithmetic: the largest value that an expression can have, and a number that
 * divides it. Everything is derived from the expressions alone, again, so that it does not depend on
 * what the builder believed when it made them.
 */
import type { Expr, Id, Kernel, Stmt } from "./ir.ts";
import { isStable, keyOf } from "./keys.ts";

const unknown = Number.POSITIVE_INFINITY;

export class Ranges {
  readonly #kernel: Kernel;
  /** What names stand for; a loop's variable by its largest value. */
  readonly #named = new Map<string, Expr | number>();
  /** The largest values by the conditions around the place that is looked at, outermost first. */
  readonly #guards: Map<string, number>[] = [];
  #known = new Map<Expr, number>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Notes what a statement declares. */
  declare(s: Stmt): void {
    if (s.kind === "let") this.#named.set(s.name, s.value);
    if (s.kind === "for") this.#named.set(s.name, s.count - 1);
  }

  /** Everything that is asked in `body` is asked where a condition holds. */
  within(condition: Expr, body: () => void): void {
    const outside = this.#known;
    const guards = new Map<string, number>();
    this.#guard(condition, guards);
    this.#guards.push(guards);
    this.#known = new Map();
    body();
    this.#guards.pop();
    this.#known = outside;
  }

  /** The largest value that a `u32` can have; infinite where nothing is known. */
  bound(e: Expr): number {
    const known = this.#known.get(e);
    if (known !== undefined) return known;
    const bound = Math.min(this.#plainBound(e), this.#guardedBound(e));
    this.#known.set(e, bound);
    return bound;
  }

  /** A number that divides a `u32` for certain; 0 divides 0 alone. */
  divisor(e: Expr): number {
    switch (e.kind) {
      case "lit":
        return e.value;
      case "ref": {
        const named = this.#named.get(e.name);
        return typeof named === "object" ? this.divisor(named) : 1;
      }
      case "call": {
        const parts = e.args.map((x) => this.divisor(x));
        if (e.fn === "mul") return parts[0]! * parts[1]!;
        return ["add", "sub", "min", "max", "mod"].includes(e.fn) ? parts.reduce(gcd) : 1;
      }
      default:
        return 1;
    }
  }

  /** What a condition says of what it compares. */
  #guard(condition: Expr, into: Map<string, number>): void {
    if (condition.kind !== "call") return;
    const { fn, args } = condition;
    if (fn === "and") for (const part of args) this.#guard(part, into);
    const [left, right] = args;
    if (left?.type !== "u32" || right === undefined) return;
    const most = this.bound(right);
    if (fn === "lt") this.#limit(left, most - 1, into);
    if (fn === "le" || fn === "eq") this.#limit(left, most, into);
  }

  /** An expression is at most `most`: so are its parts, then. */
  #limit(e: Expr, most: number, into: Map<string, number>): void {
    if (!isStable(e)) return;
    const key = keyOf(e);
    into.set(key, Math.min(most, into.get(key) ?? unknown));
    const named = e.kind === "ref" ? this.#named.get(e.name) : undefined;
    if (typeof named === "object") this.#limit(named, most, into);
    if (e.kind !== "call") return;
    const [a, b] = e.args as [Expr, Expr];
    const by = b?.kind === "lit" ? b.value : 0;
    if (e.fn === "div" && by > 0) this.#limit(a, most * by + by - 1, into);
    if (e.fn === "mul" && by > 0) this.#limit(a, Math.floor(most / by), into);
    if (e.fn === "add") {
      this.#limit(a, most - by, into);
      if (by === 0) this.#limit(b, most, into);
    }
  }

  #guardedBound(e: Expr): number {
    if (this.#guards.length === 0 || !isStable(e)) return unknown;
    const key = keyOf(e);
    return Math.min(...this.#guards.map((guard) => guard.get(key) ?? unknown));
  }

  #plainBound(e: Expr): number {
    switch (e.kind) {
      case "lit":
        return e.value;
      case "ref": {
        const named = this.#named.get(e.name);
        return typeof named === "object" ? this.bound(named) : (named ?? unknown);
      }
      case "id":
        return this.#idBound(e.of, e.axis);
      case "lane":
        return this.#kernel.subgroup - 1;
      case "broadcast":
      case "shuffle":
        return this.bound(e.arg);
      case "reduce":
        return e.fold === "add" ? unknown : this.bound(e.arg);
      case "cast":
        return e.arg.type === "bool" ? 1 : this.bound(e.arg);
      case "call":
        return this.#callBound(e);
      case "load":
        return unknown;
    }
  }

  #idBound(of: Id, axis: 0 | 1 | 2): number {
    const { threads, groups, matrices, subgroup } = this.#kernel;
    if (of === "group") return groups[axis] - 1;
    if (of === "thread") return threads[axis] - 1;
    const all = threads[0] * threads[1] * threads[2];
    if (of === "subgroup" && subgroup > 0) return all / subgroup - 1;
    // Subgroups may be narrower than the most that they can have, and then there are more.
    if (of === "subgroup" && matrices && matrices.widths !== "most")
      return Math.ceil(all / matrices.width) - 1;
    return of === "subgroups" || of === "members" ? all : all - 1;
  }

  #callBound({ fn, args }: Extract<Expr, { kind: "call" }>): number {
    const [a, b, c] = args.map((x) => this.bound(x)) as [number, number, number];
    const by = args[1]?.kind === "lit" ? args[1].value : undefined;
    switch (fn) {
      case "add":
        return a + b;
      case "mul":
        return a === 0 || b === 0 ? 0 : a * b;
      case "fma":
        return a * b + c;
      case "div":
        return by ? Math.floor(a / by) : a;
      case "mod":
        // What divides both divides the remainder.
        return Math.min(a, by ? by - gcd(by, this.divisor(args[0]!)) : b - 1);
      case "min":
        return Math.min(a, b);
      case "max":
      case "select":
        return Math.max(a, b);
      case "shr":
        return Math.floor(a / 2 ** (by ?? 0));
      // Differences are never negative in a correct kernel.
      case "sub":
        return a;
      default:
        return unknown;
    }
  }
}

/** gcd(n, 0) = n: zero is a multiple of everything. */
const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
