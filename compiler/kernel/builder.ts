/**
 * Builds kernels. TypeScript is the macro language: a `for` in TypeScript unrolls, `k.for` does not.
 */
import { bug } from "../../diagnostics/index.ts";
import type { Buffer, Expr, Kernel, Scalar, Stmt } from "./ir.ts";
import { index, literal, type Operand, same, Value } from "./value.ts";

export interface Variable {
  /** Reads the variable where the expression is used. */
  readonly get: Value;
  set(v: Value): void;
}

export class Builder {
  readonly params: Buffer[] = [];
  readonly scratch: Buffer[] = [];
  #block: Stmt[] = [];
  /** Named values still in scope, innermost block last: what `let` may reuse. */
  #named: { value: Value; ref: Value }[][] = [[]];
  readonly #counts = new Map<string, number>();

  group(axis: 0 | 1 | 2, extent?: number): Value {
    return extent === 1
      ? index(0)
      : new Value({ kind: "id", type: "u32", of: "group", axis }, extent && extent - 1);
  }

  thread(axis: 0 | 1 | 2, extent?: number): Value {
    return extent === 1
      ? index(0)
      : new Value({ kind: "id", type: "u32", of: "thread", axis }, extent && extent - 1);
  }

  /** A buffer in global memory. */
  param(name: string, scalar: Scalar, size: number, access: "read" | "write"): Buffer {
    return this.#buffer(this.params, name, "global", scalar, size, access === "write");
  }
  /** Memory of the workgroup: written before it is read, with a barrier between. */
  shared(name: string, size: number, scalar: Scalar = "f32"): Buffer {
    return this.#buffer(this.scratch, name, "shared", scalar, size, true);
  }
  /** An array of the thread's own. */
  local(name: string, size: number, scalar: Scalar = "f32"): Buffer {
    return this.#buffer(this.scratch, name, "local", scalar, size, true);
  }

  load(from: Buffer, at: Operand): Value {
    const i = typeof at === "number" ? index(at) : at;
    return new Value({ kind: "load", type: from.scalar, from, index: i.expr });
  }

  store(to: Buffer, at: Operand, v: Value): void {
    if (v.type !== to.scalar) bug(`a ${v.type} is stored to ${to.name}, which holds ${to.scalar}`);
    const i = typeof at === "number" ? index(at) : at;
    this.#block.push({ kind: "store", to, index: i.expr, value: v.expr });
  }

  /** Names a value, so that it is computed once. An equal pure value in scope is reused. */
  let(hint: string, v: Value): Value {
    if (v.expr.kind === "lit" || (v.expr.kind === "ref" && !v.expr.mutable)) return v;
    if (v.expr.kind === "id") return v;
    if (isStable(v.expr)) {
      for (const scope of this.#named)
        for (const entry of scope) if (equal(entry.value.expr, v.expr)) return entry.ref;
    }
    const name = this.#name(hint);
    this.#block.push({ kind: "let", name, value: v.expr });
    const ref = new Value({ kind: "ref", type: v.type, name, mutable: false }, v.bound);
    if (isStable(v.expr)) this.#named.at(-1)!.push({ value: v, ref });
    return ref;
  }

  var(hint: string, init: Value): Variable {
    const name = this.#name(hint);
    this.#block.push({ kind: "var", name, value: init.expr });
    const get = new Value({ kind: "ref", type: init.type, name, mutable: true });
    return { get, set: (v) => void this.#block.push({ kind: "set", name, value: v.expr }) };
  }

  for(hint: string, count: number, body: (i: Value) => void): void {
    if (count === 1) {
      body(index(0));
      return;
    }
    const name = this.#name(hint);
    const i = new Value({ kind: "ref", type: "u32", name, mutable: false }, count - 1);
    const inner = this.#nested(() => body(i));
    if (count > 0) this.#block.push({ kind: "for", name, count, body: inner });
  }

  if(cond: Value, body: () => void): void {
    if (cond.expr.kind === "lit") {
      if (cond.expr.value) body();
      return;
    }
    this.#block.push({ kind: "if", cond: cond.expr, body: this.#nested(body) });
  }

  barrier(): void {
    this.#block.push({ kind: "barrier" });
  }

  finish(name: string, threads: Kernel["threads"], groups: Kernel["groups"]): Kernel {
    return {
      name,
      params: this.params,
      scratch: this.scratch,
      threads,
      groups,
      body: this.#block,
    };
  }

  #buffer(
    into: Buffer[],
    hint: string,
    space: Buffer["space"],
    scalar: Scalar,
    size: number,
    writable: boolean,
  ): Buffer {
    const b: Buffer = { name: this.#name(hint), space, scalar, size, writable };
    into.push(b);
    return b;
  }

  #name(hint: string): string {
    let n = this.#counts.get(hint) ?? 0;
    while (n > 0 && this.#counts.has(`${hint}_${n}`)) n++;
    this.#counts.set(hint, n + 1);
    const name = n === 0 ? hint : `${hint}_${n}`;
    if (n > 0) this.#counts.set(name, 1);
    return name;
  }

  #nested(body: () => void): Stmt[] {
    const outer = this.#block;
    const inner: Stmt[] = [];
    this.#block = inner;
    this.#named.push([]);
    body();
    this.#named.pop();
    this.#block = outer;
    return inner;
  }
}

/** A condition that always holds; `and` with it folds away. */
export const always: Value = literal(1, "bool");

/** True where an expression has one value wherever in its scope it is read. */
function isStable(e: Expr): boolean {
  switch (e.kind) {
    case "lit":
    case "id":
      return true;
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

/** Like `same`, and two loads of one place in read-only memory are equal too. */
function equal(a: Expr, b: Expr): boolean {
  if (a.kind === "load" && b.kind === "load") return a.from === b.from && equal(a.index, b.index);
  if (a.kind === "call" && b.kind === "call")
    return a.fn === b.fn && a.type === b.type && a.args.length === b.args.length
      ? a.args.every((x, i) => equal(x, b.args[i]!))
      : false;
  if (a.kind === "cast" && b.kind === "cast") return a.type === b.type && equal(a.arg, b.arg);
  return same(a, b);
}
