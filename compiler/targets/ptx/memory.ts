/** Accesses of memory: where elements lie, and what becomes of them on the way. */
import { bug } from "../../../diagnostics/index.ts";
import type { NativeName } from "../../../formats/index.ts";
import type { Buffer, CopyStmt, Element, Expr, Kernel } from "../../kernel/ir.ts";
import { capabilities } from "../cuda/capabilities.ts";
import { sharedBytes } from "../plan-kernels.ts";
import { type Held, inRegister, type Operand, type Writer } from "./writer.ts";

interface MemoryType {
  readonly bytes: number;
  /** Of the instructions that move it. */
  readonly name: string;
  /** The register that it is moved to and from. */
  readonly held: Held;
  /** What widens a value, and the instruction that rounds it, if it is not computed with as it is. */
  readonly widen?: (w: Writer, bits: Operand) => Operand;
  readonly round?: string;
}

/** A condition is a word. */
const memoryTypes: Partial<Record<Element, MemoryType>> = {
  f32: { bytes: 4, name: "f32", held: "f32" },
  u32: { bytes: 4, name: "b32", held: "u32" },
  i32: { bytes: 4, name: "b32", held: "i32" },
  bool: { bytes: 4, name: "b32", held: "u32" },
  f16: {
    ...{ bytes: 2, name: "b16", held: "half bits", round: "cvt.rn.f16.f32" },
    widen: (w, bits) => w.make("f32", "cvt.f32.f16", bits),
  },
  bf16: {
    ...{ bytes: 2, name: "b16", held: "half bits", round: "cvt.rn.bf16.f32" },
    // `cvt.f32.bf16` asks for a later version of PTX.
    widen(w, bits) {
      const word = w.make("u32", "cvt.u32.u16", bits);
      return w.make("f32", "mov.b32", w.make("u32", "shl.b32", word, "16"));
    },
  },
} satisfies Record<NativeName | "bool", MemoryType>;

const typeOf = (element: Element): MemoryType =>
  memoryTypes[element] ?? bug(`${element} in memory`);

export type ToOperand = (w: Writer, e: Expr) => Operand;

/** Bytes of so many elements of a buffer. */
export const bytesIn = ({ scalar }: Buffer, count: number): number => count * typeOf(scalar).bytes;

const bytesOf = (b: Buffer): number => bytesIn(b, b.size);

export function declaration(w: Writer, b: Buffer): string {
  return `  .${b.space} .align 16 .b8 ${scratchName(w, b)}[${bytesOf(b)}];`;
}

/** Where buffers lie in memory that a launch gives, if they take more than a kernel has by itself. */
export function givenPlaces(kernel: Kernel): ReadonlyMap<Buffer, number> {
  if (sharedBytes(kernel) <= capabilities.maxSharedBytes) return new Map();
  let bytes = 0;
  const shared = kernel.scratch.filter((b) => b.space === "shared");
  return new Map(
    shared.map((b) => {
      const at = bytes;
      bytes += bytesOf(b);
      return at % 16 === 0 ? [b, at] : bug(`${b.name} lies at ${at} in memory of a launch`);
    }),
  );
}

/** Before the kernel. */
export const given = ".extern .shared .align 16 .b8 given[];";

const scratchName = (w: Writer, b: Buffer): string => `${b.space}${w.kernel.scratch.indexOf(b)}`;

function base(w: Writer, b: Buffer): Operand {
  return w.once(`base ${b.space} ${b.name}`, () => {
    const at = givenPlaces(w.kernel).get(b);
    if (at !== undefined)
      return w.make("u32", "add.u32", w.make("u32", "mov.u32", "given"), `${at}`);
    if (b.space === "shared") return w.make("u32", "mov.u32", scratchName(w, b));
    if (b.space === "local") return w.make("address", "mov.u64", scratchName(w, b));
    const param = `[param${w.kernel.params.indexOf(b)}]`;
    return w.make("address", "cvta.to.global.u64", w.make("address", "ld.param.u64", param));
  });
}

/** An index as a part that is computed and a number, which the instruction adds by itself. */
function split(index: Expr): readonly [Expr | undefined, number] {
  if (index.kind === "lit") return [undefined, index.value];
  if (index.kind !== "call" || index.fn !== "add" || index.type !== "u32") return [index, 0];
  const [a, b] = index.args as [Expr, Expr];
  const [left, m] = split(a);
  const [right, n] = split(b);
  if (m + n === 0) return [index, 0];
  if (left === undefined || right === undefined) return [left ?? right, m + n];
  return [{ ...index, args: [left, right] }, m + n];
}

