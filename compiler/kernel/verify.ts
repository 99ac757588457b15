/**
 * Checks that a kernel is what `ir.ts` promises of kernels. It runs after each pass that makes or
 * changes one, where it is asked for: the first finding names the pass that broke the kernel.
 *
 * What depends on the values in memory (races, reads of what was never written, most bounds of global
 * memory) is for the reference device to find.
 */
import { bug } from "../../diagnostics/index.ts";
import type { Pausing } from "../turns.ts";
import { type Buffer, type Expr, type Kernel, type Scalar, type Stmt, widened } from "./ir.ts";
import { showStatement } from "./pseudo-text.ts";
import { Ranges } from "./ranges.ts";
import { common, reach, type Sharers, sharersOf } from "./uniformity.ts";
import { checkCopy, FragmentRules } from "./verify-fragments.ts";
import { checkHead } from "./verify-head.ts";
import { checkIndex, checkType, type Fail } from "./verify-types.ts";

/** What makes kernels and changes them, in this order. */
export type KernelPass = "building" | "vectorising" | "lowering" | "unpacking";

let isAsked = false;

/** Has every kernel verified that is made from here on. */
export function verifyAlways(): void {
  isAsked = true;
}

/** Has the kernels verified that `work` makes, but none that others make while it pauses. */
export function* verifying<T>(work: Pausing<T>): Pausing<T> {
  for (;;) {
    const { done, value } = asking(true, () => work.next());
    if (done) return value;
    yield;
  }
}

/** Leaves the kernels alone that `work` makes: broken ones, to see who else objects. */
export const unverified = <T>(work: () => T): T => asking(false, work);

function asking<T>(asked: boolean, work: () => T): T {
  const before = isAsked;
  isAsked = asked;
  try {
    return work();
  } finally {
    isAsked = before;
  }
}

/** Returns what a pass made, checked where that is asked for. */
export function verified(pass: KernelPass, kernel: Kernel): Kernel {
  if (isAsked) verify(pass, kernel);
  return kernel;
}

/** Throws E900 for the first thing that is wrong: the pass, the kernel, and the statement. */
export function verify(pass: KernelPass, kernel: Kernel): void {
  const verifier = new Verifier(pass, kernel);
  verifier.head();
  verifier.block(kernel.body, "workgroup");
  verifier.end();
}

interface Name {
  readonly type: Scalar;
  readonly kind: "let" | "var" | "for";
}

class Verifier {
  readonly #pass: KernelPass;
  readonly #kernel: Kernel;
  readonly #ranges: Ranges;
  readonly #sharersOf: (e: Expr) => Sharers;
  readonly #fragments: FragmentRules;
  readonly #buffers: ReadonlySet<Buffer>;
  /** Every name that was declared so far, buffers' and fragments' included. */
  readonly #declared: Set<string>;
  /** Those of the blocks around the statement that is looked at. */
  readonly #inScope = new Map<string, Name>();
  readonly #stored = new Set<Buffer>();
  #at: Stmt | undefined;
  /** The threads that get to the statement that is looked at together. */
  #together: Sharers = "workgroup";

  constructor(pass: KernelPass, kernel: Kernel) {
    this.#pass = pass;
    this.#kernel = kernel;
    this.#ranges = new Ranges(kernel);
    this.#sharersOf = sharersOf(kernel);
    this.#fragments = new FragmentRules(kernel, this.#ranges, this.#fail);
    const buffers = [...kernel.params, ...kernel.scratch];
    this.#buffers = new Set(buffers);
    this.#declared = new Set([...buffers, ...kernel.fragments].map((one) => one.name));
  }

