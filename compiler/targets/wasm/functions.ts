/**
 * Functions of four numbers at once that WebAssembly lacks. Each takes its arguments from the stack and
 * leaves its result there.
 *
 * `exp`, `log` and `tanh` are polynomials after an exact range reduction (those of Cephes), for every
 * number: within 1.2, 1 and 2 units in the last place of what is exact (`functionBounds`), and what limits
 * say for zeros, infinities and NaN. Where `exp` is below the least normal number it is 0: processors take
 * a hundred cycles to multiply by such a number, and softmax makes many of them.
 */
import type { Code, Local } from "./code.ts";

/** How far results may be from exact ones, in units in the last place. Tests hold them to it. */
export const functionBounds = { exp: 1.2, log: 1, tanh: 2 } as const;

type Four = readonly [Local, Local, Local, Local];

const locals = (code: Code) => [0, 1, 2, 3].map(() => code.local("v128")) as unknown as Four;

/** ((c0 x + c1) x + c2) ... of a local. */
function polynomial(code: Code, x: Local, coefficients: readonly number[]): void {
  const [first, ...others] = coefficients;
  code.floats(first!);
  for (const c of others) {
    code.get(x);
    fma(code, () => code.floats(c));
  }
}

/** a b + c of the two numbers on the stack, and the one that `c` leaves. */
function fma(code: Code, c: () => void): void {
  if (!code.fma) code.op("f32x4.mul");
  c();
  code.op(code.fma ? "f32x4.relaxed_madd" : "f32x4.add");
}

const expCoefficients = [
  ...[1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3],
  ...[4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1],
];

/** The logarithm of 2 in two parts, of which products of the first with whole numbers are exact. */
const [ln2High, ln2Low] = [0.693359375, -2.1219444e-4];

/** Numbers from here to its double and a third have the whole ones as their last bits. */
const wholeFrom = 1.5 * 2 ** 23;

/** Below it results would be less than the least normal number. */
const leastExponent = -87.33654;

/** x = n ln 2 + r: twice a polynomial of r, and the half of 2^n. */
export function exp(code: Code): void {
  const [x, n] = [code.local("v128"), code.local("v128")];
  const isLess = code.local("v128");
  code.tee(x);
  code.get(x);
  code.floats(leastExponent);
  code.op("f32x4.lt");
  code.tee(isLess);
  // What is 0 in the end is computed of 0. Beyond 89 everything is infinite. A NaN stays.
  code.op("v128.andnot");
  code.floats(89);
  code.op("f32x4.pmin");
  code.tee(x);
  code.floats(Math.LOG2E);
  // Behind this sum there is no room for fractions: its last bits are n.
  fma(code, () => code.floats(wholeFrom));
  code.tee(n);
  code.floats(wholeFrom);
  code.op("f32x4.sub");
  code.held("v128", (number) => {
    code.get(number);
    code.floats(-ln2High);
    fma(code, () => code.get(x));
    code.set(x);
    code.get(number);
    code.floats(-ln2Low);
    fma(code, () => code.get(x));
    code.set(x);
  });
  polynomial(code, x, expCoefficients);
  code.get(x);
  code.get(x);
  code.op("f32x4.mul");
  fma(code, () => code.get(x));
  code.floats(1);
  code.op("f32x4.add");
  code.tee(x);
  code.get(x);
  code.op("f32x4.add");
  // 2^127 is the largest power; the least one here, 2^-127, is less than the normal numbers.
  code.get(n);
  code.patterns(126);
  code.op("i32x4.add");
  code.i32(23);
  code.op("i32x4.shl");
  code.patterns(1 << 22);
  code.op("i32x4.max_s");
  code.op("f32x4.mul");
  code.get(isLess);
  code.op("v128.andnot");
  for (const local of [x, n, isLess]) code.release("v128", local);
}

const logCoefficients = [
  ...[7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1],
  ...[1.4249322787e-1, -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1],
];

/** x = 2^e m with m from the root of a half to that of 2. */
export function log(code: Code): void {
  const [x, m, e, isSmall] = locals(code);
  code.tee(x);
  code.floats(2 ** -126);
  code.op("f32x4.lt");
  code.set(isSmall);
  // What is below the normal numbers is multiplied by 2^25 first.
  code.get(x);
  code.floats(2 ** 25);
  code.op("f32x4.mul");
  code.get(x);
  code.get(isSmall);
  code.op("v128.bitselect");
  code.set(m);
  logParts(code, m, e, isSmall);
  logSeries(code, m, e, isSmall);
  code.set(m);
  // Of a negative number NaN, of 0 minus infinity, of infinity and NaN themselves.
  code.floats(Number.NEGATIVE_INFINITY);
  code.floats(Number.NaN);
  code.get(x);
  code.floats(0);
  code.op("f32x4.eq");
  code.op("v128.bitselect");
  code.get(m);
  code.get(x);
  code.floats(0);
  code.op("f32x4.le");
  code.op("v128.bitselect");
  code.set(m);
  code.get(m);
  code.get(x);
  code.get(x);
  code.floats(Number.POSITIVE_INFINITY);
  code.op("f32x4.lt");
  code.op("v128.bitselect");
  for (const local of [x, m, e, isSmall]) code.release("v128", local);
}

