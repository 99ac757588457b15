/**
 * How WGSL spells halves. Devices with the feature `shader-f16` have a type for them. The others read
 * two from a word, with functions that WGSL always has; writing one of the two would be a race with
 * whoever writes the other, so on them halves are only read.
 */
import { bug } from "../../../diagnostics/index.ts";
import type { Buffer } from "../../kernel/ir.ts";

export interface HalfSpelling {
  /** The element of a buffer in memory, or four of them. */
  element(b: Buffer, isVector: boolean): string;
  load(name: string, index: string): string;
  /** Four neighbours, as a `vec4f`. */
  load4(name: string, index: string): string;
  /** `isHalf` says that the value needs no rounding. */
  store(name: string, index: string, value: string, isHalf: boolean): string;
}

export const ownHalves: HalfSpelling = {
  element: (_b, isVector) => (isVector ? "vec4<f16>" : "f16"),
  load: (name, index) => `f32(${name}[${index}])`,
  load4: (name, index) => `vec4f(${name}[${index}])`,
  store: (name, index, value, isHalf) =>
    `${name}[${index}] = ${isHalf ? "f16" : "round_half"}(${value});`,
};

export const packedHalves: HalfSpelling = {
  element(b, isVector) {
    if (b.writable || b.space !== "global") bug(`${b.name} would be written as packed halves`);
    return isVector ? "vec2<u32>" : "u32";
  },
  load: (name, index) => `unpack2x16float(${name}[(${index}) / 2u])[(${index}) % 2u]`,
  load4: (name, index) =>
    `vec4f(unpack2x16float(${name}[${index}].x), unpack2x16float(${name}[${index}].y))`,
  store: (name) => bug(`${name} is written as packed halves`),
};

/**
 * To the nearest half, ties to even. WGSL leaves open which way `f16(x)` rounds and what it makes
 * of numbers out of range. So normal numbers are rounded by their bits first, and what rounds to 65536
 * or more becomes infinite by its bits, since no literal is infinite: an overflow must be noticed.
 * Below 2^-14 the device rounds, or flushes to zero.
 */
export const roundHalf = [
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
