/**
 * The functions that kernels in C call, and the types of vectors: each stands behind a guard, so that the texts
 * of several kernels can be one file. `LANES` is how many numbers a vector has; who compiles the text says it.
 *
 * `exp`, `log` and `tanh` are polynomials after an exact range reduction (those of Cephes), for every number:
 * within 1.2, 1 and 2 units in the last place of what is exact (`functionBounds`), and what limits say for
 * zeros, infinities and NaN. Where `exp` is below the least normal number it is 0.
 */

import { castRange } from "../../kernel/cast.ts";

/** How far results may be from exact ones, in units in the last place. Tests hold them to it. */
export const functionBounds = { exp: 1.2, log: 1, tanh: 2 } as const;

/**
 * A vector has the type of its lanes: `vf` of `f32`, `vi` of `i32`, `vu` of `u32`; conditions are `vi`, all bits
 * or none. Those that end with `_at` lie anywhere in memory. `v0` is 0 in all lanes: `s - (vf)v0` is `s` in all,
 * whatever zero it is.
 */
const types = `
typedef float vf __attribute__((vector_size(4 * LANES)));
typedef int vi __attribute__((vector_size(4 * LANES)));
typedef unsigned vu __attribute__((vector_size(4 * LANES)));
typedef unsigned short vh __attribute__((vector_size(2 * LANES)));
typedef float vf_at __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef unsigned short vh_at __attribute__((vector_size(2 * LANES), aligned(2), may_alias));
#define FN static inline __attribute__((always_inline, unused))
#define CALLED static __attribute__((noinline, unused))
#define EACH for (int l = 0; l < LANES; ++l)
static const vu steps = {
#if LANES == 4
  0, 1, 2, 3
#elif LANES == 8
  0, 1, 2, 3, 4, 5, 6, 7
#else
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
#endif
};
FN vf all_vf(float s) { return s - (vf){0}; }
FN vi all_vi(int s) { return s + (vi){0}; }
FN vu all_vu(unsigned s) { return s + (vu){0}; }`;

const fold = (name: string, type: string, scalar: string, both: string) => `
FN ${scalar} ${name}(${type} x) {
#if LANES >= 16
  for (int l = 0; l < 8; ++l) x[l] = ${both.replaceAll("$", "8")};
#endif
#if LANES >= 8
  for (int l = 0; l < 4; ++l) x[l] = ${both.replaceAll("$", "4")};
#endif
  for (int l = 0; l < 2; ++l) x[l] = ${both.replaceAll("$", "2")};
  const int l = 0;
  return ${both.replaceAll("$", "1")};
}`;

const folds = (type: "f" | "i" | "u", scalar: string) => {
  const call = (name: string) => `${name}_${type}(x[l], x[l + $])`;
  return {
    [`add_v${type}`]: fold(`add_v${type}`, `v${type}`, scalar, "x[l] + x[l + $]"),
    [`high_v${type}`]: fold(`high_v${type}`, `v${type}`, scalar, call("max")),
    [`low_v${type}`]: fold(`low_v${type}`, `v${type}`, scalar, call("min")),
  };
};

