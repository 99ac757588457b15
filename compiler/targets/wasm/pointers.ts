/**
 * Addresses that loops carry on: of an access whose place grows by the same number in every round, the
 * address is a local that is set before the loop and raised at its end. Inside nothing is computed.
 */
import type { Expr } from "../../kernel/ir.ts";
import { isStable, keyOf } from "../../kernel/keys.ts";
import type { Code, Local } from "./code.ts";

interface Pointer {
  readonly local: Local;
  /** What its first value is made of: a base, and places in units of 2^shift bytes. */
  readonly base: Local;
  readonly first: readonly Term[];
  readonly shift: number;
  /** Bytes from one round to the next. */
  readonly step: number;
}

interface Term {
  readonly atom: Expr;
  readonly factor: number;
}

/** A place as a sum. */
interface Sum {
  readonly constant: number;
  /** By what the atoms compute. */
  readonly terms: ReadonlyMap<string, Term>;
}

interface Loop {
  readonly counter: string;
  readonly pointers: Map<string, Pointer>;
}

/** An access holds a number below this as its own offset. */
const mostOffset = 2 ** 24;

export class Pointers {
  readonly #code: Code;
  readonly #scalar: (e: Expr) => void;
  readonly #loops: Loop[] = [];
  /** In how many loops a name was declared; of a place what it is. */
  readonly #names = new Map<string, { readonly depth: number; readonly value?: Expr }>();

  constructor(code: Code, scalar: (e: Expr) => void) {
    this.#code = code;
    this.#scalar = scalar;
  }

  /** A name is declared; `value` of one that is never set. */
  declare(name: string, value?: Expr): void {
    const depth = this.#loops.length;
    this.#names.set(name, value?.type === "u32" ? { depth, value } : { depth });
  }

  /** Writes the body of a loop, and by `loop` the loop around what its argument writes. */
  loop(counter: string, body: () => void, loop: (inside: () => void) => void): void {
    const code = this.#code;
    const pointers = new Map<string, Pointer>();
    this.#loops.push({ counter, pointers });
    this.declare(counter);
    const written = code.aside(body);
    this.#loops.pop();
    for (const pointer of pointers.values()) this.#begin(pointer);
    loop(() => {
      code.put(written);
      for (const { local, step } of pointers.values()) {
        code.get(local);
        code.i32(step);
        code.op("i32.add");
        code.set(local);
      }
    });
  }

  /** The address behind `base` of a place in units of 2^shift bytes; undefined: it is to be computed. */
  to(
    base: Local,
    index: Expr,
    shift: number,
  ): { readonly local: Local; readonly offset: number } | undefined {
    const loop = this.#loops.at(-1);
    const sum = loop && this.#sumOf(index);
    if (!sum) return undefined;
    const { [loop.counter]: own, ...others } = Object.fromEntries(sum.terms);
    const offset = sum.constant * 2 ** shift;
    if (!own || offset >= mostOffset) return undefined;
    const first = Object.values(others);
    if (!first.every(({ atom }) => this.#isOutside(atom))) return undefined;
    const parts = Object.entries(others).map(([key, { factor }]) => `${factor}*${key}`);
    const key = [base, shift, own.factor, ...parts.sort()].join();
    const known = loop.pointers.get(key);
    if (known) return { local: known.local, offset };
    const step = own.factor * 2 ** shift;
    const local = this.#code.fresh("i32");
    loop.pointers.set(key, { local, base, first, shift, step });
    return { local, offset };
  }

  #begin({ local, base, first, shift }: Pointer): void {
    const code = this.#code;
    code.get(base);
    for (const { atom, factor } of first) {
      this.#scalar(atom);
      if (factor !== 1) {
        code.i32(factor);
        code.op("i32.mul");
      }
      if (shift > 0) {
        code.i32(shift);
        code.op("i32.shl");
      }
      code.op("i32.add");
    }
    code.set(local);
  }

  /** Whether an expression has one value in all rounds of the innermost loop, and needs no memory. */
  #isOutside(e: Expr): boolean {
    switch (e.kind) {
      case "ref":
        return !e.mutable && (this.#names.get(e.name)?.depth ?? 0) < this.#loops.length;
      case "call":
        return e.args.every((x) => this.#isOutside(x));
      case "cast":
        return this.#isOutside(e.arg);
      case "load":
      case "broadcast":
      case "reduce":
        return false;
      default:
        return true;
    }
  }

  /** Undefined for what is no sum of stable parts. */
  #sumOf(e: Expr): Sum | undefined {
    if (e.kind === "lit") return { constant: e.value, terms: new Map() };
    if (e.kind === "ref") {
      const known = this.#names.get(e.name);
      if (known?.value && known.depth === this.#loops.length) return this.#sumOf(known.value);
    }
    if (e.kind === "call" && e.fn === "add") return added(...e.args.map((x) => this.#sumOf(x)));
    if (e.kind === "call" && e.fn === "mul") {
      const [of, by] = e.args as [Expr, Expr];
      if (by.kind === "lit") return times(this.#sumOf(of), by.value);
    }
    if (!isStable(e)) return undefined;
    return { constant: 0, terms: new Map([[keyOf(e), { atom: e, factor: 1 }]]) };
  }
}

function added(a?: Sum, b?: Sum): Sum | undefined {
  if (!a || !b) return undefined;
  const terms = new Map(a.terms);
  for (const [key, { atom, factor }] of b.terms)
    terms.set(key, { atom, factor: factor + (terms.get(key)?.factor ?? 0) });
  return { constant: a.constant + b.constant, terms };
}

const times = (a: Sum | undefined, by: number): Sum | undefined =>
  a && {
    constant: a.constant * by,
    terms: new Map(
      Array.from(a.terms, ([key, { atom, factor }]) => [key, { atom, factor: factor * by }]),
    ),
  };
