/**
 * Ports: the only doors through which a kernel touches global memory.
 *
 * The fuser hands a kernel its inputs as `In` and its results as `Out`. Whatever melted in front
 * (a transpose, a window partition, padding) is inside `at`; whatever melted behind (bias,
 * activation, residual) is inside `put`. A hand-written kernel is therefore fusible by construction.
 */
import type { DType } from "../graph/tensor.ts";
import type { Panels } from "../plan.ts";
import type { Builder } from "./builder.ts";
import type { Buffer } from "./ir.ts";
import { index, type Value } from "./value.ts";

export interface In {
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** The element at `coords`. Coordinates must be inside the shape. */
  at(...coords: Value[]): Value;
  /**
   * Where the tensor lies in memory, for kernels that load more than an element at a time. Absent where
   * something melted in front: then its elements lie nowhere. Booleans are stored as something else, and
   * have none either.
   */
  plain?(): PlainMemory;
  /** It is a matrix in memory in panels of so many columns. */
  readonly panel?: number;
}

export interface Out {
  readonly shape: readonly number[];
  readonly dtype: DType;
  put(value: Value, ...coords: Value[]): void;
  /** Where the result lies in memory. Absent where something melted behind, and for booleans. */
  plain?(): PlainMemory;
}

/** A tensor in memory: element `coords` is at `offset` plus the sum of each coordinate times its stride. */
export interface PlainMemory {
  readonly buffer: Buffer;
  /** In elements, one for each axis. */
  readonly strides: readonly number[];
  /** In elements. */
  readonly offset: number;
}

/** Row-major offset of coordinates. */
export const flatten = (shape: readonly number[], coords: readonly Value[]): Value =>
  coords.reduce((sum, c, i) => sum.mul(shape[i]!).add(c), index(0));

/** Elements between neighbours along each axis, row-major. */
export function rowMajor(shape: readonly number[]): number[] {
  const strides: number[] = [];
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides.unshift(stride);
    stride *= shape[axis]!;
  }
  return strides;
}

/** Coordinates of a row-major offset. */
export function unflatten(shape: readonly number[], offset: Value): Value[] {
  const coords: Value[] = [];
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis]!;
    const shifted = offset.div(stride);
    coords.unshift(axis === 0 && offset.bound < size * stride ? shifted : shifted.mod(size));
    stride *= size;
  }
  return coords;
}

/** Parts along the first axis that do not follow each other at once are `stride` elements apart. */
export function readPort(
  k: Builder,
  from: Buffer,
  shape: readonly number[],
  dtype: DType,
  stride?: number,
): In {
  const place = (coords: readonly Value[]) =>
    stride === undefined
      ? flatten(shape, coords)
      : coords[0]!.mul(stride).add(flatten(shape.slice(1), coords.slice(1)));
  const strides = rowMajor(shape);
  if (stride !== undefined) strides[0] = stride;
  return {
    shape,
    dtype,
    at: (...coords) => {
      const value = k.load(from, place(coords));
      return dtype === "bool" ? value.eq(0).not() : value;
    },
    ...plainPort(from, strides, dtype),
  };
}

/** A matrix that lies in panels. */
export function panelPort(
  k: Builder,
  from: Buffer,
  shape: readonly number[],
  { width, turned }: Panels,
): In {
  const rows = shape[turned ? 1 : 0]!;
  return {
    ...{ shape, dtype: "f32" },
    at(first, second) {
      const [row, column] = turned ? [second!, first!] : [first!, second!];
      const panel = column.div(width).mul(rows * width);
      return k.load(from, panel.add(row.mul(width)).add(column.mod(width)));
    },
  };
}

const plainPort = (buffer: Buffer, strides: readonly number[], dtype: DType) =>
  dtype === "bool" ? {} : { plain: (): PlainMemory => ({ buffer, strides, offset: 0 }) };

export function writePort(k: Builder, to: Buffer, shape: readonly number[], dtype: DType): Out {
  return {
    shape,
    dtype,
    ...plainPort(to, rowMajor(shape), dtype),
    put: (value, ...coords) =>
      k.store(
        to,
        flatten(shape, coords),
        dtype === "bool" ? value.select(index(1), index(0)) : value,
      ),
  };
}
