/** Axes and sizes as users write them: counted from the end where negative, one or several. */
import { refuse, type Tensor } from "../../compiler/op-kit.ts";

/** The axis from 0 up that `axis` means. Throws E101 if `x` has no such axis. */
export function axisOf(name: string, x: Tensor, axis: number): number {
  const rank = x.shape.length;
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank)
    refuse(
      name,
      [x],
      `axis ${axis} of a tensor of rank ${rank}`,
      rank === 0
        ? "a tensor of rank 0 has no axes; reshape it first"
        : `axes go from 0 to ${rank - 1}, or from -${rank} to -1 counted from the end`,
    );
  return axis < 0 ? axis + rank : axis;
}

/** Several axes in ascending order; all of them if none are given. Throws E101. */
export function axesOf(
  name: string,
  x: Tensor,
  axes: number | readonly number[] = x.shape.map((_, i) => i),
): number[] {
  const list = (typeof axes === "number" ? [axes] : axes).map((a) => axisOf(name, x, a));
  const twice = list.find((a, i) => list.indexOf(a) !== i);
  if (twice !== undefined) refuse(name, [x], `axis ${twice} is named twice`, "name each axis once");
  return list.sort((a, b) => a - b);
}

/** A size for rows and columns: one number means both. */
export type Pair = number | readonly [rows: number, columns: number];

export const pair = (x: Pair): readonly [number, number] =>
  typeof x === "number" ? [x, x] : [x[0], x[1]];
