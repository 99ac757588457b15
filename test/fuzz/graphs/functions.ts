/** Functions of one number in double precision, for the oracle. */

/** erf by its series near zero; elsewhere one minus erfc. */
export function erf(x: number): number {
  if (Number.isNaN(x)) return x;
  if (Math.abs(x) > 2.5) return Math.sign(x) * (1 - erfc(Math.abs(x)));
  let [term, sum] = [x, x];
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

/** erfc of a number from 0 up, by its continued fraction where the series has lost its digits. */
export function erfc(x: number): number {
  if (x < 2.5) return 1 - erf(x);
  if (x > 27) return 0;
  let rest = 0;
  for (let n = 200; n >= 1; n--) rest = n / 2 / (x + rest);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + rest);
}

/** x Phi(x); of -Infinity NaN, as in PyTorch, where it is a product with zero. */
export function gelu(x: number): number {
  if (x === Number.NEGATIVE_INFINITY) return Number.NaN;
  const tail = erfc(Math.abs(x) * Math.SQRT1_2) / 2;
  return x >= 0 ? x - (x === Number.POSITIVE_INFINITY ? 0 : x * tail) : x * tail;
}

export const sigmoid = (x: number): number =>
  x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));

export const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** Bicubic weights (Keys, a = -3/4). */
export const keys = (d: number): number => {
  const x = Math.abs(d);
  if (x <= 1) return 1.25 * x ** 3 - 2.25 * x ** 2 + 1;
  return x < 2 ? -0.75 * (x ** 3 - 5 * x ** 2 + 8 * x - 4) : 0;
};

/** Whole numbers of 32 bits, as WGSL computes with them. */
export const wrapped = {
  i32: (x: number) => x | 0,
  u32: (x: number) => x >>> 0,
} as const;

export type Whole = keyof typeof wrapped;

export const divided = (a: number, b: number, dtype: Whole): number => {
  if (b === 0) return a;
  return wrapped[dtype](Math.trunc(a / b));
};

/** A float as a whole number: cut off, held inside the singles of the type's range; NaN is 0. */
export function toWhole(x: number, dtype: Whole): number {
  if (Number.isNaN(x)) return 0;
  const [least, most] = dtype === "i32" ? [-(2 ** 31), 2 ** 31 - 128] : [0, 2 ** 32 - 256];
  return Math.min(Math.max(Math.trunc(x), least), most) + 0;
}

/** Threefry-2x32 with 20 rounds (Salmon et al., 2011). */
export function threefry(counter: readonly number[], key: readonly number[]): [number, number] {
  const turn = (x: number, by: number) => ((x << by) | (x >>> (32 - by))) >>> 0;
  const schedule = [key[0]!, key[1]!, (key[0]! ^ key[1]! ^ 0x1bd11bda) >>> 0];
  const by = [13, 15, 26, 6, 17, 29, 16, 24];
  let [a, b] = [(counter[0]! + schedule[0]!) >>> 0, (counter[1]! + schedule[1]!) >>> 0];
  for (let round = 0; round < 20; round++) {
    a = (a + b) >>> 0;
    b = (turn(b, by[round % 8]!) ^ a) >>> 0;
    if (round % 4 !== 3) continue;
    const s = (round + 1) / 4;
    a = (a + schedule[s % 3]!) >>> 0;
    b = (b + schedule[(s + 1) % 3]! + s) >>> 0;
  }
  return [a, b];
}