/** Leaves e, as numbers, and m - 1 in their locals. */
function logParts(code: Code, m: Local, e: Local, isSmall: Local): void {
  // Above the root of 2 a number belongs to the next power.
  code.get(m);
  code.patterns(0x3f3504f3);
  code.op("i32x4.sub");
  code.i32(23);
  code.op("i32x4.shr_s");
  code.tee(e);
  code.i32(23);
  code.op("i32x4.shl");
  code.set(e);
  code.get(m);
  code.get(e);
  code.op("i32x4.sub");
  code.floats(1);
  code.op("f32x4.sub");
  code.set(m);
  code.get(e);
  code.i32(23);
  code.op("i32x4.shr_s");
  code.get(isSmall);
  code.patterns(25);
  code.op("v128.and");
  code.op("i32x4.sub");
  code.op("f32x4.convert_i32x4_s");
  code.set(e);
}

/** log(1 + m) + e ln 2. The last two locals are free afterwards. */
function logSeries(code: Code, m: Local, e: Local, square: Local): void {
  const product = (of: Local, by: number) => {
    code.get(of);
    code.floats(by);
    code.op("f32x4.mul");
  };
  code.get(m);
  code.get(m);
  code.op("f32x4.mul");
  code.set(square);
  polynomial(code, m, logCoefficients);
  code.get(m);
  code.op("f32x4.mul");
  code.get(square);
  code.op("f32x4.mul");
  product(e, ln2Low);
  code.op("f32x4.add");
  product(square, 0.5);
  code.op("f32x4.sub");
  code.get(m);
  code.op("f32x4.add");
  product(e, ln2High);
  code.op("f32x4.add");
}

const tanhCoefficients = [
  ...[-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1],
];

/** Near 0 a polynomial, else 1 - 2 / (exp(2 |x|) + 1). */
export function tanh(code: Code): void {
  const [x, size, far, square] = locals(code);
  code.tee(x);
  code.op("f32x4.abs");
  code.set(size);
  code.floats(1);
  code.floats(2);
  code.get(size);
  code.get(size);
  code.op("f32x4.add");
  exp(code);
  code.floats(1);
  code.op("f32x4.add");
  code.op("f32x4.div");
  code.op("f32x4.sub");
  code.set(far);
  code.get(size);
  code.get(size);
  code.op("f32x4.mul");
  code.set(square);
  polynomial(code, square, tanhCoefficients);
  code.get(square);
  code.op("f32x4.mul");
  code.get(size);
  code.op("f32x4.mul");
  code.get(size);
  code.op("f32x4.add");
  code.get(far);
  code.get(size);
  code.floats(0.625);
  code.op("f32x4.lt");
  code.op("v128.bitselect");
  code.get(x);
  code.patterns(0x80000000);
  code.op("v128.and");
  code.op("v128.or");
  for (const local of [x, size, far, square]) code.release("v128", local);
}

/**
 * Quotients of whole numbers, through doubles: they have more than twice the bits, so a quotient that is no
 * whole number is not rounded to one. A number divided by 0 stays.
 */
export function divide(code: Code, type: "i32" | "u32"): void {
  const [a, b, low] = [0, 1, 2].map(() => code.local("v128")) as [Local, Local, Local];
  const sign = type === "i32" ? "s" : "u";
  code.set(b);
  code.set(a);
  const half = (isHigh: boolean) => {
    for (const of of [a, b]) {
      code.get(of);
      if (isHigh) {
        code.get(of);
        code.shuffle(2, 3, 2, 3);
      }
      code.op(`f64x2.convert_low_i32x4_${sign}`);
    }
    code.op("f64x2.div");
    code.op(`i32x4.trunc_sat_f64x2_${sign}_zero`);
  };
  half(false);
  code.set(low);
  code.get(a);
  code.get(low);
  half(true);
  code.shuffle(0, 1, 4, 5);
  code.get(b);
  code.patterns(0);
  code.op("i32x4.eq");
  code.op("v128.bitselect");
  // The least number has no opposite: it would be the largest one.
  if (type === "i32") {
    code.set(low);
    code.get(a);
    code.op("i32x4.neg");
    code.get(low);
    code.get(b);
    code.patterns(0xffffffff);
    code.op("i32x4.eq");
    code.op("v128.bitselect");
  }
  for (const local of [a, b, low]) code.release("v128", local);
}

/** Quotients by a number from 2 on that is no power of two: half of one more is never rounded up to a whole. */
export function divideBy(code: Code, by: number): void {
  const [a, low] = [code.local("v128"), code.local("v128")];
  code.set(a);
  const half = (isHigh: boolean) => {
    code.get(a);
    if (isHigh) {
      code.get(a);
      code.shuffle(2, 3, 2, 3);
    }
    code.op("f64x2.convert_low_i32x4_u");
    code.op("f64.const", 0.5);
    code.op("f64x2.splat");
    code.op("f64x2.add");
    code.op("f64.const", 1 / by);
    code.op("f64x2.splat");
    code.op("f64x2.mul");
    code.op("i32x4.trunc_sat_f64x2_u_zero");
  };
  half(false);
  code.set(low);
  half(true);
  code.set(a);
  code.get(low);
  code.get(a);
  code.shuffle(0, 1, 4, 5);
  code.release("v128", a);
  code.release("v128", low);
}
