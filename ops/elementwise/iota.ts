/** iota(shape, axis): each element is its own coordinate along `axis`. An i32, never stored. */
import {
  apply,
  checkNumber,
  checkShape,
  type ElementOp,
  refuse,
  type Tensor,
} from "../../compiler/op-kit.ts";

interface Attrs {
  readonly shape: readonly number[];
  readonly axis: number;
}

export const op: ElementOp<Attrs> = {
  name: "iota",
  kind: "element",
  cost: 0,
  type: (_inputs, { shape }) => [{ dtype: "i32", shape }],
  element: ({ at, attrs }) => at[attrs.axis]!.cast("i32"),
  vjp: () => [],
  note: (a) => `axis ${a.axis}`,
  tests: {
    samples: [
      {
        inputs: [],
        call: () => [iota([2, 3], 1), iota([2, 3], 0)],
        outputs: [
          {
            dtype: "i32",
            data: [
              [0, 1, 2],
              [0, 1, 2],
            ],
          },
          {
            dtype: "i32",
            data: [
              [0, 0, 0],
              [1, 1, 1],
            ],
          },
        ],
      },
    ],
    cases: [
      {
        claim: "the middle axis of an odd shape",
        inputs: [],
        call: () => iota([3, 37, 5], -2),
        smooth: false,
      },
    ],
  },
};

/** The coordinate along `axis` (0 for the only one) of every element of `shape`, as i32. */
export function iota<const S extends readonly number[]>(shape: S, axis = 0): Tensor<"i32", S> {
  checkShape("iota", [], shape);
  checkNumber("iota", [], "the axis", axis, { whole: true });
  const own = axis < 0 ? axis + shape.length : axis;
  if (!Number.isInteger(own) || own < 0 || own >= shape.length)
    refuse(
      "iota",
      [],
      `axis ${axis} of [${shape.join(", ")}]`,
      shape.length === 0 ? "give a shape with axes" : `axes go from 0 to ${shape.length - 1}`,
    );
  return apply(op, [], { shape, axis: own })[0] as unknown as Tensor<"i32", S>;
}
