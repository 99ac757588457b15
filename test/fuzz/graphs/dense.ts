/** Tensors of plain numbers, and the walks over them that the oracle is made of. */
import type { DType } from "../../../compiler/graph/tensor.ts";

export interface Dense {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Row-major. Whole numbers of 32 bits are exact; conditions are 0 and 1. */
  readonly data: Float64Array;
}

export const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export const isDense = (x: unknown): x is Dense =>
  typeof x === "object" && x !== null && "data" in x && "dtype" in x;

export type Place = readonly number[];

export const flat = (shape: readonly number[], at: Place): number =>
  shape.reduce((sum, n, i) => sum * n + at[i]!, 0);

/** Calls `visit` with every place of a shape, in row-major order. */
export function eachPlace(shape: readonly number[], visit: (at: number[], i: number) => void) {
  const total = count(shape);
  const at = shape.map(() => 0);
  for (let i = 0; i < total; i++) {
    visit(at, i);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at[axis]!++;
      if (at[axis]! < shape[axis]!) break;
      at[axis] = 0;
    }
  }
}

export function make(dtype: DType, shape: readonly number[], of: (at: number[]) => number): Dense {
  const data = new Float64Array(count(shape));
  eachPlace(shape, (at, i) => {
    data[i] = of(at);
  });
  return { dtype, shape: [...shape], data };
}

export const read = (x: Dense, at: Place): number => x.data[flat(x.shape, at)]!;

/** The element that a broadcast tensor has at a place of the wider shape. */
export const spread = (x: Dense, at: Place): number => {
  const lead = at.length - x.shape.length;
  return x.data[x.shape.reduce((sum, n, i) => sum * n + (n === 1 ? 0 : at[lead + i]!), 0)]!;
};

export function broadcast(...shapes: readonly (readonly number[])[]): number[] | undefined {
  const rank = Math.max(...shapes.map((s) => s.length));
  const out: number[] = [];
  for (let i = 0; i < rank; i++) {
    let size = 1;
    for (const s of shapes) {
      const n = s[s.length - rank + i] ?? 1;
      if (n !== 1 && size !== 1 && n !== size) return undefined;
      if (n !== 1) size = n;
    }
    out.push(size);
  }
  return out;
}

export const without = (shape: readonly number[], axes: readonly number[]): number[] =>
  shape.filter((_, i) => !axes.includes(i));

/** `x` as lines along some axes: of each place of the others, the elements there. */
export function lines(
  x: Dense,
  axes: readonly number[],
  visit: (line: number[], at: number[]) => void,
): void {
  const rest = x.shape.map((n, i) => (axes.includes(i) ? 1 : n));
  const along = x.shape.map((n, i) => (axes.includes(i) ? n : 1));
  eachPlace(rest, (at) => {
    const line: number[] = [];
    eachPlace(along, (step) => {
      line.push(
        read(
          x,
          at.map((c, i) => c + step[i]!),
        ),
      );
    });
    visit(line, [...at]);
  });
}