/** By the name of what a text calls. What is long is not made a part of every caller: that takes compilers seconds. */
const functions: Readonly<Record<string, string>> = {
  any: `
CALLED int any(vi m) {
  int all = 0;
  EACH all |= m[l];
  return all;
}`,
  every: `
CALLED int every(vi m) {
  int all = -1;
  EACH all &= m[l];
  return all;
}`,
  pick_vf: `
FN vf pick_vf(vi c, vf yes, vf no) { return (vf)((c & (vi)yes) | (~c & (vi)no)); }`,
  pick_vi: `
FN vi pick_vi(vi c, vi yes, vi no) { return (c & yes) | (~c & no); }`,
  pick_vu: `
FN vu pick_vu(vi c, vu yes, vu no) { return ((vu)c & yes) | (~(vu)c & no); }`,
  ...Object.fromEntries(
    (["vf", "vi", "vu"] as const).map((type) => [
      `or_first_${type}`,
      `\nFN ${type} or_first_${type}(vi c, ${type} x) { return pick_${type}(c, x, all_${type}(x[0])); }`,
    ]),
  ),
  // The second one where either is NaN.
  max_first_vf: `
FN vf max_first_vf(vf x, vf y) { return pick_vf(x > y, x, y); }`,
  min_first_vf: `
FN vf min_first_vf(vf x, vf y) { return pick_vf(x < y, x, y); }`,
  max_vf: `
FN vf max_vf(vf x, vf y) { return pick_vf((x > y) | (x != x), x, y); }`,
  min_vf: `
FN vf min_vf(vf x, vf y) { return pick_vf((x < y) | (x != x), x, y); }`,
  max_f: `
FN float max_f(float x, float y) { return x > y || x != x ? x : y; }`,
  min_f: `
FN float min_f(float x, float y) { return x < y || x != x ? x : y; }`,
  max_i: `
FN int max_i(int x, int y) { return x > y ? x : y; }`,
  min_i: `
FN int min_i(int x, int y) { return x < y ? x : y; }`,
  max_u: `
FN long max_u(long x, long y) { return x > y ? x : y; }`,
  min_u: `
FN long min_u(long x, long y) { return x < y ? x : y; }`,
  max_vi: `
FN vi max_vi(vi x, vi y) { return pick_vi(x > y, x, y); }`,
  min_vi: `
FN vi min_vi(vi x, vi y) { return pick_vi(x < y, x, y); }`,
  max_vu: `
FN vu max_vu(vu x, vu y) { return pick_vu(x > y, x, y); }`,
  min_vu: `
FN vu min_vu(vu x, vu y) { return pick_vu(x < y, x, y); }`,
  abs_f: `
FN float abs_f(float x) { return __builtin_fabsf(x); }`,
  abs_vf: `
FN vf abs_vf(vf x) { return (vf)((vi)x & 0x7fffffff); }`,
  abs_i: `
FN int abs_i(int x) { return x < 0 ? -x : x; }`,
  abs_vi: `
FN vi abs_vi(vi x) { return pick_vi(x < 0, -x, x); }`,
  floor_f: `
FN float floor_f(float x) { return __builtin_floorf(x); }`,
  floor_vf: `
FN vf floor_vf(vf x) { vf y; EACH y[l] = __builtin_floorf(x[l]); return y; }`,
  sqrt_f: `
FN float sqrt_f(float x) { return __builtin_sqrtf(x); }`,
  sqrt_vf: `
FN vf sqrt_vf(vf x) { vf y; EACH y[l] = __builtin_sqrtf(x[l]); return y; }`,
  // A number divided by 0 stays, and leaves nothing. The least one has no opposite.
  div_i: `
FN int div_i(int a, int b) { return b == 0 ? a : b == -1 ? -a : a / b; }`,
  div_u: `
FN long div_u(long a, long b) { return b == 0 ? a : (unsigned)a / (unsigned)b; }`,
  div_vi: `
CALLED vi div_vi(vi a, vi b) { vi y; EACH y[l] = div_i(a[l], b[l]); return y; }`,
  div_vu: `
CALLED vu div_vu(vu a, vu b) { vu y; EACH y[l] = b[l] == 0 ? a[l] : a[l] / b[l]; return y; }`,
  mod_i: `
FN int mod_i(int a, int b) { return b == 0 || b == -1 ? 0 : a % b; }`,
  mod_u: `
FN long mod_u(long a, long b) { return b == 0 ? 0 : (unsigned)a % (unsigned)b; }`,
  mod_vi: `
CALLED vi mod_vi(vi a, vi b) { vi y; EACH y[l] = mod_i(a[l], b[l]); return y; }`,
  mod_vu: `
CALLED vu mod_vu(vu a, vu b) { vu y; EACH y[l] = b[l] == 0 ? 0 : a[l] % b[l]; return y; }`,
  // Patterns of numbers.
  bits_f: `
FN long bits_f(float x) { union { float f; unsigned u; } of = {x}; return of.u; }`,
  float_u: `
FN float float_u(long x) { union { unsigned u; float f; } of = {(unsigned)x}; return of.f; }`,
  int_f: `
FN int int_f(float x) {
  return x != x ? 0 : (int)(x < ${castRange.i32[0]}.0f ? ${castRange.i32[0]}.0f : x > ${castRange.i32[1]}.0f ? ${castRange.i32[1]}.0f : x);
}`,
  unsigned_f: `
FN long unsigned_f(float x) {
  return x != x ? 0 : (long)(x < 0.0f ? 0.0f : x > ${castRange.u32[1]}.0f ? ${castRange.u32[1]}.0f : x);
}`,
  int_vf: `
CALLED vi int_vf(vf x) { vi y; EACH y[l] = int_f(x[l]); return y; }`,
  unsigned_vf: `
CALLED vu unsigned_vf(vf x) { vu y; EACH y[l] = (unsigned)unsigned_f(x[l]); return y; }`,
  number_vi: `
FN vf number_vi(vi x) { return __builtin_convertvector(x, vf); }`,
  number_vu: `
FN vf number_vu(vu x) { vf y; EACH y[l] = (float)x[l]; return y; }`,
  ...folds("f", "float"),
  ...folds("i", "int"),
  ...folds("u", "unsigned"),
  // Infinity and NaN have the largest exponent as halves and as singles.
  half_vu: `
FN vf half_vu(vu bits) {
  const vu size = (bits & 0x7fff) << 13;
  const vu end = (vu)(size >= (0x7c00u << 13)) & 0x7f800000;
  return (vf)((vu)((vf)size * 0x1p112f) | end | (bits & 0x8000) << 16);
}`,
  half_u: `
FN float half_u(long bits) { return half_vu(all_vu((unsigned)bits))[0]; }`,
  // To the nearest, ties to even. From 65520 on infinite.
  round_vf: `
CALLED vh round_vf(vf x) {
  const vu size = (vu)x & 0x7fffffff;
  const vu normal = (size + ((size >> 13) & 1) + 0xc8000fffu) >> 13;
  const vu small = (vu)((vf)size + 0.5f) - (vu)all_vf(0.5f);
  vu half = pick_vu(size >= 0x38800000u, normal, small);
  half = pick_vu(size >= 0x477ff000u, all_vu(0x7c00), half);
  half = pick_vu(size > 0x7f800000u, all_vu(0x7e00), half);
  return __builtin_convertvector(half | ((vu)x >> 16 & 0x8000), vh);
}`,
  round_f: `
FN unsigned short round_f(float x) { return round_vf(all_vf(x))[0]; }`,
  bfloat_vu: `
FN vf bfloat_vu(vu bits) { return (vf)(bits << 16); }`,
  bfloat_u: `
FN float bfloat_u(long bits) { return bfloat_vu(all_vu((unsigned)bits))[0]; }`,
  // To the nearest, ties to even. NaN is cut and made quiet.
  round_bfloat_vf: `
FN vh round_bfloat_vf(vf x) {
  const vu bits = (vu)x;
  const vu near = bits + 0x7fff + ((bits >> 16) & 1);
  const vi isNan = (bits & 0x7fffffff) > 0x7f800000u;
  return __builtin_convertvector(pick_vu(isNan, bits | 0x400000, near) >> 16, vh);
}`,
  round_bfloat_f: `
FN unsigned short round_bfloat_f(float x) { return round_bfloat_vf(all_vf(x))[0]; }`,
  // Below the least normal number exp is 0: processors take long to multiply by less.
  exp_vf: `
CALLED vf exp_vf(vf x) {
  const vf last = x * 1.44269504088896341f + 12582912.0f;
  const vf n = last - 12582912.0f;
  vf r = n * -0.693359375f + x;
  r = n * 2.1219444e-4f + r;
  vf p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  // Times 2^n: what is in the last bits of a number of this size is n.
  p = (vf)((vi)p + ((vi)last << 23));
  p = pick_vf(x < 88.722839f, p, x * __builtin_inff());
  return (vf)((vi)p & ~(x < -87.33654f));
}`,
  exp_f: `
FN float exp_f(float x) { return exp_vf(all_vf(x))[0]; }`,
  // x = 2^e m with m from the root of a half to that of 2. Below the normal numbers x is multiplied by 2^25 first.
  log_vf: `
CALLED vf log_vf(vf x) {
  const vi isSmall = x < 0x1p-126f;
  vf m = pick_vf(isSmall, x * 0x1p25f, x);
  const vi above = (vi)m - 0x3f3504f3 >> 23;
  m = (vf)((vi)m - (above << 23)) - 1.0f;
  const vf e = number_vi(above - (isSmall & 25));
  const vf square = m * m;
  vf p = m * 7.0376836292e-2f + -1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m + -1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m + -1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m + -2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  p = p * m * square + e * -2.12194440e-4f - square * 0.5f + m + e * 0.693359375f;
  p = pick_vf(x <= 0.0f, pick_vf(x == 0.0f, all_vf(-__builtin_inff()), all_vf(__builtin_nanf(""))), p);
  return pick_vf(x < __builtin_inff(), p, x);
}`,
  log_f: `
FN float log_f(float x) { return log_vf(all_vf(x))[0]; }`,
  // Near 0 a polynomial, else 1 - 2 / (exp(2 |x|) + 1).
  tanh_vf: `
CALLED vf tanh_vf(vf x) {
  const vf size = abs_vf(x);
  const vf far = 1.0f - 2.0f / (exp_vf(size + size) + 1.0f);
  const vf square = size * size;
  vf p = square * -5.70498872745e-3f + 2.06390887954e-2f;
  p = p * square + -5.37397155531e-2f;
  p = p * square + 1.33314422036e-1f;
  p = p * square + -3.33332819422e-1f;
  p = p * square * size + size;
  return (vf)((vi)pick_vf(size < 0.625f, p, far) | ((vi)x & (int)0x80000000));
}`,
  tanh_f: `
FN float tanh_f(float x) { return tanh_vf(all_vf(x))[0]; }`,
  // Words and halves of memory: neighbours, by steps, anywhere.
  line_w: `
FN vf line_w(const void *from) { return *(const vf_at *)from; }`,
  line_h: `
FN vu line_h(const void *from) { return __builtin_convertvector(*(const vh_at *)from, vu); }`,
  strided_w: `
CALLED vf strided_w(const void *from, long by) { vf y; EACH y[l] = ((const float *)from)[by * l]; return y; }`,
  strided_h: `
CALLED vu strided_h(const void *from, long by) { vu y; EACH y[l] = ((const unsigned short *)from)[by * l]; return y; }`,
  gather_w: `
CALLED vf gather_w(const void *from, vu at) { vf y; EACH y[l] = ((const float *)from)[at[l]]; return y; }`,
  gather_h: `
CALLED vu gather_h(const void *from, vu at) { vu y; EACH y[l] = ((const unsigned short *)from)[at[l]]; return y; }`,
  // Whether places that are not known follow each other is asked while the kernel runs.
  likely_w: `
CALLED vf likely_w(const void *from, vu at) {
  return every(at == at[0] + steps) ? line_w((const float *)from + at[0]) : gather_w(from, at);
}`,
  put_w: `
FN void put_w(void *to, vf x) { *(vf_at *)to = x; }`,
  put_h: `
FN void put_h(void *to, vh x) { *(vh_at *)to = x; }`,
  scatter_w: `
CALLED void scatter_w(void *to, vu at, vf x) { EACH ((float *)to)[at[l]] = x[l]; }`,
  scatter_h: `
CALLED void scatter_h(void *to, vu at, vh x) { EACH ((unsigned short *)to)[at[l]] = x[l]; }`,
  scatter_w_if: `
CALLED void scatter_w_if(vi c, void *to, vu at, vf x) { EACH if (c[l]) ((float *)to)[at[l]] = x[l]; }`,
  scatter_h_if: `
CALLED void scatter_h_if(vi c, void *to, vu at, vh x) { EACH if (c[l]) ((unsigned short *)to)[at[l]] = x[l]; }`,
};

/** What names may not be: of functions, types and macros, and of what every kernel is called with. */
export const ownNames: readonly string[] = [
  ...Object.keys(functions),
  ...["vf", "vi", "vu", "vh", "vf_at", "vh_at", "FN", "CALLED", "EACH", "LANES", "steps", "l"],
  ...["all_vf", "all_vi", "all_vu", "buffers", "scratch", "first", "end", "columns", "rows"],
  ...["group", "group_x", "group_y", "group_z", "thread", "vector", "own", "owns", "shared"],
];

/** The types, and the functions that a text calls, in an order in which each stands behind what it calls. */
export function functionsFor(text: string): string {
  const order = new Set<string>();
  const add = (of: string): void => {
    for (const [called] of of.matchAll(/\b[a-z]\w*(?=\()/g))
      if (called in functions && !order.has(called)) {
        const own = functions[called]!;
        add(own.replace(`${called}(`, "("));
        order.add(called);
      }
  };
  add(text);
  const guarded = (name: string, of: string) =>
    `#ifndef HAS_${name}\n#define HAS_${name}${of}\n#endif\n`;
  return [guarded("types", types), ...[...order].map((n) => guarded(n, functions[n]!))].join("");
}
