/**
 * Types that WGSL has for memory, beside those that it computes with here: their values are widened where
 * they are loaded, and rounded where they are stored.
 */
import type { FormatName } from "../../../formats/index.ts";

export interface MemoryType {
  /** What a text that has the type begins with. */
  readonly feature: string;
  /** One value, and four of them as a `vec4f`. */
  load(value: string): string;
  load4(values: string): string;
  /** `isExact` says that the value needs no rounding. */
  store(value: string, isExact: boolean): string;
  /** A function that rounds, and its text. */
  readonly round: string;
  readonly text: readonly string[];
}

/**
 * To the nearest half, ties to even. WGSL leaves open which way `f16(x)` rounds and what it makes
 * of numbers out of range. So normal numbers are rounded by their bits first, and what rounds to 65536
 * or more becomes infinite by its bits, since no literal is infinite: an overflow must be noticed.
 * Below 2^-14 the device rounds, or flushes to zero.
 */
const roundHalf = [
  "fn round_half(x: f32) -> f16 {",
  "  let bits = bitcast<u32>(x);",
  "  let size = bits & 0x7fffffffu;",
  "  let near = (size + 0xfffu + ((size >> 13u) & 1u)) & 0xffffe000u;",
  "  let beyond = near >= 0x47800000u;",
  "  let kept = select(select(near, size, size < 0x38800000u), 0u, beyond);",
  "  let above = ((bits >> 16u) & 0x8000u) | select(0x7c00u, 0x7e00u, size > 0x7f800000u);",
  "  let number = f16(bitcast<f32>(kept | (bits & 0x80000000u)));",
  "  return select(number, bitcast<vec2<f16>>(above).x, beyond);",
  "}",
  "",
];

export const memoryTypes: Partial<Record<FormatName | "bool", MemoryType>> = {
  f16: {
    feature: "f16",
    load: (value) => `f32(${value})`,
    load4: (values) => `vec4f(${values})`,
    store: (value, isExact) => `${isExact ? "f16" : "round_half"}(${value})`,
    round: "round_half",
    text: roundHalf,
  },
};
