/**
 * cast(x, dtype): the same value in another type. Of an f32, integers drop the fraction, are 0 for NaN,
 * and for numbers out of range the nearest f32 that they have (-2147483648 to 2147483520 for i32, 0 to
 * 4294967040 for u32). i32 and u32 keep each other's bits. bool is whether the number is not 0.
 */
import {
  always,
  apply,
  checkDType,
  checkTensors,
  type DType,
  type ElementOp,
  type Shape,
  type Tensor,
} from "../../compiler/op-kit.ts";

interface Attrs {
  readonly dtype: DType;
}

export const op: ElementOp<Attrs> = {
  name: "cast",
  kind: "element",
  cost: 1,
  type: ([x], { dtype }) => [{ dtype, shape: x!.shape }],
  element: ({ inputs, at, attrs }) => {
    return inputs[0]!.at(...at).cast(attrs.dtype);
  },
  push: ({ at }) => ({ at, where: always }),
  vjp: () => [undefined],
  note: (a) => `to ${a.dtype}`,
  tests: {
    samples: [
      {
        inputs: [[1.75, -1.75, 0]],
        call: (x) => [cast(x!, "i32"), cast(x!, "u32"), cast(x!, "bool")],
        outputs: [
          { dtype: "i32", data: [1, -1, 0] },
          { dtype: "u32", data: [1, 0, 0] },
          { dtype: "bool", data: [1, 1, 0] },
        ],
      },
      {
        inputs: [{ dtype: "bool", data: [1, 0] }],
        call: (x) => [cast(x!, "f32"), cast(x!, "i32")],
        outputs: [[1, 0], { dtype: "i32", data: [1, 0] }],
      },
      {
        inputs: [{ dtype: "i32", data: [-3, 4] }],
        call: (x) => [cast(x!, "f32"), cast(x!, "u32")],
        outputs: [[-3, 4], { dtype: "u32", data: [4294967293, 4] }],
      },
    ],
    cases: [
      {
        claim: "an odd shape of integers",
        inputs: [{ shape: [7, 13], dtype: "i32", range: [-9, 9] }],
        call: (x) => cast(x!, "f32"),
        smooth: false,
      },
    ],
  },
};

/** `x` as `dtype`. No gradient passes a change of type. Throws E101 for a dtype that does not exist. */
export function cast<T extends DType, S extends Shape>(
  x: Tensor<DType, S>,
  dtype: T,
): Tensor<T, S> {
  checkTensors("cast", { x });
  checkDType("cast", [x], dtype);
  const same = (x.dtype as DType) === dtype;
  return (same ? x : apply(op, [x], { dtype })[0]) as unknown as Tensor<T, S>;
}
