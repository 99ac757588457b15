/**
 * Builds kernels. TypeScript is the macro language: a `for` in TypeScript unrolls, `k.for` does not.
 *
 * Named values are shared and placed as far out as they can stand: index arithmetic written inside
 * a loop is computed before it, so ports and kernels are written where they are used.
 */
import { bug } from "../../diagnostics/index.ts";
import { Collectives } from "./collectives.ts";
import { depthOf } from "./depth.ts";
import {
  type Buffer,
  type Element,
  type Expr,
  type Fold,
  type Id,
  type Kernel,
  type Scalar,
  type Stmt,
  widened,
} from "./ir.ts";
import { isStable, keyOf } from "./keys.ts";
import { type Neighbours, neighboursIn, storedTogether } from "./neighbours.ts";
import { withoutUnused } from "./unused.ts";
import { fromSum, index, literal, type Operand, sumOf, Value } from "./value.ts";
import { type Aligned, laneOf, vectorise } from "./vectorise.ts";
import { verified } from "./verify.ts";

export interface Variable {
  /** Reads the variable where the expression is used. */
  readonly get: Value;
  set(v: Value): void;
}

type Axis = 0 | 1 | 2;

const numberOf = (of: Id, axis: Axis, extent?: number): Value =>
  extent === 1 ? index(0) : new Value({ kind: "id", type: "u32", of, axis }, extent && extent - 1);

/** A block under construction. */
interface Scope {
  readonly kind: "kernel" | "for" | "if";
  readonly block: Stmt[];
  /** Values named in this block, by what they compute. */
  readonly named: Map<string, Value>;
  /** What `once` made in this block, by what it is of and where. */
  readonly made: Map<object, Map<string, Value>>;
}

export class Builder extends Collectives {
  readonly params: Buffer[] = [];
  readonly scratch: Buffer[] = [];
  readonly #scopes: Scope[] = [{ kind: "kernel", block: [], named: new Map(), made: new Map() }];
  /** How deep each name was declared: 0 is the kernel itself. */
  readonly #depths = new Map<string, number>();
  readonly #counts = new Map<string, number>();
  readonly #aligned = new Map<Expr, Aligned>();
  readonly #fours = new Set<Buffer>();
  /** The indices of loads and stores of global memory. */
  readonly #wholes = new Map<Expr, Value>();
  readonly #stores = new Map<Stmt, Value>();
  #subgroup = 0;
  #reduces = false;
  readonly #rolled: boolean;

  /** `rolled` keeps drivers from unrolling loops (`Profile.rolled`). */
  constructor(options: { readonly rolled: boolean } = { rolled: false }) {
    super();
    this.#rolled = options.rolled;
  }

  group = (axis: Axis, extent?: number): Value => numberOf("group", axis, extent);
  thread = (axis: Axis, extent?: number): Value => numberOf("thread", axis, extent);

  /** The thread's number within its subgroup of `width` threads, of which the workgroup has whole ones. */
  lane(width: number): Value {
    this.#subgroup = width;
    return new Value({ kind: "lane", type: "u32" }, width - 1);
  }

  /** The value that `lane` has, in every lane. */
  broadcast = (v: Value, lane: number): Value =>
    new Value({ kind: "broadcast", type: v.type, arg: v.expr, lane });

  /** The value of the lane whose number differs in the bits of `mask`: all lanes must get here together. */
  shuffle = (v: Value, mask: number): Value =>
    new Value({ kind: "shuffle", type: v.type, arg: v.expr, mask });

  /** The number of the thread's subgroup, below `extent` if the widths of subgroups are known. */
  subgroup = (extent?: number): Value => numberOf("subgroup", 0, extent);

  /** How many subgroups the workgroup has: as many as it has threads, at most. */
  subgroups(): Value {
    return this.#census("subgroups");
  }

  /** The thread's number among the `members` of its subgroup, from 0. */
  member(): Value {
    return this.#census("member");
  }

  /** How many threads of the workgroup make the thread's subgroup: fewer than its width, maybe. */
  members(): Value {
    return this.#census("members");
  }

