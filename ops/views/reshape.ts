/** reshape(x, shape): the same elements in the same order. A view: no kernel, no copy. */
import {
  always,
  apply,
  checkShape,
  checkTensors,
  type DType,
  type ElementOp,
  elements,
  flatten,
  sameShape,
  type Tensor,
  unflatten,
} from "../../compiler/op-kit.ts";

interface Attrs {
  readonly shape: readonly number[];
}

/** So many reshapes may follow one another: shapes on the way make index arithmetic short. */
const mostInARow = 8;

export const op: ElementOp<Attrs> = {
  name: "reshape",
  kind: "element",
  cost: 0,
  reshapes: true,
  rules: [
    {
      name: "a reshape back, or after many others, is of what they began with",
      apply({ results: [y] }) {
        let before = y!;
        for (let i = 0; i < mostInARow && before.node.op === op; i++) {
          before = before.node.inputs[0]!;
          if (sameShape(before.shape, y!.shape)) return [before];
        }
        return before.node.op === op ? [reshape(before, y!.shape)] : undefined;
      },
    },
  ],
  type: ([x], { shape }, fail) => {
    if (elements(shape) !== elements(x!.shape))
      fail(
        `[${x!.shape.join(", ")}] has ${elements(x!.shape)} elements but [${shape.join(", ")}] has ${elements(shape)}`,
        "a reshape keeps the number of elements",
      );
    return [{ dtype: x!.dtype, shape }];
  },
  element: ({ inputs, at, type }) => {
    const x = inputs[0]!;
    return x.at(...unflatten(x.shape, flatten(type.shape, at)));
  },
  push: ({ at, inputs, type }) => ({
    at: unflatten(type.shape, flatten(inputs[0]!.shape, at)),
    where: always,
  }),
  vjp: ([g], { inputs }) => [reshape(g!, inputs[0]!.shape)],
  note: (a) => `to [${a.shape.join(", ")}]`,
  tests: {
    samples: [
      {
        inputs: [
          [
            [1, 2, 3],
            [4, 5, 6],
          ],
        ],
        call: (x) => reshape(x!, [3, 2]),
        outputs: [
          [
            [1, 2],
            [3, 4],
            [5, 6],
          ],
        ],
      },
    ],
    cases: [
      {
        claim: "an odd shape is split and joined",
        inputs: [{ shape: [3, 35] }],
        call: (x) => reshape(x!, [5, 7, 3]),
        smooth: true,
      },
    ],
  },
};

/** The elements of `x` in row-major order as `shape`. Throws E101 if the counts differ. */
export function reshape<D extends DType, const S extends readonly number[]>(
  x: Tensor<D>,
  shape: S,
): Tensor<D, S> {
  checkTensors("reshape", { x });
  checkShape("reshape", [x], shape);
  return apply(op, [x], { shape })[0] as unknown as Tensor<D, S>;
}
