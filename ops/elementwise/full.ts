/** full(value, shape): one number everywhere. It is computed where it is read, never stored. */
import {
  apply,
  type DType,
  type ElementOp,
  literal,
  type Shape,
  type Tensor,
} from "../../compiler/op-kit.ts";

interface Attrs {
  readonly value: number;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

export const op: ElementOp<Attrs> = {
  name: "full",
  kind: "element",
  cost: 0,
  type: (_inputs, { dtype, shape }) => [{ dtype, shape }],
  element: ({ attrs }) => literal(attrs.value, attrs.dtype),
  vjp: () => [],
  note: (a) => String(a.value),
  tests: {
    samples: [
      {
        inputs: [],
        call: () => full(2.5, [2, 2]),
        outputs: [
          [
            [2.5, 2.5],
            [2.5, 2.5],
          ],
        ],
      },
    ],
  },
};

/** A tensor of `shape` (sizes in numbers) that holds `value` everywhere. */
export function full<const S extends readonly number[], D extends DType = "f32">(
  value: number,
  shape: S,
  dtype?: D,
): Tensor<D, S> {
  return apply(op, [], { value, dtype: dtype ?? "f32", shape })[0] as unknown as Tensor<D, S>;
}

/** A number as an operand: scalars broadcast against anything. */
export const operand = <D extends DType>(x: Tensor | number, dtype: D): Tensor<D, Shape> =>
  (typeof x === "number" ? full(x, [], dtype) : x) as Tensor<D, Shape>;
