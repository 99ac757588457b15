/**
 * How the threads of a vector differ in a value: not at all, by a number from each to the next, or in any way.
 * Targets for processors keep what does not differ as a scalar, and what differs by a number as that of the
 * first thread: index arithmetic stays scalar, and contiguous accesses are known as such. All else is a
 * vector. What holds for vectors of so many threads holds for those of half as many.
 */
import type { Buffer, Expr, Kernel, Stmt } from "./ir.ts";

export type Shape =
  /** `by` is what each thread has more than the one before it: 0 where all have the same. */
  | { readonly kind: "linear"; readonly by: number; readonly divisor: number }
  | { readonly kind: "vector" };

const vector: Shape = { kind: "vector" };

/** A number that all threads have, and what divides it for certain. 0 is divided by everything. */
const same = (divisor = 1): Shape => ({ kind: "linear", by: 0, divisor });

/** Neighbours, from a first one that `divisor` divides. */
const line = (by: number, divisor: number): Shape => ({ kind: "linear", by, divisor });

const isSame = (s: Shape): boolean => s.kind === "linear" && s.by === 0;

export interface Shapes {
  of(e: Expr): Shape;
  ofName(name: string): Shape;
  /** Whether all threads of a vector have the same. */
  isSame(e: Expr): boolean;
  /** Whether a thread's own array differs from the others'. */
  differs(b: Buffer): boolean;
}

/** `lanes` is how many threads make a vector. */
export function shapesOf(kernel: Kernel, lanes: number): Shapes {
  return new Analysis(kernel, lanes);
}

class Analysis implements Shapes {
  readonly #kernel: Kernel;
  readonly #lanes: number;
  readonly #threads: number;
  readonly #names = new Map<string, Shape>();
  readonly #differing = new Set<Buffer>();
  #known = new Map<Expr, Shape>();
  #isSettled = false;

  constructor(kernel: Kernel, lanes: number) {
    this.#kernel = kernel;
    this.#lanes = lanes;
    this.#threads = kernel.threads.reduce((a, b) => a * b);
    // What a loop sets is read at its beginning the next time.
    while (!this.#isSettled) {
      this.#isSettled = true;
      this.#known = new Map();
      this.#visit(kernel.body, false);
    }
  }

  of(e: Expr): Shape {
    const known = this.#known.get(e);
    if (known) return known;
    const shape = this.#shape(e);
    this.#known.set(e, shape);
    return shape;
  }

  ofName(name: string): Shape {
    return this.#names.get(name) ?? same();
  }

  isSame(e: Expr): boolean {
    return isSame(this.of(e));
  }

  differs(b: Buffer): boolean {
    return this.#differing.has(b);
  }