  /** What the threads of a subgroup have, combined in all of them: all must get here together. */
  reduce(fold: Fold, v: Value): Value {
    if (v.type === "bool") bug(`${fold} of booleans`);
    this.#reduces = true;
    return new Value({ kind: "reduce", type: v.type, fold, arg: v.expr });
  }

  /** A buffer in global memory. */
  param(name: string, scalar: Element, size: number, access: "read" | "write"): Buffer {
    return this.#buffer(this.params, name, "global", scalar, size, access === "write");
  }
  /** Memory of the workgroup: written before it is read, with a barrier between. */
  shared(name: string, size: number, scalar: Element = "f32"): Buffer {
    return this.#buffer(this.scratch, name, "shared", scalar, size, true);
  }
  /** Memory of the workgroup in groups of four: touched by `load4` and `store4`, and loaded as fragments, alone. */
  sharedFours(name: string, size: number, scalar: Element = "f32"): Buffer {
    const buffer = this.shared(name, size, scalar);
    this.#fours.add(buffer);
    return buffer;
  }
  /** An array of the thread's own. */
  local(name: string, size: number, scalar: Scalar = "f32"): Buffer {
    return this.#buffer(this.scratch, name, "local", scalar, size, true);
  }

  load(from: Buffer, at: Operand): Value {
    const whole = typeof at === "number" ? index(at) : at;
    const isReadOnly = from.space === "global" && !from.writable;
    const i = isReadOnly ? this.#spread(whole) : whole;
    const expr: Expr = { kind: "load", type: widened(from.scalar), from, index: i.expr };
    if (isReadOnly) this.#noteAlignment(expr, whole, i);
    if (isReadOnly) this.#wholes.set(expr, i);
    return new Value(expr);
  }

  store(to: Buffer, at: Operand, v: Value): void {
    this.#checkStored(to, v);
    const i = typeof at === "number" ? index(at) : at;
    const stmt: Stmt = { kind: "store", to, index: i.expr, value: v.expr };
    if (to.space === "global") this.#stores.set(stmt, i);
    this.emit(stmt);
  }

  /**
   * Stores to a tensor's elements from `at` to `at + 3`: at once where `at` is a multiple of four for
   * certain and the kernel accesses the tensor in no other way.
   */
  storeWide(to: Buffer, at: Operand, values: readonly Value[]): void {
    if (values.length !== 4) bug(`${values.length} values are stored to ${to.name} as four`);
    const i = typeof at === "number" ? index(at) : at;
    const isWhole = to.space === "global" && widened(to.scalar) === to.scalar;
    if (isWhole && laneOf(i) === 0) {
      for (const v of values) this.#checkStored(to, v);
      const four = values.map((v) => v.expr) as [Expr, Expr, Expr, Expr];
      this.emit({ kind: "store4", to, index: i.div(4).expr, values: four });
    } else for (const [j, v] of values.entries()) this.store(to, i.add(j), v);
  }

