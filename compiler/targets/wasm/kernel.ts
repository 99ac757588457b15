/** A kernel as one function: over workgroups, in each over vectors of threads, and statements inside. */
import { bug } from "../../../diagnostics/index.ts";
import { usedAsVectors } from "../../kernel/held.ts";
import type { Buffer, Expr, Kernel, Scalar, Stmt } from "../../kernel/ir.ts";
import { widened } from "../../kernel/ir.ts";
import { hasBarrier, keptNames, runsOf } from "../../kernel/regions.ts";
import { type Shapes, shapesOf } from "../../kernel/shapes.ts";
import { store } from "./accesses.ts";
import { Code, type Local } from "./code.ts";
import { scalar, type Threads, vector } from "./expressions.ts";
import { isScalarGroup, loadFour, storeFour } from "./fours.ts";
import { blockTypes, type ValueType } from "./instructions.ts";
import { memoryTypeOf, ownShift } from "./memory-types.ts";
import { moduleBytes } from "./module.ts";
import { Pointers } from "./pointers.ts";
import { Place } from "./threads.ts";
import { type Base, type Held, lanes, typeOf, type Writer } from "./writer.ts";

/** Behind the kernel's buffers: scratch memory, the workgroups from `first` to before `end`, how they lie. */
const own = ["scratch", "first", "end", "columns", "rows"] as const;

export function printModule(kernel: Kernel): Uint8Array {
  return new KernelWriter(kernel).module();
}

type For = Extract<Stmt, { kind: "for" }>;

interface Name {
  readonly held: Held;
  readonly scalar: Scalar;
}

