/**
 * Functions that the instructions of PTX lack, for every number, and what limits say for zeros, infinities and NaN.
 *
 * `exp` is 2 to the fraction, by an instruction that is within 2 units in the last place, times a power of 2; `log`
 * and `tanh` are the polynomials of Cephes. Where `exp` is below the least normal number it is 0.
 */
import { castRange } from "../../kernel/cast.ts";
import type { Operand, Writer } from "./writer.ts";

/** How far results may be from exact ones, in units in the last place. Tests hold them to it. */
export const functionBounds = { exp: 3, log: 1, tanh: 3 } as const;

/** A number as its bits. */
export function single(value: number): Operand {
  const [bits] = new Uint32Array(Float32Array.of(value).buffer);
  return `0f${bits!.toString(16).padStart(8, "0").toUpperCase()}`;
}

const one = single(1);
const infinity = single(Number.POSITIVE_INFINITY);

/** The sum of `factors[i] x^(n - i)`. */
function polynomial(w: Writer, x: Operand, [first, ...rest]: readonly number[]): Operand {
  return rest.reduce(
    (sum, factor) => w.make("f32", "fma.rn.f32", sum, x, single(factor)),
    single(first!),
  );
}

export function exp(w: Writer, x: Operand): Operand {
  // 1.5 * 2^23: what is in the last bits of a number of this size is a whole number.
  const large = 12582912;
  const last = w.make("f32", "fma.rn.f32", x, single(Math.LOG2E), single(large));
  const opposite = w.make("f32", "sub.rn.f32", single(large), last);
  const low = single(Math.LOG2E - Math.fround(Math.LOG2E));
  const high = w.make("f32", "fma.rn.f32", x, single(Math.LOG2E), opposite);
  const rest = w.make("f32", "fma.rn.f32", x, low, high);
  const power = w.make("f32", "ex2.approx.f32", rest);
  const exponent = w.make("u32", "shl.b32", w.make("u32", "mov.b32", last), "23");
  const bits = w.make("u32", "add.u32", w.make("u32", "mov.b32", power), exponent);
  const scaled = w.make("f32", "mov.b32", bits);
  const isSmall = w.make("bool", "setp.lt.f32", x, single(-87.33654));
  const isBelow = w.make("bool", "setp.lt.f32", x, single(88.722839));
  const far = w.make("f32", "mul.rn.f32", x, infinity);
  const near = w.make("f32", "selp.f32", scaled, far, isBelow);
  return w.make("f32", "selp.f32", single(0), near, isSmall);
}

/** x = 2^e m with m from the root of a half to that of 2. Below the normal numbers x is multiplied by 2^25 first. */
export function log(w: Writer, x: Operand): Operand {
  const isSmall = w.make("bool", "setp.lt.f32", x, single(2 ** -126));
  const larger = w.make("f32", "mul.rn.f32", x, single(2 ** 25));
  const normal = w.make("u32", "mov.b32", w.make("f32", "selp.f32", larger, x, isSmall));
  const above = w.make("u32", "shr.s32", w.make("u32", "sub.u32", normal, "0x3f3504f3"), "23");
  const shifted = w.make("u32", "sub.u32", normal, w.make("u32", "shl.b32", above, "23"));
  const m = w.make("f32", "sub.rn.f32", w.make("f32", "mov.b32", shifted), one);
  const less = w.make("u32", "selp.b32", "25", "0", isSmall);
  const e = w.make("f32", "cvt.rn.f32.s32", w.make("u32", "sub.u32", above, less));
  const square = w.make("f32", "mul.rn.f32", m, m);
  const p = polynomial(w, m, [
    ...[7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1],
    ...[-1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1],
  ]);
  const low = w.make("f32", "mul.rn.f32", e, single(-2.1219444e-4));
  const cubic = w.make("f32", "fma.rn.f32", w.make("f32", "mul.rn.f32", p, m), square, low);
  const tail = w.make("f32", "fma.rn.f32", square, single(-0.5), cubic);
  const sum = w.make("f32", "add.rn.f32", tail, m);
  const near = w.make("f32", "fma.rn.f32", e, single(0.693359375), sum);
  const isZero = w.make("bool", "setp.eq.f32", x, single(0));
  const isPositive = w.make("bool", "setp.gt.f32", x, single(0));
  const isBelow = w.make("bool", "setp.lt.f32", x, infinity);
  const atMost = w.make("f32", "selp.f32", single(-Infinity), single(Number.NaN), isZero);
  const ofFinite = w.make("f32", "selp.f32", near, atMost, isPositive);
  return w.make("f32", "selp.f32", ofFinite, x, isBelow);
}

