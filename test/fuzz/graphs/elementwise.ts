/** Element-wise ops: values as PyTorch gives them, whole numbers as WGSL computes them. */
import type { DType } from "../../../compiler/graph/tensor.ts";
import type { Arithmetic } from "./arithmetic.ts";
import { broadcast, type Dense, make, spread } from "./dense.ts";
import * as fn from "./functions.ts";
import { type Arg, type Drawing, type Fill, type Known, known, type Ref } from "./known.ts";

const numbers: readonly DType[] = ["f32", "i32", "u32"];

/** Floats are rounded, whole numbers wrap. */
const whole = (dtype: DType): dtype is fn.Whole => dtype === "i32" || dtype === "u32";

type One = (x: number, f: Arithmetic, dtype: DType) => number;

/** With a fill, half of them are of sources of their own, which hold it: or extremes, where programs do. */
function unary(of: One, takes: readonly DType[] = ["f32"], fill?: Fill, result?: DType): Known {
  return known(
    (d) => [
      fill && d.random.chance(0.5)
        ? d.fresh("f32", d.shape(d.random.below(4)), fill)
        : d.some(({ dtype }) => takes.includes(dtype)),
    ],
    (f, x: Dense) => make(result ?? x.dtype, x.shape, (at) => of(spread(x, at), f, x.dtype)),
  );
}

/** A number that a dtype can hold, for an operand that is no tensor. */
export function numberOf({ random }: Drawing, dtype: DType): number {
  if (dtype === "bool") return random.below(2);
  const whole = random.between(dtype === "u32" ? 0 : -3, 4);
  if (dtype !== "f32")
    return random.chance(0.1) ? (dtype === "i32" ? -(2 ** 31) : 2 ** 32 - 1) : whole;
  return random.chance(0.7) ? random.between(-8, 8) / 4 : Math.fround(random.next() * 10 - 5);
}

/** Two tensors that broadcast, or a tensor and a number. */
export function pairOf(d: Drawing, takes: readonly DType[]): readonly Arg[] {
  const integers = takes.filter(whole);
  // By chance alone whole numbers are rare, and extreme ones rarer.
  const x =
    integers.length > 0 && d.random.chance(0.25)
      ? d.fresh(d.random.pick(integers), d.shape(d.random.below(3)), "extreme")
      : d.some(({ dtype }) => takes.includes(dtype));
  const other = d.random.chance(0.25) ? numberOf(d, d.kind(x).dtype) : d.beside(x);
  return d.random.chance(0.5) ? [x, other] : [other, x];
}

type Two = (a: number, b: number, f: Arithmetic, dtype: DType) => number;

const dtypeOf = (...xs: readonly (Dense | number)[]): DType =>
  (xs.find((x) => typeof x !== "number") as Dense | undefined)?.dtype ?? "f32";

/** Numbers are as the dtype holds them. */
const at = (x: Dense | number, place: readonly number[], dtype: DType, f: Arithmetic): number => {
  if (typeof x !== "number") return spread(x, place);
  return dtype === "f32" && !f.exact ? Math.fround(x) : x;
};

const shapeOf = (...xs: readonly (Dense | number)[]) =>
  broadcast(...xs.map((x) => (typeof x === "number" ? [] : x.shape)))!;

function binary(of: Two, takes: readonly DType[] = numbers, result?: DType): Known {
  return known(
    (d) => pairOf(d, takes),
    (f, a: Dense | number, b: Dense | number) => {
      const dtype = dtypeOf(a, b);
      return make(result ?? dtype, shapeOf(a, b), (p) =>
        of(at(a, p, dtype, f), at(b, p, dtype, f), f, dtype),
      );
    },
  );
}

const compared = (of: (a: number, b: number) => boolean) =>
  binary((a, b) => Number(of(a, b)), numbers, "bool");

