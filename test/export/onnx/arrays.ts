/** Arithmetic of arrays that the operators of the tests' evaluator are written with. */
import type { OnnxArray } from "./evaluate.ts";

export const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** The coordinates of the element at `flat`. */
export function unflatten(shape: readonly number[], flat: number): number[] {
  const at = Array<number>(shape.length);
  let rest = flat;
  for (let i = shape.length - 1; i >= 0; i--) {
    at[i] = rest % shape[i]!;
    rest = Math.floor(rest / shape[i]!);
  }
  return at;
}

export const flatten = (shape: readonly number[], at: readonly number[]): number =>
  shape.reduce((flat, n, i) => flat * n + at[i]!, 0);

/** An array of `shape` from what stands at each place. */
export function build(
  type: number,
  shape: readonly number[],
  at: (coordinates: number[]) => number,
): OnnxArray {
  const data = Float64Array.from({ length: count(shape) }, (_, i) => at(unflatten(shape, i)));
  return { type, shape, data };
}

export const read = (x: OnnxArray, at: readonly number[]): number => x.data[flatten(x.shape, at)]!;

/** Refuses shapes that do not broadcast. */
export function broadcast(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [m, n] = [a[a.length - rank + i] ?? 1, b[b.length - rank + i] ?? 1];
    if (m !== n && m !== 1 && n !== 1) throw new TypeError(`[${a}] and [${b}] do not broadcast`);
    return m === 1 ? n : m;
  });
}

/** The element of `x` where it is broadcast. */
export const readBroadcast = (x: OnnxArray, at: readonly number[]): number =>
  read(
    x,
    x.shape.map((n, i) => (n === 1 ? 0 : at[at.length - x.shape.length + i]!)),
  );

/** An operator that works element by element on operands of one type. */
export function elementwise(
  type: number | undefined,
  of: (...values: number[]) => number,
): (x: readonly (OnnxArray | undefined)[]) => OnnxArray[] {
  return (x) => {
    const operands = x.map((one) => one!);
    if (operands.some((one) => one.type !== operands[0]!.type))
      throw new TypeError(`operands of types ${operands.map((one) => one.type)}`);
    const shape = operands.map((one) => one.shape).reduce(broadcast);
    const result = type ?? operands[0]!.type;
    const wrap = wrapping[result] ?? ((v: number) => v);
    return [
      build(result, shape, (at) => wrap(of(...operands.map((one) => readBroadcast(one, at))))),
    ];
  };
}

/** What whole numbers become that leave their type, or are no whole numbers. */
export const wrapping: Readonly<Record<number, (v: number) => number>> = {
  6: (v) => v | 0,
  12: (v) => v >>> 0,
};
