/** permute(x, axes): axis i of the result is axis axes[i] of x. A view. */
import {
  always,
  apply,
  checkList,
  checkNumber,
  checkTensors,
  type DType,
  type ElementOp,
  type Tensor,
} from "../../compiler/op-kit.ts";

interface Attrs {
  readonly axes: readonly number[];
}

export const op: ElementOp<Attrs> = {
  name: "permute",
  kind: "element",
  cost: 0,
  type: ([x], { axes }, fail) => {
    const rank = x!.shape.length;
    const sorted = [...axes].sort((a, b) => a - b);
    if (axes.length !== rank || sorted.some((a, i) => a !== i))
      fail(
        `[${axes.join(", ")}] is not an order of ${rank} axes`,
        `name each axis from 0 to ${rank - 1} once`,
      );
    return [{ dtype: x!.dtype, shape: axes.map((a) => x!.shape[a]!) }];
  },
  element: ({ inputs, at, attrs }) =>
    inputs[0]!.at(...inverse(attrs.axes).map((position) => at[position]!)),
  push: ({ at, attrs }) => ({ at: attrs.axes.map((a) => at[a]!), where: always }),
  vjp: ([g], { attrs }) => [permute(g!, inverse(attrs.axes))],
  note: (a) => `axes ${a.axes.join(", ")}`,
  tests: {
    samples: [
      {
        inputs: [
          [
            [1, 2, 3],
            [4, 5, 6],
          ],
        ],
        call: (x) => permute(x!, [1, 0]),
        outputs: [
          [
            [1, 4],
            [2, 5],
            [3, 6],
          ],
        ],
      },
    ],
    cases: [
      {
        claim: "three odd axes rotate",
        inputs: [{ shape: [3, 5, 7] }],
        call: (x) => permute(x!, [2, 0, 1]),
        smooth: true,
      },
    ],
  },
};

/** `x` with its axes in another order. Throws E101 if `axes` is not an order of all axes. */
export function permute<D extends DType>(x: Tensor<D>, axes: readonly number[]): Tensor<D> {
  checkTensors("permute", { x });
  checkList("permute", [x], "the order of axes", axes);
  for (const axis of axes) checkNumber("permute", [x], "an axis", axis, { least: 0, whole: true });
  return apply(op, [x], { axes })[0] as Tensor<D>;
}

const inverse = (axes: readonly number[]): number[] => axes.map((_, i) => axes.indexOf(i));
