/** sum, mean, max, min over axes. The sum is that of broadcast.ts; the extremes are one op. */
import {
  apply,
  checkOneOf,
  type DType,
  elements,
  type KernelOp,
  refuse,
  type Tensor,
} from "../../compiler/op-kit.ts";
import { add } from "../elementwise/add.ts";
import { eq } from "../elementwise/eq.ts";
import { iota } from "../elementwise/iota.ts";
import { mul } from "../elementwise/mul.ts";
import { neg } from "../elementwise/neg.ts";
import { where } from "../elementwise/where.ts";
import { axesOf } from "../views/axes.ts";
import { sumTo } from "../views/broadcast.ts";
import { permute } from "../views/permute.ts";
import { reshape } from "../views/reshape.ts";
import { type Reduction, reduceForms, reduceOracle, smallReduction } from "./reduce-kernel.ts";
import { argmax } from "./top-k.ts";

/** Whether reduced axes stay with size 1 or go away. */
export type Reduced = "keep" | "drop";

interface Attrs {
  readonly axes: readonly number[];
  readonly of: "max" | "min";
}

const extremes: Record<Attrs["of"], Reduction> = {
  max: {
    name: "max",
    neutral: lowest,
    fold: "max",
    plain: Math.max,
  },
  min: {
    name: "min",
    neutral: highest,
    fold: "min",
    plain: Math.min,
  },
};

export const op: KernelOp<Attrs> = {
  name: "extreme",
  kind: "kernel",
  type: ([x], { axes }) => [
    { dtype: x!.dtype, shape: x!.shape.map((n, i) => (axes.includes(i) ? 1 : n)) },
  ],
  forms: reduceForms(
    (_inputs, { axes }) => axes,
    ({ of }) => extremes[of],
  ),
  oracle: ([x], { axes, of }, [type]) => [reduceOracle(x!, axes, extremes[of], type!.dtype)],
  work: ([x]) => elements(x!.shape),
  small: ([x], { axes, of }) => smallReduction(op, x!, axes, extremes[of]),
  // The first of those that share the extreme takes the gradient. Its place is found anew: the input
  // may be computed again here, and then nothing says that it equals its stored extreme to the bit.
  vjp: ([g], { inputs: [x], attrs }) => [atExtreme(x!, g!, attrs)],
  note: ({ of, axes }) => `${of} over ${axes.join(", ")}`,
  tests: {
    samples: [
      {
        inputs: [
          [
            [1, 5, 3],
            [-4, -6, -5],
          ],
        ],
        call: (x) => [max(x!, 1), min(x!, 0, "keep")],
        outputs: [[5, -4], [[-4, -6, -5]]],
      },
      {
        claim: "sum and mean over all axes make a scalar",
        inputs: [
          [
            [1, 2],
            [3, 4],
          ],
        ],
        call: (x) => [sum(x!), mean(x!)],
        outputs: [10, 2.5],
      },
      {
        claim: "a negative axis counts from the end",
        inputs: [
          [
            [1, 2],
            [3, 5],
          ],
        ],
        call: (x) => [sum(x!, -1), mean(x!, [-1], "keep")],
        outputs: [
          [3, 8],
          [[1.5], [4]],
        ],
      },
      {
        claim: "integers reduce",
        inputs: [{ dtype: "i32", data: [3, -7, 5] }],
        call: (x) => [max(x!), min(x!), sum(x!)],
        outputs: [
          { dtype: "i32", data: 5 },
          { dtype: "i32", data: -7 },
          { dtype: "i32", data: 1 },
        ],
      },
    ],
    cases: [
      {
        claim: "the maximum of long rows",
        inputs: [{ shape: [3, 333] }],
        call: (x) => max(x!, 1),
        smooth: true,
      },
      {
        claim: "the maximum of what is computed on the way",
        inputs: [{ shape: [5, 33] }, { shape: [5, 33] }],
        call: (x, z) => max(add(mul(x!, z!), x!) as Tensor, 1),
        smooth: true,
      },
      {
        claim: "the minimum over two axes that are apart",
        inputs: [{ shape: [3, 5, 7] }],
        call: (x) => min(x!, [0, 2]),
        smooth: true,
      },
      {
        claim: "the minimum of columns",
        inputs: [{ shape: [2, 45, 9] }],
        call: (x) => min(x!, 1),
        smooth: true,
      },
      {
        claim: "the mean over two axes",
        inputs: [{ shape: [3, 7, 11] }],
        call: (x) => mean(x!, [0, 2]),
        smooth: true,
      },
    ],
  },
};

