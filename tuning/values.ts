/** Numbers to try kernels with, and how near results must be. */
import type { DType, Type } from "../compiler/op-kit.ts";

/** Relative to an element and the tensor's root mean square: sums of thousands, in single precision. */
const tolerance = 1e-4;

/**
 * Values that repeat from run to run: floats between 1/4 and 5/4, so that roots and logarithms of
 * statistics exist; zeros where numbers may be places in other tensors.
 */
export function inputValues({ dtype, shape }: Type, seed: number): Float64Array {
  const size = shape.reduce((a, b) => a * b, 1);
  let state = Math.imul(seed + 1, 0x9e3779b1) >>> 0;
  return Float64Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    switch (dtype) {
      case "f32":
        return Math.fround(0.25 + state / 2 ** 32);
      case "bool":
        return state >>> 31;
      case "i32":
      case "u32":
        return 0;
    }
  });
}

/** Says which element is wrong first; undefined if none is. NaN is never right. */
export function mismatch(
  got: ArrayLike<number>,
  wanted: ArrayLike<number>,
  dtype: DType,
): string | undefined {
  let squares = 0;
  for (let i = 0; i < wanted.length; i++) squares += wanted[i]! ** 2;
  const usual = Math.sqrt(squares / wanted.length);
  for (let i = 0; i < wanted.length; i++) {
    const allowed = dtype === "f32" ? tolerance * (Math.abs(wanted[i]!) + usual) : 0;
    if (!(Math.abs(got[i]! - wanted[i]!) <= allowed))
      return `element ${i} is ${got[i]} instead of ${wanted[i]}`;
  }
  return undefined;
}