function picking(d: Drawing, condition: Ref, dtypes: readonly DType[]): readonly Arg[] {
  const yes = d.some(
    (k) => dtypes.includes(k.dtype) && broadcast(k.shape, d.kind(condition).shape) !== undefined,
  );
  const shape = broadcast(d.kind(yes).shape, d.kind(condition).shape)!;
  const { dtype } = d.kind(yes);
  const no =
    d.random.chance(0.4) && dtype !== "bool"
      ? numberOf(d, dtype)
      : d.some((k) => k.dtype === dtype && broadcast(k.shape, shape) !== undefined);
  return d.random.chance(0.5) ? [condition, yes, no] : [condition, no, yes];
}

const chosen = (
  f: Arithmetic,
  c: Dense,
  yes: Dense | number,
  no: Dense | number,
  open: (v: number) => boolean,
) => {
  const dtype = dtypeOf(yes, no);
  return make(dtype, shapeOf(c, yes, no), (p) =>
    open(spread(c, p)) ? at(yes, p, dtype, f) : at(no, p, dtype, f),
  );
};

const float32 =
  (units: number, of: (x: number) => number, absolute = 0): One =>
  (x, f) =>
    f(of(x), units, absolute);

export const elementwise: Readonly<Record<string, Known>> = {
  abs: unary(
    (x, _f, dtype) => (whole(dtype) ? fn.wrapped[dtype](Math.abs(x)) : Math.abs(x)),
    ["f32", "i32"],
  ),
  neg: unary((x, _f, dtype) => (whole(dtype) ? fn.wrapped[dtype](-x) : -x), ["f32", "i32"]),
  relu: unary((x) => Math.max(x, 0)),
  exp: unary((x, f) => f(Math.exp(x), 8 + 4 * Math.min(Math.abs(x), 200)), ["f32"], "ordinary"),
  log: unary(float32(8, Math.log, 2 ** -21), ["f32"], "positive"),
  sqrt: unary(float32(8, Math.sqrt), ["f32"], "positive"),
  rsqrt: unary(
    float32(8, (x) => 1 / Math.sqrt(x)),
    ["f32"],
    "positive",
  ),
  tanh: unary(float32(8, Math.tanh, 2 ** -20), ["f32"], "ordinary"),
  sigmoid: unary(
    (x, f) => f(fn.sigmoid(x), 16 + 4 * Math.min(Math.abs(x), 200)),
    ["f32"],
    "ordinary",
  ),
  softplus: unary(
    (x, f) => f(fn.softplus(x), 16 + 4 * Math.min(Math.abs(x), 200)),
    ["f32"],
    "ordinary",
  ),
  erf: unary(float32(16, fn.erf), ["f32"], "ordinary"),
  gelu: unary((x, f) => f(fn.gelu(x), 16 + 2 * Math.min(x * x, 400)), ["f32"], "ordinary"),
  sin: unary((x, f) => turned(Math.sin, x, f), ["f32"], "ordinary"),
  cos: unary((x, f) => turned(Math.cos, x, f), ["f32"], "ordinary"),
  finite: unary((x) => Number(Number.isFinite(x)), ["f32"], undefined, "bool"),
  not: unary((x) => 1 - x, ["bool"]),
  stopGradient: { ...unary((x) => x, ["f32", "i32", "u32", "bool"]), still: true },
  add: binary((a, b, f, dtype) => (whole(dtype) ? fn.wrapped[dtype](a + b) : f(a + b))),
  sub: binary(
    (a, b, f, dtype) => (whole(dtype) ? fn.wrapped[dtype](a - b) : f(a - b)),
    ["f32", "i32"],
  ),
  mul: binary((a, b, f, dtype) => (whole(dtype) ? fn.wrapped[dtype](Math.imul(a, b)) : f(a * b))),
  div: binary((a, b, f, dtype) => (whole(dtype) ? fn.divided(a, b, dtype) : f(a / b, 4))),
  maximum: binary((a, b) => Math.max(a, b)),
  minimum: binary((a, b) => Math.min(a, b)),
  eq: compared((a, b) => a === b),
  ne: compared((a, b) => a !== b),
  lt: compared((a, b) => a < b),
  le: compared((a, b) => a <= b),
  gt: compared((a, b) => a > b),
  ge: compared((a, b) => a >= b),
  and: binary((a, b) => a * b, ["bool"]),
  or: binary((a, b) => Math.max(a, b), ["bool"]),
  pow: known(
    (d) => {
      const whole = d.random.chance(0.6);
      const x = whole || d.random.chance(0.3) ? d.floats() : d.fresh("f32", d.shape(2), "positive");
      return [x, whole ? d.random.between(-4, 18) : d.random.pick([0.5, 1.5, -0.5, 2.5, 0.1, 3.7])];
    },
    (f, x: Dense, exponent: number) =>
      make("f32", x.shape, (p) => {
        // By a half it is the square root, as in PyTorch: of -Infinity that is NaN.
        const y = exponent === 0.5 ? Math.sqrt(spread(x, p)) : spread(x, p) ** exponent;
        return f(y, 8 + 16 * Math.abs(Math.log(Math.abs(y)) || 0) + 2 * Math.abs(exponent));
      }),
  ),
  oneMinusPower: known(
    (d) => [d.fresh("f32", d.shape(2), "positive"), d.random.pick([0.5, 0.9, 0.999, 0.01])],
    (f, x: Dense, base: number) =>
      make("f32", x.shape, (p) => f(-Math.expm1(spread(x, p) * Math.log(base)), 16)),
  ),
  where: known(
    (d) =>
      picking(
        d,
        d.some(({ dtype }) => dtype === "bool"),
        ["f32", "i32", "u32"],
      ),
    (f, c: Dense, yes: Dense | number, no: Dense | number) => chosen(f, c, yes, no, (v) => v !== 0),
  ),
  selectPositive: known(
    (d) => picking(d, d.floats(), ["f32"]),
    (f, c: Dense, yes: Dense | number, no: Dense | number) => chosen(f, c, yes, no, (v) => v > 0),
    // The flag is a choice: no derivative goes through it.
  ),
  cast: known(
    (d) => [d.some(), d.random.pick(["f32", "i32", "u32", "bool"])],
    (f, x: Dense, dtype: DType) =>
      make(dtype, x.shape, (p) => casted(spread(x, p), x.dtype, dtype, f)),
    { still: ([x, dtype]) => (x as Dense).dtype !== dtype },
  ),
  full: known(
    (d) => {
      const dtype = d.random.pick(["f32", "i32", "u32", "bool"] as const);
      const special = [Infinity, -Infinity, NaN, -3.4028234663852886e38, -0, 1e-40];
      const value =
        dtype === "bool"
          ? d.random.below(2)
          : dtype === "f32" && d.random.chance(0.3)
            ? d.random.pick(special)
            : numberOf(d, dtype);
      return [value, d.shape(d.random.below(4)), dtype];
    },
    (f, value: number, shape: readonly number[], dtype: DType = "f32") =>
      make(dtype, shape, () =>
        dtype === "f32" ? f.stored(f.exact ? value : Math.fround(value)) : value,
      ),
  ),
  iota: known(
    (d) => {
      const shape = d.shape(1 + d.random.below(3));
      return [shape, d.random.below(shape.length)];
    },
    (_f, shape: readonly number[], axis: number) => make("i32", shape, (p) => p[axis]!),
  ),
};

/** Of the size of the number's own rounding far from zero, but never beyond one. */
function turned(of: (x: number) => number, x: number, f: Arithmetic): number {
  const off = Math.abs(x) > 1e4 ? Math.abs(x) * 2 ** -22 : 0;
  const y = f(of(x), 4, 4e-7 + Math.min(off, 1));
  return f.exact || Number.isNaN(y) ? y : Math.max(-1, Math.min(1, y));
}

function casted(x: number, from: DType, to: DType, f: Arithmetic): number {
  if (from === to) return x;
  if (to === "bool") return Number(x !== 0);
  if (to === "f32") return f(x);
  if (from === "f32") return fn.toWhole(x, to);
  return fn.wrapped[to](x);
}
