/** Axes and sizes as users write them: counted from the end where negative, one or several. */
import {
  checkList,
  checkNumber,
  checkTensors,
  type Limits,
  refuse,
  shown,
  type Tensor,
} from "../../compiler/op-kit.ts";

/** The axis from 0 up that `axis` means. Throws E101 if `x` has no such axis. */
export function axisOf(name: string, x: Tensor, axis: number): number {
  checkTensors(name, { x });
  const rank = x.shape.length;
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank)
    refuse(
      name,
      [x],
      `axis ${shown(axis)} of a tensor of rank ${rank}`,
      rank === 0
        ? "a tensor of rank 0 has no axes; reshape it first"
        : `axes go from 0 to ${rank - 1}, or from -${rank} to -1 counted from the end`,
    );
  return axis < 0 ? axis + rank : axis;
}

/** Several axes in ascending order; all of them if none are given. Throws E101. */
export function axesOf(name: string, x: Tensor, axes?: number | readonly number[]): number[] {
  checkTensors(name, { x });
  if (axes === undefined) return x.shape.map((_, i) => i);
  if (typeof axes !== "number") checkList(name, [x], "the axes", axes);
  const list = (typeof axes === "number" ? [axes] : Array.from(axes)).map((a) =>
    axisOf(name, x, a),
  );
  const twice = list.find((a, i) => list.indexOf(a) !== i);
  if (twice !== undefined) refuse(name, [x], `axis ${twice} is named twice`, "name each axis once");
  return list.sort((a, b) => a - b);
}

/** A size for rows and columns: one number means both. */
export type Pair = number | readonly [rows: number, columns: number];

/** Rows and columns, each within limits. Throws E101 in the name of `name`. */
export function pairOf(
  name: string,
  inputs: readonly Tensor[],
  what: string,
  x: Pair,
  limits: Limits,
): readonly [number, number] {
  if (typeof x !== "number") checkList(name, inputs, what, x, 2);
  const both = typeof x === "number" ? ([x, x] as const) : ([x[0], x[1]] as const);
  for (const n of both) checkNumber(name, inputs, what, n, limits);
  return both;
}