/** Where `count` elements lie that are accessed at once, of which the index counts. */
function place(w: Writer, b: Buffer, index: Expr, count: number, operand: ToOperand): string {
  const bytes = count * typeOf(b.scalar).bytes;
  const [instruction, held] =
    b.space === "shared"
      ? (["mad.lo.u32", "u32"] as const)
      : (["mad.wide.u32", "address"] as const);
  const added = (e: Expr) => w.make(held, instruction, operand(w, e), `${bytes}`, base(w, b));
  const [computed, number] = split(index);
  const offset = number * bytes;
  // Instructions add a number of 31 bits.
  if (offset >= 2 ** 31) return `[${added(index)}]`;
  const at = computed ? added(computed) : base(w, b);
  return offset === 0 ? `[${at}]` : `[${at}+${offset}]`;
}

/** The address of an element in a register. */
export function addressOf(w: Writer, b: Buffer, index: Expr, operand: ToOperand): Operand {
  const { bytes } = typeOf(b.scalar);
  const [held, instruction] =
    b.space === "shared"
      ? (["u32", "mad.lo.u32"] as const)
      : (["address", "mad.wide.u32"] as const);
  return w.make(held, instruction, operand(w, index), `${bytes}`, base(w, b));
}

/** A value of memory as it is computed with. */
export function loaded(w: Writer, element: Element, x: Operand): Operand {
  const { widen } = typeOf(element);
  if (widen) return widen(w, x);
  return element === "bool" ? w.make("bool", "setp.ne.u32", x, "0") : x;
}

function stored(w: Writer, b: Buffer, value: Expr, operand: ToOperand): Operand {
  const x = inRegister(w, value.type, operand(w, value));
  const { round, held } = typeOf(b.scalar);
  if (round) return w.make(held, round, x);
  return b.scalar === "bool" ? w.make(held, "selp.b32", "1", "0", x) : x;
}

/** Global memory that a kernel only reads is read through the cache for that. */
const reading = (b: Buffer): string =>
  `ld.${b.space}${b.space === "global" && !b.writable ? ".nc" : ""}`;

export function load(w: Writer, b: Buffer, index: Expr, operand: ToOperand): Operand {
  const { name, held } = typeOf(b.scalar);
  const from = place(w, b, index, 1, operand);
  return loaded(w, b.scalar, w.make(held, `${reading(b)}.${name}`, from));
}

/** Sixteen bytes that pass by the first cache; none of them, and zeros instead, where `when` does not hold. */
export function copy(
  w: Writer,
  { to, index, from, at, when }: Extract<CopyStmt, { kind: "copy" }>,
  operand: ToOperand,
): void {
  const places = [place(w, to, index, 1, operand), place(w, from, at, 1, operand), "16"];
  const isAlways = when.kind === "lit" && when.value !== 0;
  const given = isAlways ? [] : [w.make("u32", "selp.b32", "16", "0", operand(w, when))];
  w.emit("cp.async.cg.shared.global", ...places, ...given);
}

const braces = (all: readonly Operand[]) => `{${all.join(", ")}}`;

export function loadSeveral(
  w: Writer,
  b: Buffer,
  index: Expr,
  count: number,
  operand: ToOperand,
): Operand[] {
  const { name, held } = typeOf(b.scalar);
  const from = place(w, b, index, count, operand);
  const all = Array.from({ length: count }, () => w.fresh(held));
  w.emit(`${reading(b)}.v${count}.${name}`, braces(all), from);
  return all.map((x) => loaded(w, b.scalar, x));
}

export function store(
  w: Writer,
  b: Buffer,
  index: Expr,
  values: readonly Expr[],
  operand: ToOperand,
): void {
  const all = values.map((value) => stored(w, b, value, operand));
  const to = place(w, b, index, values.length, operand);
  const { name } = typeOf(b.scalar);
  if (all.length === 1) w.emit(`st.${b.space}.${name}`, to, all[0]!);
  else w.emit(`st.${b.space}.v${all.length}.${name}`, to, braces(all));
}