  readonly #fail: Fail = (message) => {
    const text = this.#at && showStatement(this.#at);
    const { name } = this.#kernel;
    return bug(`after ${this.#pass}, kernel ${name}: ${message}`, text && shortened(text));
  };

  head(): void {
    checkHead(this.#kernel, this.#fail);
  }

  end(): void {
    this.#at = undefined;
    for (const b of this.#kernel.params)
      if (b.writable && !this.#stored.has(b)) this.#fail(`${b.name} is never written`);
  }

  block(body: readonly Stmt[], together: Sharers): void {
    const outside = [...this.#inScope.keys()];
    const [at, before] = [this.#at, this.#together];
    for (const s of body) {
      this.#at = s;
      this.#together = together;
      this.#statement(s);
      this.#ranges.declare(s);
    }
    [this.#at, this.#together] = [at, before];
    for (const name of [...this.#inScope.keys()].slice(outside.length)) this.#inScope.delete(name);
  }

  #statement(s: Stmt): void {
    switch (s.kind) {
      case "let":
      case "var":
        this.#expression(s.value);
        this.#declare(s.name, { type: s.value.type, kind: s.kind });
        return;
      case "set":
        this.#expression(s.value);
        this.#set(s.name, s.value.type);
        return;
      case "store":
        this.#expression(s.index);
        this.#expression(s.value);
        this.#store(s.to, s.index, [s.value]);
        return;
      case "load4":
        this.#load4(s);
        return;
      case "store4":
        this.#expression(s.index);
        for (const value of s.values) this.#expression(value);
        this.#store(s.to, s.index, s.values);
        return;
      case "for":
        if (!Number.isInteger(s.count) || s.count < 1) this.#fail(`a loop counts to ${s.count}`);
        this.#ranges.declare(s);
        this.#declare(s.name, { type: "u32", kind: "for" });
        this.block(s.body, this.#together);
        this.#inScope.delete(s.name);
        return;
      case "if":
        this.#expression(s.cond);
        if (s.cond.type !== "bool") this.#fail(`a condition is ${s.cond.type}`);
        this.#ranges.within(s.cond, () =>
          this.block(s.body, common(this.#together, this.#sharersOf(s.cond))),
        );
        return;
      case "barrier":
        this.#gather("workgroup", "a barrier");
        return;
      case "fragment-load":
      case "fragment-store":
        this.#expression(s.index);
        this.#gather("subgroup", "a fragment", s.index);
        this.#fragments.check(s);
        if (s.kind === "fragment-store") this.#stored.add(s.to);
        else this.#read(s.from);
        return;
      case "fragment-zero":
      case "fragment-multiply":
        this.#gather("subgroup", "a fragment");
        this.#fragments.check(s);
        return;
      case "fragment-elements":
        this.#fragments.check(s);
        for (const name of s.names) this.#declare(name, { type: "f32", kind: "let" });
        return;
      case "copy":
        for (const e of [s.index, s.at, s.when]) this.#expression(e);
        checkCopy(s, this.#kernel, this.#ranges, this.#fail);
        this.#stored.add(s.to);
        return;
      case "copy-group":
      case "copy-wait":
        return;
    }
  }

  #expression(e: Expr): void {
    switch (e.kind) {
      case "lit":
        break;
      case "ref":
        this.#reference(e);
        break;
      case "id":
      case "lane":
        this.#id(e);
        break;
      case "broadcast":
        this.#expression(e.arg);
        this.#gather("subgroup", "a broadcast");
        if (!(e.lane >= 0 && e.lane < this.#kernel.subgroup))
          this.#fail(`there is no lane ${e.lane} in subgroups of ${this.#kernel.subgroup}`);
        break;
      case "shuffle":
        this.#expression(e.arg);
        this.#gather("subgroup", "a shuffle");
        if (!(e.mask > 0 && e.mask < this.#kernel.subgroup))
          this.#fail(`no lane is ${e.mask} apart in subgroups of ${this.#kernel.subgroup}`);
        break;
      case "reduce":
        this.#expression(e.arg);
        this.#gather("subgroup", "a reduction");
        if (!this.#kernel.reduces) this.#fail("a kernel that does not reduce has a reduction");
        break;
      case "call":
        for (const x of e.args) this.#expression(x);
        if ((e.fn === "shl" || e.fn === "shr") && !(this.#ranges.bound(e.args[1]!) < 32))
          this.#fail(`${e.fn} by what may be more than 31`);
        break;
      case "cast":
        this.#expression(e.arg);
        break;
      case "load":
        this.#expression(e.index);
        this.#load(e.from, e.index);
        break;
    }
    checkType(e, this.#fail);
  }

  #declare(name: string, as: Name): void {
    if (this.#declared.has(name)) this.#fail(`${name} is declared twice`);
    this.#declared.add(name);
    this.#inScope.set(name, as);
  }

  #reference({ name, type, mutable }: Extract<Expr, { kind: "ref" }>): void {
    const found = this.#inScope.get(name);
    if (!found) {
      const is = this.#declared.has(name) ? "out of scope" : "not declared before";
      this.#fail(`${name} is read, but ${is}`);
    }
    if (found.type !== type) this.#fail(`${name} is ${found.type}, but read as ${type}`);
    if (mutable !== (found.kind === "var"))
      this.#fail(`${name} is read as ${mutable ? "a var" : "constant"}, but it is not`);
  }

  #set(name: string, type: Scalar): void {
    const found = this.#inScope.get(name);
    if (found?.kind !== "var") this.#fail(`${name} is set, but is no var in scope`);
    if (found.type !== type) this.#fail(`${name} is ${found.type}, but set to ${type}`);
  }

  #id(e: Extract<Expr, { kind: "id" | "lane" }>): void {
    const { subgroup, reduces, fragments } = this.#kernel;
    if (e.kind === "lane") {
      if (subgroup === 0) this.#fail("a lane of subgroups of no known width");
    } else if (e.of !== "group" && e.of !== "thread") {
      if (e.axis !== 0) this.#fail(`${e.of} along axis ${e.axis}`);
      if (!reduces && !(e.of === "subgroup" && (subgroup > 0 || fragments.length > 0)))
        this.#fail(`${e.of} in a kernel that does not reduce`);
    }
  }

  /** What threads do together stands where all of them get, with an index that they share. */
  #gather(all: Sharers, what: string, index?: Expr): void {
    if (!reach(this.#together, all))
      this.#fail(`${what} where not all threads of the ${all} get together`);
    if (index && !reach(this.#sharersOf(index), all))
      this.#fail(`${what} at an index that the threads of the ${all} do not share`);
  }

  #load(from: Buffer, index: Expr): void {
    this.#use(from);
    if (this.#kernel.vectors.has(from)) this.#fail(`${from.name} is accessed in groups alone`);
    if (from.space === "shared" && widened(from.scalar) !== from.scalar)
      this.#fail(`${from.name} holds operands of fragments, but an element is read`);
    this.#read(from);
    this.#inside(from, this.#ranges.bound(index), index);
  }

  #load4({ from, index, names }: Extract<Stmt, { kind: "load4" }>): void {
    this.#expression(index);
    checkIndex(index, this.#fail);
    this.#use(from);
    const count = names.length;
    if (this.#kernel.vectors.get(from) !== count)
      this.#fail(`${from.name} is not declared to be accessed in groups of ${count}`);
    this.#read(from);
    this.#aligned(from, index);
    this.#inside(from, count * this.#ranges.bound(index) + count - 1, index);
    for (const name of names) this.#declare(name, { type: widened(from.scalar), kind: "let" });
  }

  /** One value, or four neighbours. */
  #store(to: Buffer, index: Expr, values: readonly Expr[]): void {
    this.#use(to);
    checkIndex(index, this.#fail);
    if (!to.writable) this.#fail(`${to.name} is read only, but stored to`);
    const count = values.length;
    // Only vectorising decides which tensors are accessed in groups.
    const isOpen = this.#pass === "building" && to.space === "global";
    if ((this.#kernel.vectors.get(to) ?? 1) !== count && !isOpen)
      this.#fail(`${to.name} is not declared to be accessed in groups of ${count}`);
    if (count > 1) this.#aligned(to, index);
    for (const { type } of values)
      if (type !== widened(to.scalar))
        this.#fail(`${type} is stored to ${to.name}, which holds ${to.scalar}`);
    this.#stored.add(to);
    this.#inside(to, count * this.#ranges.bound(index) + count - 1, index);
  }

  /** An index counts groups; where it is a quotient of a place, nothing was cut off. */
  #aligned(b: Buffer, index: Expr): void {
    if (b.space !== "global" || index.kind !== "call" || index.fn !== "div") return;
    const [first, by] = index.args;
    if (by?.kind === "lit" && by.value % 4 === 0 && this.#ranges.divisor(first!) % 4 !== 0)
      this.#fail(`a group of ${b.name}, not from a multiple of four`);
  }

  #use(b: Buffer): void {
    if (!this.#buffers.has(b)) this.#fail(`${b.name} is no buffer of the kernel`);
  }

  #read(from: Buffer): void {
    if (from.space !== "global" && !this.#stored.has(from))
      this.#fail(`${from.name} is read before it is written`);
  }

  /** Of memory of the workgroup it is known that indices are inside. */
  #inside(b: Buffer, last: number, index: Expr): void {
    const must = b.space === "shared" || index.kind === "lit";
    if (must && last >= b.size)
      this.#fail(`an index of ${b.name} can be ${last}, beyond its ${b.size} elements`);
  }
}

/** Of a loop or a branch the first line. */
const shortened = (text: string): string =>
  text.includes("\n") ? `${text.split("\n")[0]} ...` : text;
