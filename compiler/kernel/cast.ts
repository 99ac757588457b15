/** What becomes of a number in another type. */
import type { Scalar } from "./ir.ts";

/** The ends of what `cast` makes of an `f32`: numbers of both types. */
export const castRange = { i32: [-2147483648, 2147483520], u32: [0, 4294967040] } as const;

/** What `cast` makes of a number: see the meaning of kernel IR (`ir.ts`). */
export function castNumber(value: number, from: Scalar, to: Scalar): number {
  if (to === "f32" || to === "bool") return value;
  if (from !== "f32") return to === "i32" ? value | 0 : value >>> 0;
  if (Number.isNaN(value)) return 0;
  const [low, high] = castRange[to];
  return Math.trunc(Math.min(Math.max(value, low), high)) + 0;
}
