/**
 * The kernels of a plan: what is printed of them, and which steps share one. Kernels with one text,
 * names apart, are one kernel, whatever they are called and however large the tensors are that they
 * are bound to: a text does not say how long its tensors are.
 */
import { bug } from "../../diagnostics/index.ts";
import type { Buffer, Kernel } from "../kernel/ir.ts";
import type { PlanKernel, PlanParam, Role } from "../plan.ts";
import type { Profile } from "../profile.ts";
import { readable, type Target } from "./target.ts";

export class PlanKernels {
  readonly all: PlanKernel[] = [];
  readonly #target: Target;
  /** Halves are read two to a word. */
  readonly #isPacked: boolean;
  /** By kernel and roles. One kernel has one text for each way in which its buffers are shared. */
  readonly #numbers = new Map<Kernel, Map<string, number>>();
  readonly #byText = new Map<string, number>();

  constructor(target: Target, profile: Profile) {
    this.#target = target;
    this.#isPacked = !target.half && !profile.half;
  }

  /** The number of a kernel whose parameters are bound to buffers of these roles. */
  add(kernel: Kernel, roles: readonly Role[]): number {
    const isArena = roles.map((role) => role === "arena");
    const numbers = this.#numbers.get(kernel) ?? new Map<string, number>();
    this.#numbers.set(kernel, numbers);
    const known = numbers.get(isArena.join());
    if (known !== undefined) return known;
    const number = this.#share(kernel, (b) => isArena[kernel.params.indexOf(b)] === true);
    numbers.set(isArena.join(), number);
    return number;
  }

  #share(kernel: Kernel, scratch: (b: Buffer) => boolean): number {
    const { threads, subgroup, reduces, matrices } = kernel;
    const params = kernel.params.map((b) => paramOf(b, scratch(b), this.#isPacked));
    const own = params.map(({ scalar, packed, writes }) => [scalar, packed, writes]);
    const rest = JSON.stringify([threads, subgroup, reduces, matrices, own]);
    const key = `${rest}\n${readable(this.#print(kernel, scratch, "numbered"))}`;
    const number = this.#byText.get(key);
    if (number !== undefined) {
      const found = this.all[number]!;
      const both = found.params.map((param, i) => forBoth(param, params[i]!));
      this.all[number] = { ...found, params: both };
      return number;
    }
    this.#byText.set(key, this.all.length);
    return (
      this.all.push({
        name: kernel.name,
        source: this.#print(kernel, scratch, "own"),
        entry: this.#target.entry(kernel),
        threads,
        params,
        sharedBytes: sharedBytes(kernel),
        subgroup,
        ...(reduces ? { reduces } : {}),
        ...(matrices ? { matrices } : {}),
      }) - 1
    );
  }

  #print(kernel: Kernel, scratch: (b: Buffer) => boolean, names: "own" | "numbered") {
    return this.#target.print(kernel, scratch, this.#isPacked ? "packed" : "own", names);
  }
}

export const sharedBytes = (kernel: Kernel): number =>
  kernel.scratch.reduce(
    (sum, b) => sum + (b.space === "shared" ? b.size * (b.scalar === "f16" ? 2 : 4) : 0),
    0,
  );

const paramOf = (b: Buffer, isScratch: boolean, isPacked: boolean): PlanParam => ({
  scalar: b.scalar === "bool" ? bug("a bool buffer") : b.scalar,
  ...(isPacked && b.scalar === "f16" ? { packed: true } : {}),
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
