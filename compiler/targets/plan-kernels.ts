/**
 * The kernels of a plan: what is printed of them, and which steps share one. Kernels with one text,
 * names apart, are one kernel, whatever they are called and however large the tensors are that they
 * are bound to: a text does not say how long its tensors are.
 */
import { bug } from "../../diagnostics/index.ts";
import { type FormatName, storedBytes } from "../../formats/index.ts";
import type { Buffer, Kernel, Stmt } from "../kernel/ir.ts";
import type { Names } from "../kernel/printer.ts";
import type { KernelSource, PlanKernel, PlanParam, Role } from "../plan.ts";
import type { Target } from "./target.ts";

/** What was printed of kernels, by all that a text depends on beside the kernel. */
export type Texts = WeakMap<Kernel, Map<string, KernelSource>>;

export class PlanKernels {
  readonly all: PlanKernel[] = [];
  readonly #target: Target;
  readonly #entries = new Set<string>();
  /** By kernel and roles. One kernel has one text for each way in which its buffers are shared. */
  readonly #numbers = new Map<Kernel, Map<string, number>>();
  /** By what is compared before texts are. */
  readonly #alike = new Map<string, Alike>();

  readonly #texts: Texts;

  constructor(target: Target, texts: Texts = new WeakMap()) {
    this.#target = target;
    this.#texts = texts;
  }

  /** The number of a kernel whose parameters are bound to buffers of these roles. */
  add(kernel: Kernel, roles: readonly Role[]): number {
    const isArena = roles.map((role) => role === "arena");
    const numbers = this.#numbers.get(kernel) ?? new Map<string, number>();
    this.#numbers.set(kernel, numbers);
    const known = numbers.get(isArena.join());
    if (known !== undefined) return known;
    const number = this.#share(kernel, isArena);
    numbers.set(isArena.join(), number);
    return number;
  }

  /** The kernel, called so that its entry has another name than those before where the target can. */
  #entered(kernel: Kernel): Kernel {
    const isFree = (k: Kernel) => !this.#entries.has(this.#target.entry(k));
    let own = kernel;
    if (this.#target.entry(kernel) !== this.#target.entry(renamed(kernel, 2)))
      for (let count = 2; !isFree(own); count++) own = renamed(kernel, count);
    this.#entries.add(this.#target.entry(own));
    return own;
  }

  #share(kernel: Kernel, isArena: readonly boolean[]): number {
    const { threads, subgroup, reduces, matrices, fma } = kernel;
    const params = kernel.params.map((b, i) => paramOf(b, isArena[i]!));
    const types = params.map(({ scalar, writes }) => [scalar, writes]);
    const key = JSON.stringify([
      threads,
      subgroup,
      reduces,
      matrices,
      fma,
      types,
      outline(kernel.body),
    ]);
    const number = this.all.length;
    const text = () => comparable(this.#print(kernel, kernel, isArena, "numbered"));
    const alike = this.#alike.get(key);
    const twin = alike && twinIn(alike, { number, text });
    if (twin !== undefined) {
      const found = this.all[twin]!;
      const both = found.params.map((param, i) => forBoth(param, params[i]!));
      this.all[twin] = { ...found, params: both };
      return twin;
    }
    if (!alike) this.#alike.set(key, { first: { number, text }, byText: new Map() });
    const own = this.#entered(kernel);
    this.all.push({
      name: kernel.name,
      source: this.#print(kernel, own, isArena, "own"),
      entry: this.#target.entry(own),
      threads,
      params,
      sharedBytes: sharedBytes(kernel),
      subgroup,
      ...(reduces ? { reduces } : {}),
      ...(matrices ? { matrices } : {}),
      ...(fma ? { fma } : {}),
    });
    return number;
  }

  /** Of a kernel, under the name that it has here. */
  #print(kernel: Kernel, own: Kernel, isArena: readonly boolean[], names: Names): KernelSource {
    const target = this.#target;
    const key = target.nameless ? isArena.join() : [names, own.name, ...isArena].join();
    const texts = this.#texts.get(kernel) ?? new Map<string, KernelSource>();
    this.#texts.set(kernel, texts);
    const scratch = new Set(kernel.params.flatMap((b, i) => (isArena[i] ? [b.name] : [])));
    const text = texts.get(key) ?? target.print(own, (name) => scratch.has(name), names);
    texts.set(key, text);
    return text;
  }
}

/** The kernel under another name, for targets whose entries are called as their kernels. */
const renamed = (kernel: Kernel, count: number): Kernel => ({
  ...kernel,
  name: `${kernel.name}_${count}`,
});

/** A kernel of the plan, and how its text is printed with numbered names. */
interface Printed {
  readonly number: number;
  readonly text: () => string;
}

/** Kernels that may be equal. Nothing is printed for a comparison until there are two. */
interface Alike {
  readonly first: Printed;
  /** Their numbers by their texts. */
  readonly byText: Map<string, number>;
}

/** Equal for equal kernels. */
const comparable = (source: KernelSource): string =>
  typeof source === "string" ? source : new TextDecoder("latin1").decode(source);

/** The kernel with the same text, if there is one; else this one is known from now on. */
function twinIn({ first, byText }: Alike, one: Printed): number | undefined {
  if (byText.size === 0) byText.set(first.text(), first.number);
  const text = one.text();
  const twin = byText.get(text);
  if (twin === undefined) byText.set(text, one.number);
  return twin;
}

/** The kinds of a kernel's statements. Few kernels have the same, and only those are compared. */
const outline = (body: readonly Stmt[]): string =>
  body
    .map((s) => (s.kind === "for" || s.kind === "if" ? `${s.kind}(${outline(s.body)})` : s.kind))
    .join();

export const sharedBytes = (kernel: Kernel): number =>
  kernel.scratch.reduce(
    (sum, b) => sum + (b.space === "shared" ? storedBytes(formatOf(b), b.size) : 0),
    0,
  );

const formatOf = ({ scalar, name }: Buffer): FormatName =>
  scalar === "bool" ? bug(`${name} holds booleans`) : scalar;

const paramOf = (b: Buffer, isScratch: boolean): PlanParam => ({
  scalar: formatOf(b),
  size: b.size,
  access: b.writable || isScratch ? "read-write" : "read",
  writes: b.writable,
});

/** A parameter of a kernel that serves two: the larger size, and the access that both can have. */
const forBoth = (a: PlanParam, b: PlanParam): PlanParam => ({
  ...a,
  size: Math.max(a.size, b.size),
  access: a.access === b.access ? a.access : "read-write",
});