class KernelWriter implements Writer, Threads {
  readonly code: Code;
  readonly shapes: Shapes;
  mask: Local | undefined;
  readonly pointers: Pointers;
  readonly #kernel: Kernel;
  readonly #threads: number;
  readonly #names = new Map<string, Name>();
  readonly #bases = new Map<Buffer, Base>();
  readonly #kept: ReadonlySet<string>;
  /** Of kept names. */
  readonly #places = new Map<string, Base>();
  readonly #asVectors: ReadonlySet<string>;
  readonly #at: Place;
  /** Where its own memory begins, before offsets. */
  readonly #memory: Local;
  #sharedBytes = 0;
  #ownBytes = 0;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.#threads = kernel.threads.reduce((a, b) => a * b);
    this.shapes = shapesOf(kernel, lanes);
    this.code = new Code(kernel.params.length + own.length, kernel.fma);
    this.pointers = new Pointers(this.code, (e) => this.scalar(e));
    this.#at = new Place(this.code, kernel);
    this.#memory = this.code.local("i32");
    const isOne = this.#threads <= lanes || !kernel.body.some(hasBarrier);
    this.#kept = isOne ? new Set() : keptNames(kernel);
    this.#asVectors = usedAsVectors(kernel, this.shapes);
    this.#place();
  }

  module(): Uint8Array {
    const { code } = this;
    const [first, end] = [this.#param("first"), this.#param("end")];
    code.get(first);
    code.get(end);
    code.op("i32.lt_u");
    const lie = [this.#param("columns"), this.#param("rows")] as const;
    code.when("nothing", () => {
      this.#at.begin(first, ...lie);
      code.op("loop", blockTypes.nothing);
      this.#workgroup();
      this.#at.next(...lie);
      code.get(first);
      code.i32(1);
      code.op("i32.add");
      code.tee(first);
      code.get(end);
      code.op("i32.lt_u");
      code.op("br_if", 0);
      code.op("end");
    });
    const vectors = Math.ceil(this.#threads / lanes);
    return moduleBytes({
      params: this.#kernel.params.length + own.length,
      locals: code.locals,
      code: code.whole(),
      scratchBytes: this.#sharedBytes + vectors * this.#ownBytes,
    });
  }

  scalar(e: Expr): void {
    scalar(this, this, e);
  }

  vector(e: Expr): void {
    vector(this, this, e);
  }

  baseOf(b: Buffer): Base {
    return this.#bases.get(b) ?? bug(`${b.name} is no buffer of the kernel`);
  }

  name(name: string, as: "scalar" | "vector"): void {
    const { code } = this;
    const { held, scalar } = this.#names.get(name) ?? bug(`${name} is not declared`);
    if (held.kind === "local") code.get(held.local);
    else {
      code.get(held.base.local);
      code.op(`${held.type}.load`, 2, held.base.offset);
    }
    if (as === "scalar") {
      if (held.type === "v128") code.op(`${typeOf(scalar)}x4.extract_lane`, 0);
      return;
    }
    if (held.type === "v128") return;
    if (scalar === "bool") {
      code.op("i32x4.splat");
      code.op("i32x4.neg");
      return;
    }
    code.op(`${held.type}x4.splat`);
    const shape = this.shapes.ofName(name);
    if (shape.kind !== "linear" || shape.by === 0) return;
    code.steps(shape.by);
    code.op("i32x4.add");
  }

  id(e: Extract<Expr, { kind: "id" | "lane" }>): void {
    this.#at.scalar(e);
  }

  idVector(e: Extract<Expr, { kind: "id" }>): void {
    this.#at.vector(e);
  }

  settle(e: Extract<Expr, { kind: "reduce" }>): void {
    const { code, mask } = this;
    if (mask === undefined) return;
    code.held("v128", (all) => {
      code.get(all);
      if (e.fold === "add") code.patterns(0);
      else {
        // The first thread is always at work.
        code.get(all);
        code.get(all);
        code.shuffle(0, 0, 0, 0);
      }
      code.get(mask);
      code.op("v128.bitselect");
    });
  }

  #param(name: (typeof own)[number]): Local {
    return this.#kernel.params.length + own.indexOf(name);
  }

  /** Says where buffers and kept names lie in memory. */
  #place(): void {
    const { params, scratch } = this.#kernel;
    for (const [local, b] of params.entries()) this.#bases.set(b, { local, offset: 0 });
    for (const b of scratch.filter(({ space }) => space === "shared")) {
      this.#bases.set(b, { local: this.#param("scratch"), offset: this.#sharedBytes });
      this.#sharedBytes += whole(b.size * 2 ** memoryTypeOf(b).shift);
    }
    for (const b of scratch.filter(({ space }) => space === "local"))
      this.#bases.set(b, this.#ownPlace(b.size * 2 ** (this.shapes.differs(b) ? ownShift : 2)));
    for (const name of this.#kept) this.#places.set(name, this.#ownPlace(16));
  }

  #ownPlace(bytes: number): Base {
    const base = { local: this.#memory, offset: this.#sharedBytes + this.#ownBytes };
    this.#ownBytes += whole(bytes);
    return base;
  }

  #workgroup(): void {
    const { body } = this.#kernel;
    if (this.#threads > lanes && body.some(hasBarrier)) this.#around(body);
    else this.#vectors(() => this.#block(body));
  }

  /** What stands around barriers: the first vector's values are those of all. */
  #around(body: readonly Stmt[]): void {
    const { code } = this;
    for (const run of runsOf(body)) {
      const [first] = run;
      if (!first || !hasBarrier(first)) this.#vectors(() => this.#block(run));
      else if (first.kind === "for")
        this.#counted(first, (local) =>
          code.loop(local, first.count, 1, () => this.#around(first.body)),
        );
      else if (first.kind === "if") {
        this.#enter(() => code.i32(0));
        this.scalar(first.cond);
        code.when("nothing", () => this.#around(first.body));
      }
    }
  }

  /** One vector of threads after another. */
  #vectors(body: () => void): void {
    const { code } = this;
    const threads = this.#threads;
    const each = () => {
      if (threads % lanes === 0 || threads === 1) {
        body();
        return;
      }
      this.#at.numbers();
      code.patterns(threads);
      code.op("i32x4.lt_u");
      code.held("v128", (mask) => this.#masked(mask, body));
    };
    if (threads <= lanes) {
      this.#enter(() => code.i32(0));
      each();
    } else
      code.loop(this.#at.thread, threads, lanes, () => {
        this.#enter(() => code.get(this.#at.thread));
        each();
      });
  }

  /** Sets a vector's number, and where its memory begins. */
  #enter(thread: () => void): void {
    const { code } = this;
    thread();
    code.tee(this.#at.thread);
    code.i32(this.#ownBytes / lanes);
    code.op("i32.mul");
    code.get(this.#param("scratch"));
    code.op("i32.add");
    code.set(this.#memory);
  }

  #masked(mask: Local, body: () => void): void {
    const before = this.mask;
    this.mask = mask;
    body();
    this.mask = before;
  }

  #block(body: readonly Stmt[]): void {
    const before = [...this.#names.keys()].length;
    for (const s of body) this.#statement(s);
    for (const [name, { held }] of [...this.#names].slice(before)) {
      if (held.kind === "memory") continue;
      this.code.release(held.type, held.local);
      this.#names.delete(name);
    }
  }

  #statement(s: Stmt): void {
    switch (s.kind) {
      case "let":
      case "var":
        this.#declare(s.name, s.value.type, () => this.#value(s.name, s.value));
        this.pointers.declare(s.name, s.kind === "let" ? s.value : undefined);
        return;
      case "set":
        this.#set(s.name, s.value);
        return;
      case "load4":
        loadFour(this, s, (j, put) => {
          const type = widened(s.from.scalar);
          this.#declare(s.names[j]!, type, () => this.#loaded(s, s.names[j]!, put));
          this.pointers.declare(s.names[j]!);
        });
        return;
      case "store":
        store(this, s.to, s.index, s.value);
        return;
      case "store4":
        storeFour(this, s);
        return;
      case "for":
        this.#loop(s);
        return;
      case "if":
        this.#branch(s.cond, () => this.#block(s.body));
        return;
      case "barrier":
        return;
      default:
        bug(`${s.kind} in WebAssembly`);
    }
  }

  #branch(cond: Expr, body: () => void): void {
    const { code, mask } = this;
    if (this.shapes.isSame(cond)) {
      this.scalar(cond);
      code.when("nothing", body);
      return;
    }
    this.vector(cond);
    if (mask !== undefined) {
      code.get(mask);
      code.op("v128.and");
    }
    code.held("v128", (inner) => {
      code.get(inner);
      code.op("v128.any_true");
      code.when("nothing", () => this.#masked(inner, body));
    });
  }

  #loop(s: For): void {
    const { code, pointers } = this;
    this.#counted(s, (local) =>
      pointers.loop(
        s.name,
        () => this.#block(s.body),
        (inside) => code.loop(local, s.count, 1, inside),
      ),
    );
  }

  #counted(s: For, loop: (counter: Local) => void): void {
    const local = this.code.local("i32");
    this.#names.set(s.name, { held: { kind: "local", local, type: "i32" }, scalar: "u32" });
    loop(local);
    this.#names.delete(s.name);
    this.code.release("i32", local);
  }

  /** A name's type in WebAssembly. */
  #typeOf(name: string, scalar: Scalar): ValueType {
    const isVector = this.shapes.ofName(name).kind === "vector" || this.#asVectors.has(name);
    return isVector ? "v128" : typeOf(scalar);
  }

  #declare(name: string, scalar: Scalar, put: () => void): void {
    const type = this.#typeOf(name, scalar);
    const base = this.#places.get(name);
    const held: Held = base
      ? { kind: "memory", base, type }
      : { kind: "local", local: this.code.local(type), type };
    this.#names.set(name, { held, scalar });
    this.#keep(held, put);
  }

  /** Puts what `put` leaves where a name has it. */
  #keep(held: Held, put: () => void): void {
    const { code } = this;
    if (held.kind === "memory") code.get(held.base.local);
    put();
    if (held.kind === "local") code.set(held.local);
    else code.op(`${held.type}.store`, 2, held.base.offset);
  }

  /** As the name has it. */
  #value(name: string, value: Expr): void {
    if (this.#typeOf(name, value.type) === "v128") this.vector(value);
    else this.scalar(value);
  }

  /** One of several that were loaded, and are on the stack as all threads have it, or as each has its own. */
  #loaded(s: Extract<Stmt, { kind: "load4" }>, name: string, put: () => void): void {
    const { code } = this;
    put();
    const isVector = !isScalarGroup(this, s);
    const wanted = this.#typeOf(name, widened(s.from.scalar)) === "v128";
    const type = typeOf(widened(s.from.scalar));
    if (isVector && !wanted) code.op(`${type}x4.extract_lane`, 0);
    if (!isVector && wanted) code.op(`${type}x4.splat`);
  }

  #set(name: string, value: Expr): void {
    const { code, mask } = this;
    const { held } = this.#names.get(name) ?? bug(`${name} is not declared`);
    this.#keep(held, () => {
      this.#value(name, value);
      if (held.type !== "v128" || mask === undefined) return;
      this.name(name, "vector");
      code.get(mask);
      code.op("v128.bitselect");
    });
  }
}

const whole = (bytes: number): number => Math.ceil(bytes / 16) * 16;