  /** The elements 4 * at to 4 * at + 3 of a buffer made by `sharedFours`. */
  load4(from: Buffer, at: Operand): Value[] {
    if (!this.#fours.has(from)) bug(`${from.name} is not read in groups of four`);
    const names = [0, 1, 2, 3].map(() => this.declared(from.name));
    const i = typeof at === "number" ? index(at) : at;
    this.emit({ kind: "load4", names, from, index: i.expr });
    const type = widened(from.scalar);
    return names.map((name) => new Value({ kind: "ref", type, name, mutable: false }));
  }

  store4(to: Buffer, at: Operand, values: readonly Value[]): void {
    if (!this.#fours.has(to)) bug(`${to.name} is not written in groups of four`);
    if (values.length !== 4) bug(`${values.length} values are stored to ${to.name} as four`);
    const i = typeof at === "number" ? index(at) : at;
    const four = values.map((v) => v.expr) as [Expr, Expr, Expr, Expr];
    this.emit({ kind: "store4", to, index: i.expr, values: four });
  }

  /**
   * Names a value, so that it is computed once. An equal value in scope is reused. Values that do
   * not change are computed in the outermost block that knows what they need; loads stay inside
   * the innermost `if`, which may guard them.
   */
  let(hint: string, v: Value): Value {
    const { kind } = v.expr;
    if (kind === "lit" || kind === "id" || kind === "lane" || (kind === "ref" && !v.expr.mutable))
      return v;
    const stable = isStable(v.expr);
    const key = stable ? keyOf(v.expr) : "";
    if (stable)
      for (const scope of this.#scopes) {
        const known = scope.named.get(key);
        // It may have been named where a guard bounds it more than it is bounded here.
        const isLess = known && known.bound < v.bound;
        if (known) return isLess ? new Value(known.expr, v.bound, undefined, v.divisor) : known;
      }
    const name = this.#name(hint);
    const depth = stable ? this.#placeOf(v.expr) : this.#scopes.length - 1;
    const scope = this.#scopes[depth]!;
    scope.block.push({ kind: "let", name, value: v.expr });
    this.#depths.set(name, depth);
    const expr: Expr = { kind: "ref", type: v.type, name, mutable: false };
    const ref = new Value(expr, v.bound, undefined, v.divisor);
    if (stable) scope.named.set(key, ref);
    return ref;
  }

  /** Memoises `make()` per (object, coordinates) in this block and nested ones. */
  once(of: object, at: readonly Value[], make: () => Value): Value {
    if (!at.every((v) => isStable(v.expr))) return make();
    const key = at.map((v) => keyOf(v.expr)).join();
    for (const scope of this.#scopes) {
      const known = scope.made.get(of)?.get(key);
      if (known) return known;
    }
    const value = make();
    const { made } = this.#scopes.at(-1)!;
    made.set(of, (made.get(of) ?? new Map<string, Value>()).set(key, value));
    return value;
  }

  var(hint: string, init: Value): Variable {
    const name = this.#name(hint);
    this.emit({ kind: "var", name, value: init.expr });
    const get = new Value({ kind: "ref", type: init.type, name, mutable: true });
    return { get, set: (v) => this.emit({ kind: "set", name, value: v.expr }) };
  }

  for(hint: string, count: number, body: (i: Value) => void): void {
    if (count === 1) {
      body(index(0));
      return;
    }
    const { name, body: inner } = this.within(hint, count, body);
    if (count > 0) this.emit({ kind: "for", name, count, rolled: this.#rolled, body: inner });
  }

  /** What `for` has in its loop, which is not written: of the body, all that cannot stand before it. */
  within(hint: string, count: number, body: (i: Value) => void) {
    const name = this.#name(hint);
    this.#depths.set(name, this.#scopes.length);
    const i = new Value({ kind: "ref", type: "u32", name, mutable: false }, count - 1);
    return { name, body: this.#nested("for", () => body(i)) };
  }

  if(cond: Value, body: () => void): void {
    if (cond.expr.kind === "lit") {
      if (cond.expr.value) body();
      return;
    }
    const inner = this.#nested("if", body);
    if (inner.length > 0) this.emit({ kind: "if", cond: cond.expr, body: inner });
  }

  barrier = (): void => this.emit({ kind: "barrier" });

  finish(name: string, threads: Kernel["threads"], groups: Kernel["groups"]): Kernel {
    const { params, scratch } = this;
    const reduces = this.#reduces;
    const subgroup = this.#subgroup;
    const { fragments, product } = this;
    const matrices = fragments.length > 0 ? { matrices: product! } : {};
    const built = verified("building", {
      ...{ name, params, vectors: inFours(this.#fours), scratch, subgroup, reduces, fragments },
      ...{ ...matrices, threads, groups, body: this.#scopes[0]!.block },
    });
    const { body, vectors } = vectorise(built.body, this.#aligned);
    const all = inFours([...vectors, ...this.#fours]);
    return verified("vectorising", withoutUnused({ ...built, vectors: all, body }));
  }

  #census(of: "subgroups" | "member" | "members"): Value {
    this.#reduces = true;
    return numberOf(of, 0);
  }

  #checkStored(to: Buffer, v: Value): void {
    if (v.type !== widened(to.scalar))
      bug(`a ${v.type} is stored to ${to.name}, which holds ${to.scalar}`);
  }

  protected emit(stmt: Stmt): void {
    this.#scopes.at(-1)!.block.push(stmt);
  }

  /** The outermost block in which an expression can be computed. */
  #placeOf(e: Expr): number {
    const guard = this.#scopes.findLastIndex((s) => s.kind === "if");
    return depthOf(e, this.#depths, guard);
  }

  /** Splits an index into parts by the block that can compute them, and names each part. */
  #spread(whole: Value): Value {
    const { constant, terms } = sumOf(whole);
    if (terms.length === 0) return whole;
    const here = this.#scopes.length - 1;
    const placed = terms.map(({ factor, atom }) => {
      const named = this.let("i", atom);
      return { factor, atom: named, depth: this.#placeOf(named.expr) };
    });
    let sum: Value = index(0);
    for (const depth of [...new Set(placed.map((t) => t.depth))].sort((a, b) => a - b)) {
      const part = fromSum({ constant: 0, terms: placed.filter((t) => t.depth === depth) });
      sum = depth < here ? this.let("i", sum.add(part)) : sum.add(part);
    }
    return sum.add(constant);
  }

  #noteAlignment(load: Expr, whole: Value, spread: Value): void {
    const lane = laneOf(whole);
    if (lane === undefined) return;
    const { constant } = sumOf(whole);
    const base = spread.sub(constant);
    this.#aligned.set(load, {
      key: `${keyOf(base.expr)}+${constant - lane}`,
      lane,
      index: base.add(constant - lane).expr,
    });
  }

  #buffer(
    into: Buffer[],
    hint: string,
    space: Buffer["space"],
    scalar: Element,
    size: number,
    writable: boolean,
  ): Buffer {
    const b: Buffer = { name: this.#name(hint), space, scalar, size, writable };
    into.push(b);
    return b;
  }

  /** The name of what is declared in this block, and is not computed elsewhere. */
  protected declared(hint: string): string {
    const name = this.#name(hint);
    this.#depths.set(name, this.#scopes.length - 1);
    return name;
  }

  protected named = (hint: string): string => this.#name(hint);

  /**
   * Where memory has what `make` reads, if that is nothing but `count` neighbours from a multiple of `count` on of a
   * tensor that is only read; undefined otherwise. Nothing is written.
   */
  neighbours(count: number, make: () => readonly Value[]): Neighbours | undefined {
    let values: readonly Value[] = [];
    const body = this.#nested("if", () => {
      values = make();
    });
    return neighboursIn(body, values, this.#wholes, count);
  }

  /** Stores of four neighbours that `work` makes one after the other are made at once. */
  together(work: () => void): void {
    const block = this.#scopes.at(-1)!.block;
    const before = block.length;
    work();
    const made = block.splice(before);
    block.push(...storedTogether(made, this.#stores));
  }

  #name(hint: string): string {
    let n = this.#counts.get(hint) ?? 0;
    while (n > 0 && this.#counts.has(`${hint}_${n}`)) n++;
    this.#counts.set(hint, n + 1);
    const name = n === 0 ? hint : `${hint}_${n}`;
    if (n > 0) this.#counts.set(name, 1);
    return name;
  }

  #nested(kind: Scope["kind"], body: () => void): Stmt[] {
    const inner: Scope = { kind, block: [], named: new Map(), made: new Map() };
    this.#scopes.push(inner);
    body();
    this.#scopes.pop();
    return inner.block;
  }
}

const inFours = (all: Iterable<Buffer>): Kernel["vectors"] =>
  new Map(Array.from(all, (b) => [b, 4]));

/** A condition that always holds; `and` with it folds away. */
export const always: Value = literal(1, "bool");
