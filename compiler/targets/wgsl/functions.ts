/**
 * Functions that printed texts have where they call them: what WGSL's own leave open. Drivers may assume
 * that there are no NaNs, so a NaN is told from its bits; no literal is NaN or infinite, and what an
 * argument is made of is no constant expression.
 */
import { castRange } from "../../kernel/cast.ts";
import { floatLiteral } from "../../kernel/printer.ts";

const [lowest] = castRange.i32;

/** tanh(x) / x by powers of x^2: what is left out is below 4e-9 while |x| < 0.4. */
const tanhSeries: readonly number[] = [
  1,
  -1 / 3,
  2 / 15,
  -17 / 315,
  62 / 2835,
  -1382 / 155925,
  21844 / 6081075,
];

const texts = {
  float_of: ["fn float_of(bits: u32) -> f32 { return bitcast<f32>(bits); }"],
  is_nan: ["fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) << 1u) > 0xff000000u; }"],
  max_of: [
    "fn max_of(a: f32, b: f32) -> f32 {",
    "  return select(select(max(a, b), b, is_nan(b)), a, is_nan(a));",
    "}",
  ],
  min_of: [
    "fn min_of(a: f32, b: f32) -> f32 {",
    "  return select(select(min(a, b), b, is_nan(b)), a, is_nan(a));",
    "}",
  ],
  // Drivers compute tanh from exponentials, which overflow long after tanh has reached 1, and whose digits
  // cancel near 0, where tanh(x) is nearly x. There it is its series.
  tanh_of: [
    "fn tanh_of(x: f32) -> f32 {",
    "  let square = x * x;",
    `  var near = ${floatLiteral(tanhSeries.at(-1)!)};`,
    ...tanhSeries
      .slice(0, -1)
      .reverse()
      .map((c) => `  near = fma(near, square, ${floatLiteral(c)});`),
    "  let small = exp(-2.0 * abs(x));",
    "  let far = (1.0 - small) / (1.0 + small);",
    "  let value = select(select(far, -far, x < 0.0), near * x, square < 0.16);",
    "  return select(value, x, is_nan(x));",
    "}",
  ],
  i32_of: [
    "fn i32_of(x: f32) -> i32 {",
    `  let whole = i32(clamp(x, ${lowest}.0, ${castRange.i32[1]}.0));`,
    "  return select(whole, 0i, is_nan(x));",
    "}",
  ],
  u32_of: [
    "fn u32_of(x: f32) -> u32 {",
    `  let whole = u32(clamp(x, 0.0, ${castRange.u32[1]}.0));`,
    "  return select(whole, 0u, is_nan(x));",
    "}",
  ],
  // Unsigned numbers in the order of what they stand for, NaN above all, and back.
  order_of: [
    "fn order_of(x: f32) -> u32 {",
    "  let bits = bitcast<u32>(x);",
    "  let order = select(bits | 0x80000000u, ~bits, bits >= 0x80000000u);",
    "  return select(order, 0xffffffffu, is_nan(x));",
    "}",
  ],
  ordered: [
    "fn ordered(order: u32) -> f32 {",
    "  return bitcast<f32>(select(~order, order & 0x7fffffffu, order >= 0x80000000u));",
    "}",
  ],
} as const;

/** The texts of the functions that a text calls, each before what calls it. */
export function functionsIn(body: string): readonly string[] {
  let text = body;
  const found: string[] = [];
  for (const [name, lines] of Object.entries(texts).reverse())
    if (new RegExp(`\\b${name}\\(`).test(text)) {
      found.unshift(...lines, "");
      text += lines.join("\n");
    }
  return found;
}

/** Their names, which no variable may have. */
export const functionNames = Object.keys(texts);
