/** Instructions of a kernel as they are written, and the registers that they need. */
import type { Fragment, Kernel, Scalar } from "../../kernel/ir.ts";

/** What an instruction is given: a register, a number or a name. */
export type Operand = string;

/** What a register holds: a scalar of the IR, an address, or the 16 bits of a narrow number. */
export type Held = Scalar | "address" | "half bits";

const registers: Readonly<Record<Held, readonly [prefix: string, type: string]>> = {
  f32: ["f", "f32"],
  u32: ["r", "b32"],
  i32: ["r", "b32"],
  bool: ["p", "pred"],
  address: ["rd", "b64"],
  "half bits": ["h", "b16"],
};

export class Writer {
  readonly kernel: Kernel;
  /** What stands before all other instructions, each once. */
  readonly #head: string[] = [];
  readonly #known = new Map<string, Operand>();
  readonly #body: string[] = [];
  readonly #counts = new Map<string, number>();
  readonly #names = new Map<string, Operand>();
  readonly #fragments = new Map<Fragment, readonly (readonly Operand[])[]>();
  /** Registers that are written more than once. */
  readonly #variables = new Set<Operand>();
  #labels = 0;
  #lines = this.#body;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  fresh(held: Held): Operand {
    const [prefix] = registers[held];
    const number = this.#counts.get(prefix) ?? 0;
    this.#counts.set(prefix, number + 1);
    return `%${prefix}${number}`;
  }

  emit(instruction: string, ...operands: readonly Operand[]): void {
    this.#lines.push(`  ${instruction}${operands.length > 0 ? ` ${operands.join(", ")}` : ""};`);
  }

  /** Writes an instruction whose result is a new register. */
  make(held: Held, instruction: string, ...operands: readonly Operand[]): Operand {
    const to = this.fresh(held);
    this.emit(instruction, to, ...operands);
    return to;
  }

  /** What is the same everywhere in the kernel: made once, before all else. */
  once(key: string, make: () => Operand): Operand {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const lines = this.#lines;
    this.#lines = this.#head;
    const made = make();
    this.#lines = lines;
    this.#known.set(key, made);
    return made;
  }

  /** The registers of a fragment, which are made once. */
  fragment(
    f: Fragment,
    make: () => readonly (readonly Operand[])[],
  ): readonly (readonly Operand[])[] {
    const known = this.#fragments.get(f) ?? make();
    this.#fragments.set(f, known);
    return known;
  }

  label(): string {
    return `L${this.#labels++}`;
  }

  place(label: string): void {
    this.#lines.push(`${label}:`);
  }

  name(name: string, operand: Operand): void {
    this.#names.set(name, operand);
  }

  named(name: string): Operand {
    return this.#names.get(name)!;
  }

  copy(type: Scalar, to: Operand, from: Operand): void {
    this.emit(`mov.${bits[type]}`, to, from);
  }

  variable(type: Scalar): Operand {
    const own = this.fresh(type);
    this.#variables.add(own);
    return own;
  }

  isVariable = (operand: Operand): boolean => this.#variables.has(operand);

  text(): string[] {
    const declared = Object.values(registers).flatMap(([prefix, type], i, all) => {
      const count = this.#counts.get(prefix) ?? 0;
      const isFirst = all.findIndex(([other]) => other === prefix) === i;
      return count > 0 && isFirst ? [`  .reg .${type} %${prefix}<${count}>;`] : [];
    });
    return [...declared, ...this.#head, ...this.#body];
  }
}

/** The types of instructions that are asked for bits. */
export const bits = { f32: "f32", u32: "b32", i32: "b32", bool: "pred" } as const;

/** A value where no number may be written. */
export const inRegister = (w: Writer, type: Scalar, x: Operand): Operand =>
  x.startsWith("%") ? x : w.make(type, `mov.${bits[type]}`, x);

export const special = (w: Writer, name: string): Operand =>
  w.once(name, () => w.make("u32", "mov.u32", name));

/** The number of a thread within its warp. */
export const laneOf = (w: Writer): Operand =>
  w.once("lane", () => w.make("u32", "and.b32", special(w, "%tid.x"), "31"));