/** `g` where the extreme of `x` is, zero elsewhere. */
function atExtreme(x: Tensor, g: Tensor, { axes, of }: Attrs): Tensor {
  const others = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const order = [...others, ...axes];
  const moved = permute(x, order);
  const rows = others.map((i) => x.shape[i]!);
  const row = [...rows, elements(x.shape) / elements(rows)];
  const flat = reshape(moved, row);
  const place = argmax(of === "max" ? flat : neg(flat as Tensor<"f32">));
  const here = eq(iota(row, rows.length), reshape(place, [...rows, 1]));
  const spread = where(here, reshape(g as Tensor<"f32">, [...rows, 1]), 0);
  const back = order.map((_, axis) => order.indexOf(axis));
  return permute(reshape(spread, moved.shape), back);
}

/** The sum over `axes` (all of them unless given). Throws E101 if there is no such axis. */
export function sum<D extends DType>(
  x: Tensor<D>,
  axes?: number | readonly number[],
  reduced: Reduced = "drop",
): Tensor<D> {
  const over = axesOf("sum", x, axes);
  checkReduced("sum", x, reduced);
  return finished(sumTo(x, withOnes(x, over)), x, over, reduced);
}

/** The mean over `axes` (all of them unless given) of a float32 tensor. Throws E101. */
export function mean<D extends DType>(
  x: Tensor<D>,
  axes?: number | readonly number[],
  reduced: Reduced = "drop",
): Tensor<D> {
  const over = axesOf("mean", x, axes);
  checkReduced("mean", x, reduced);
  if (x.dtype !== "f32") refuse("mean", [x], `takes f32, not ${x.dtype}`, 'use cast(x, "f32")');
  const total = sumTo(x, withOnes(x, over));
  return finished(mul(total, elements(total.shape) / elements(x.shape)), x, over, reduced);
}

/** The largest element over `axes` (all of them unless given). Throws E101. */
export function max<D extends DType>(
  x: Tensor<D>,
  axes?: number | readonly number[],
  reduced: Reduced = "drop",
): Tensor<D> {
  return extreme("max", x, axes, reduced);
}

/** The smallest element over `axes` (all of them unless given). Throws E101. */
export function min<D extends DType>(
  x: Tensor<D>,
  axes?: number | readonly number[],
  reduced: Reduced = "drop",
): Tensor<D> {
  return extreme("min", x, axes, reduced);
}

function extreme<D extends DType>(
  of: Attrs["of"],
  x: Tensor<D>,
  axes: number | readonly number[] | undefined,
  reduced: Reduced,
): Tensor<D> {
  const over = axesOf(of, x, axes);
  checkReduced(of, x, reduced);
  if (x.dtype === "bool") refuse(of, [x], "takes numbers, not bool", 'use cast(x, "i32")');
  const y = over.length === 0 ? x : (apply(op, [x], { axes: over, of })[0] as Tensor<D>);
  return finished(y, x, over, reduced);
}

const checkReduced = (name: string, x: Tensor, reduced: Reduced): void =>
  checkOneOf(name, [x], "what becomes of reduced axes", reduced, ["drop", "keep"]);

const withOnes = (x: Tensor, axes: readonly number[]) =>
  x.shape.map((n, i) => (axes.includes(i) ? 1 : n));

function finished<D extends DType>(
  y: Tensor<D>,
  x: Tensor,
  axes: readonly number[],
  reduced: Reduced,
): Tensor<D> {
  if (reduced === "keep") return y;
  const shape = x.shape.filter((_, i) => !axes.includes(i));
  return reshape(y, shape) as unknown as Tensor<D>;
}

/** The extreme numbers of each type. */
function lowest(dtype: DType): number {
  return dtype === "f32" ? Number.NEGATIVE_INFINITY : dtype === "i32" ? -2147483648 : 0;
}

function highest(dtype: DType): number {
  return dtype === "f32" ? Number.POSITIVE_INFINITY : dtype === "i32" ? 2147483647 : 4294967295;
}
