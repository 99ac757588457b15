/**
 * Arithmetic on bit patterns: what random numbers and tests for NaN need. Numbers here are `u32`
 * modulo 2^32, so nothing is known of their bounds and divisors, and none of the folding of
 * index arithmetic (`value.ts`) applies: that assumes sums that do not wrap.
 */
import { bug } from "../../diagnostics/index.ts";
import type { Fn } from "./ir.ts";
import { index, literal, type Operand, Value } from "./value.ts";

/** a + b modulo 2^32. */
export const addWrapping = (a: Value, b: Operand): Value =>
  pattern("addwrap", [a, b], (x, y) => (x + y) >>> 0);

/** a * b modulo 2^32. */
export const mulWrapping = (a: Value, b: Operand): Value =>
  pattern("mulwrap", [a, b], (x, y) => Math.imul(x, y) >>> 0);

/** The bits in which two patterns differ. */
export const xor = (a: Value, b: Operand): Value => pattern("xor", [a, b], (x, y) => (x ^ y) >>> 0);

/** A pattern moved up by 0 to 31 places; what leaves it is lost. */
export const shiftLeft = (a: Value, by: Operand): Value =>
  isZero(by) ? a : pattern("shl", [a, by], (x, y) => (x << y) >>> 0);

/** A pattern moved down by 0 to 31 places; zeros come in. */
export const shiftRight = (a: Value, by: Operand): Value =>
  isZero(by) ? a : pattern("shr", [a, by], (x, y) => x >>> y);

const isZero = (by: Operand) =>
  typeof by === "number" ? by === 0 : by.expr.kind === "lit" && by.expr.value === 0;

/** A pattern turned by 1 to 31 places: what leaves at the top comes in below. */
export const rotateLeft = (a: Value, by: number): Value =>
  xor(shiftLeft(a, by), shiftRight(a, 32 - by));

/** a + b of numbers that a tensor holds: integers modulo 2^32. */
export const addNumbers = (a: Value, b: Value): Value =>
  a.type === "u32" ? addWrapping(a, b) : a.add(b);

/** a * b of numbers that a tensor holds: integers modulo 2^32. */
export const mulNumbers = (a: Value, b: Value): Value =>
  a.type === "u32" ? mulWrapping(a, b) : a.mul(b);

/** Whether an `f32` is neither NaN nor infinite, told from its bits. */
export const isFiniteOf = (x: Value): Value => shiftLeft(bitsOf(x), 1).lt(0xff000000);

/** Whether an `f32` is NaN, told from its bits: compilers of shaders may assume that there are none. */
export const isNaNOf = (x: Value): Value =>
  x.expr.kind === "lit"
    ? literal(Number(Number.isNaN(x.expr.value)), "bool")
    : literal(0xff000000, "u32").lt(shiftLeft(bitsOf(x), 1));

/** The pattern of an `f32`. The reference device rounds to one first, whatever its precision. */
export function bitsOf(x: Value): Value {
  if (x.type !== "f32") bug(`bits of ${x.type}`);
  if (x.expr.kind === "lit")
    return index(new Uint32Array(Float32Array.of(x.expr.value).buffer)[0]!);
  return new Value({ kind: "call", type: "u32", fn: "bits", args: [x.expr] });
}

/** The `f32` that has a pattern. */
export const floatOf = (pattern: Value): Value => fromPattern("float", pattern);

/** The half that has the lower 16 bits of a pattern, as an `f32`. */
export const halfOf = (pattern: Value): Value => fromPattern("half", pattern);

function fromPattern(fn: "float" | "half", pattern: Value): Value {
  if (pattern.type !== "u32") bug(`${fn} of ${pattern.type}`);
  return new Value({ kind: "call", type: "f32", fn, args: [pattern.expr] });
}

/** Literals fold here: no target is asked what an overflow among constants means. */
function pattern(fn: Fn, of: readonly Operand[], plain: (a: number, b: number) => number): Value {
  const args = of.map((v) => (typeof v === "number" ? literal(v, "u32") : v).expr);
  for (const e of args) if (e.type !== "u32") bug(`${fn} of ${e.type}`);
  const [a, b] = args;
  if (a!.kind === "lit" && b!.kind === "lit") return index(plain(a!.value, b!.value));
  return new Value({ kind: "call", type: "u32", fn, args });
}