/** Near 0 a polynomial, else 1 - 2 / (exp(2 |x|) + 1). */
export function tanh(w: Writer, x: Operand): Operand {
  const size = w.make("f32", "abs.f32", x);
  const both = exp(w, w.make("f32", "add.rn.f32", size, size));
  const quotient = w.make("f32", "div.rn.f32", single(2), w.make("f32", "add.rn.f32", both, one));
  const far = w.make("f32", "sub.rn.f32", one, quotient);
  const square = w.make("f32", "mul.rn.f32", size, size);
  const p = polynomial(w, square, [
    ...[-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1],
    -3.33332819422e-1,
  ]);
  const near = w.make("f32", "fma.rn.f32", w.make("f32", "mul.rn.f32", p, square), size, size);
  const isNear = w.make("bool", "setp.lt.f32", size, single(0.625));
  const value = w.make("f32", "selp.f32", near, far, isNear);
  return w.make("f32", "copysign.f32", x, value);
}

/**
 * A quotient or remainder of a number below 2^32 by one that is known: shifts, or a product whose upper half is
 * shifted. ptxas computes such quotients through reciprocals, as those of numbers that it does not know.
 */
export function quotientByKnown(w: Writer, fn: "div" | "rem", a: Operand, by: number): Operand {
  if (by === 1) return fn === "div" ? a : "0";
  const log = Math.log2(by);
  if (Number.isInteger(log))
    return fn === "div"
      ? w.make("u32", "shr.u32", a, `${log}`)
      : w.make("u32", "and.b32", a, `${by - 1}`);
  const found = upperHalf(w, a, BigInt(by));
  if (fn === "div") return found;
  return w.make("u32", "sub.u32", a, w.make("u32", "mul.lo.u32", found, `${by}`));
}

/** By the least factor that gives every quotient (Granlund and Montgomery, 1994, theorem 4.2). */
function upperHalf(w: Writer, a: Operand, by: bigint): Operand {
  const bits = BigInt((by - 1n).toString(2).length);
  for (let shift = 0n; shift <= bits; shift++) {
    const factor = (1n << (32n + shift)) / by + 1n;
    if (factor >= 1n << 32n || factor * by - (1n << (32n + shift)) > 1n << shift) continue;
    const high = w.make("u32", "mul.hi.u32", a, `${factor}`);
    return shift === 0n ? high : w.make("u32", "shr.u32", high, `${shift}`);
  }
  // The factor has 33 bits, of which the first is added.
  const factor = ((1n << 32n) * ((1n << bits) - by)) / by + 1n;
  const high = w.make("u32", "mul.hi.u32", a, `${factor}`);
  const half = w.make("u32", "shr.u32", w.make("u32", "sub.u32", a, high), "1");
  return w.make("u32", "shr.u32", w.make("u32", "add.u32", half, high), `${bits - 1n}`);
}

/** A number divided by 0 stays, and the least one divided by -1 is itself. `by` says what is known of the divisor. */
export function quotient(
  w: Writer,
  fn: "div" | "rem",
  type: "u32" | "s32",
  [a, b]: readonly [Operand, Operand],
  by: "any" | "positive",
): Operand {
  if (by === "positive") return w.make("u32", `${fn}.${type}`, a, b);
  const isZero = w.make("bool", "setp.eq.u32", b, "0");
  const some = w.make("u32", "selp.b32", "1", b, isZero);
  if (type === "u32") return w.make("u32", `${fn}.u32`, a, some);
  const isMinus = w.make("bool", "setp.eq.u32", b, "-1");
  const other = w.make("u32", "selp.b32", "1", some, isMinus);
  const found = w.make("u32", `${fn}.s32`, a, other);
  if (fn === "rem") return found;
  return w.make("u32", "selp.b32", w.make("u32", "neg.s32", a), found, isMinus);
}

/** Drops the fraction. NaN is 0, as conversions have it; what is out of range is the nearest that singles have. */
export const whole = (w: Writer, to: "i32" | "u32", x: Operand): Operand =>
  w.make(
    to,
    `cvt.rzi.${to === "i32" ? "s32" : "u32"}.f32`,
    w.make("f32", "min.NaN.f32", x, single(castRange[to][1])),
  );
