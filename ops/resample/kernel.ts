/**
 * Which elements a resampled element is made of, and with which weights: PyTorch's `interpolate`
 * along one axis.
 *
 * The source position of element d is rational, so it is computed in whole numbers: its floor is
 * (factor * d + offset) / divisor - shift, and its fraction the remainder over the divisor. Single
 * precision would be off by 1e-4 of a pixel at position 1000.
 */
import { type Builder, bounded, index, literal, type Value } from "../../compiler/op-kit.ts";

export type Interpolation = "nearest" | "bilinear" | "bicubic";

export interface Resampling {
  readonly mode: Interpolation;
  /** Sizes along the axis. */
  readonly from: number;
  readonly to: number;
  readonly factor: number;
  readonly offset: number;
  readonly divisor: number;
  readonly shift: number;
  /** Where PyTorch's single precision finds another nearest element: [d, element]. */
  readonly exceptions: readonly (readonly [number, number])[];
}

export interface ResampleAxis {
  readonly mode: Interpolation;
  readonly size?: number;
  readonly scale?: number;
  readonly alignCorners?: boolean;
}

export interface Tap {
  readonly at: Value;
  readonly weight: Value;
}

export const tapCount: Record<Interpolation, number> = { nearest: 1, bilinear: 2, bicubic: 4 };

/** The taps of element `d`. Those outside read the border again. */
export function tapsOf(k: Builder, r: Resampling, d: Value): Tap[] {
  const position = k.let("position", d.mul(r.factor).add(r.offset));
  const whole = k.let("whole", position.div(r.divisor));
  if (r.mode === "nearest") {
    const plain = bounded(whole.min(r.from - 1), r.from - 1);
    const at = r.exceptions.reduce((i, [e, other]) => d.eq(e).select(index(other), i), plain);
    return [{ at: k.let("nearest", at), weight: literal(1, "f32") }];
  }
  const t = k.let(
    "t",
    position
      .mod(r.divisor)
      .cast("f32")
      .mul(1 / r.divisor),
  );
  const weights = r.mode === "bilinear" ? [literal(1, "f32").sub(t), t] : cubic(t);
  const before = r.shift + (r.mode === "bicubic" ? 1 : 0);
  return weights.map((weight, i) => {
    const at = whole
      .add(i)
      .max(before)
      .sub(before)
      .min(r.from - 1);
    return { at: k.let("tap", bounded(at, r.from - 1)), weight: k.let("weight", weight) };
  });
}

/** The cubic convolution of Keys with a = -3/4, at distances 1 + t, t, 1 - t and 2 - t. */
function cubic(t: Value): Value[] {
  const a = -0.75;
  const near = (x: Value) =>
    x
      .fma(a + 2, -(a + 3))
      .mul(x.mul(x))
      .add(1);
  const far = (x: Value) =>
    x
      .fma(a, -5 * a)
      .fma(x, 8 * a)
      .fma(x, -4 * a);
  const rest = literal(1, "f32").sub(t);
  return [far(t.add(1)), near(t), near(rest), far(rest.add(1))];
}

/** Whole-number positions for sizes, or for a scale: PyTorch keeps the scale that it was given. */
export function resampling(
  from: number,
  { mode, size, scale, alignCorners }: ResampleAxis,
): Resampling {
  const to = size ?? Math.floor(from * scale!);
  const aligned = mode !== "nearest" && alignCorners === true;
  const [p, q] = aligned
    ? to > 1
      ? [from - 1, to - 1]
      : [0, 1]
    : scale === undefined
      ? [from, to]
      : fraction(1 / scale, 2 ** 30 / (2 * to + 1));
  const exceptions = mode === "nearest" ? roundedDown(from, to, p!, q!, scale) : [];
  const shift = mode === "nearest" ? 0 : 1;
  // Centres lie at d + 1/2 on both sides, unless the corners are aligned: (d + 1/2) p/q - 1/2.
  const [factor, offset, divisor] =
    aligned || mode === "nearest" ? [p!, q! * shift, q!] : [2 * p!, p! + q!, 2 * q!];
  const common = [factor, offset, divisor].reduce(greatestDivisor);
  return {
    mode,
    from,
    to,
    factor: factor / common,
    offset: offset / common,
    divisor: divisor / common,
    shift,
    exceptions,
  };
}

/**
 * Where `floor(d * step)` in single precision, PyTorch's way for `nearest`, differs from the exact
 * floor: products that should be whole come out just below.
 */
function roundedDown(
  from: number,
  to: number,
  p: number,
  q: number,
  scale: number | undefined,
): [number, number][] {
  const step = Math.fround(scale === undefined ? from / to : 1 / scale);
  const exceptions: [number, number][] = [];
  for (let d = 0; d < to; d++) {
    const theirs = Math.min(Math.floor(Math.fround(d * step)), from - 1);
    if (theirs !== Math.min(Math.floor((d * p) / q), from - 1)) exceptions.push([d, theirs]);
  }
  return exceptions;
}

const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b));

/** The fraction nearest to x > 0 with both parts below `limit`, by continued fractions. */
function fraction(x: number, limit: number): [number, number] {
  let [p0, q0, p1, q1] = [0, 1, 1, 0];
  let rest = x;
  for (;;) {
    const whole = Math.floor(rest);
    const [p2, q2] = [whole * p1 + p0, whole * q1 + q0];
    if (p2 > limit || q2 > limit) break;
    [p0, q0, p1, q1] = [p1, q1, p2, q2];
    if (Math.abs(p1 / q1 - x) <= x * 2 ** -48) break;
    rest = 1 / (rest - whole);
  }
  return [p1, q1];
}