  #visit(body: readonly Stmt[], isMasked: boolean): void {
    for (const s of body)
      switch (s.kind) {
        case "let":
          this.#note(s.name, this.of(s.value));
          break;
        case "var":
          this.#note(s.name, this.isSame(s.value) ? same() : vector);
          break;
        case "set":
          if (isMasked || !this.isSame(s.value)) this.#note(s.name, vector);
          break;
        case "load4":
          for (const n of s.names) this.#note(n, this.#ofLoad(s.from, s.index));
          break;
        case "store":
          if (
            s.to.space === "local" &&
            (isMasked || ![s.index, s.value].every((e) => this.isSame(e)))
          )
            this.#noteArray(s.to);
          break;
        case "for":
          this.#visit(s.body, isMasked);
          break;
        case "if":
          this.#visit(s.body, isMasked || !this.isSame(s.cond));
          break;
      }
  }

  #note(name: string, shape: Shape): void {
    const before = this.#names.get(name);
    if (before && isEqual(before, shape)) return;
    if (before?.kind === "vector") return;
    this.#names.set(name, shape);
    this.#isSettled = false;
  }

  #noteArray(b: Buffer): void {
    if (this.#differing.has(b)) return;
    this.#differing.add(b);
    this.#isSettled = false;
  }

  #shape(e: Expr): Shape {
    switch (e.kind) {
      case "lit":
        return same(e.type === "u32" ? e.value : 1);
      case "ref":
        return this.ofName(e.name);
      case "id":
        return this.#ofId(e.of, e.axis);
      case "lane":
        return line(1, 0);
      case "broadcast":
      case "reduce":
        return same();
      case "shuffle":
        return vector;
      case "cast":
        return this.isSame(e.arg) ? same() : vector;
      case "load":
        return this.#ofLoad(e.from, e.index);
      case "call":
        return this.#ofCall(e);
    }
  }

  #ofId(of: Extract<Expr, { kind: "id" }>["of"], axis: 0 | 1 | 2): Shape {
    if (of === "member" && this.#threads > 1) return line(1, 0);
    if (of !== "thread") return same();
    const { threads } = this.#kernel;
    const lanes = this.#lanes;
    if (threads[axis] === 1) return same(0);
    const isWhole = threads[0] % lanes === 0 || threads[0] === this.#threads;
    if (axis === 0 && isWhole) return line(1, this.#threads <= lanes ? 0 : lanes);
    return axis > 0 && threads[0] % lanes === 0 ? same() : vector;
  }

  #ofLoad(from: Buffer, index: Expr): Shape {
    return this.isSame(index) && !this.differs(from) ? same() : vector;
  }

  #ofCall(e: Extract<Expr, { kind: "call" }>): Shape {
    const all = e.args.map((x) => this.of(x));
    const isPlace = e.args[0]!.type === "u32";
    if (isPlace) {
      const found = ofPlaces(e, all, this.#lanes);
      if (found) return found;
    }
    return all.every(isSame) ? same() : vector;
  }
}

const isEqual = (a: Shape, b: Shape): boolean =>
  a.kind === "vector"
    ? b.kind === "vector"
    : b.kind === "linear" && a.by === b.by && a.divisor === b.divisor;

/** What is known of arithmetic on `u32` beyond that all threads have the same. */
function ofPlaces(
  { fn, args }: Extract<Expr, { kind: "call" }>,
  [a, b, c]: readonly Shape[],
  lanes: number,
): Shape | undefined {
  if (a?.kind !== "linear" || b?.kind !== "linear") return undefined;
  const by = args[1]!.kind === "lit" ? args[1]!.value : undefined;
  switch (fn) {
    case "add":
      return line(a.by + b.by, gcd(a.divisor, b.divisor));
    case "sub":
      return line(a.by - b.by, gcd(a.divisor, b.divisor));
    case "mul": {
      if (a.by === 0 && b.by === 0) return same(product(a.divisor, b.divisor));
      const [factor, of] = by === undefined ? [literalIn(args[0]!), b] : [by, a];
      if (factor === undefined) return undefined;
      return line(of.by * factor, product(of.divisor, factor));
    }
    case "div":
      if (a.by === 0 || !by) return undefined;
      if (a.by % by === 0 && a.divisor % by === 0) return line(a.by / by, a.divisor / by);
      return isWithin(a, by, lanes) ? same(a.divisor % by === 0 ? a.divisor / by : 1) : undefined;
    case "mod":
      if (a.by === 0 || !by) return undefined;
      return isWithin(a, by, lanes) ? line(a.by, gcd(a.divisor, by)) : undefined;
    // Where threads are on one side of a multiple of what divides their first place.
    case "lt":
      return by !== undefined && isWithin(a, by, lanes) ? same() : undefined;
    case "select":
      return c && isSame(c) && a.by === b.by ? line(a.by, gcd(a.divisor, b.divisor)) : undefined;
    default:
      return undefined;
  }
}

/** Beyond 2^31 nothing is claimed. */
const product = (a: number, b: number): number => (a * b < 2 ** 31 ? a * b : 1);

/** Whether no multiple of `by` comes between the first thread's place and the last one's. */
function isWithin(
  { by: step, divisor }: Extract<Shape, { kind: "linear" }>,
  by: number,
  lanes: number,
): boolean {
  const unit = gcd(divisor, by);
  return step > 0 && (lanes - 1) * step < unit;
}

const literalIn = (e: Expr): number | undefined => (e.kind === "lit" ? e.value : undefined);

/** gcd(n, 0) = n: zero is a multiple of everything. */
const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
