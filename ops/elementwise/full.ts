/** full(value, shape): one number everywhere. It is computed where it is read, never stored. */
import {
  apply,
  checkHolds,
  checkShape,
  type DType,
  type ElementOp,
  literal,
  refuse,
  type Shape,
  shown,
  Tensor,
  tensorHelp,
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

/**
 * A tensor of `shape` (sizes in numbers) that holds `value` everywhere. Throws E101 for a shape that no
 * tensor has, and for a value that the dtype cannot hold: infinities and NaN are f32's.
 */
export function full<const S extends readonly number[], D extends DType = "f32">(
  value: number,
  shape: S,
  dtype?: D,
): Tensor<D, S> {
  const type = dtype === undefined ? "f32" : dtype;
  checkHolds("full", [], value, type);
  checkShape("full", [], shape);
  return apply(op, [], { value, dtype: type, shape })[0] as unknown as Tensor<D, S>;
}

/**
 * A number as an operand of `name`: scalars broadcast against anything. Throws E101 for what is neither a
 * tensor nor a number that the dtype can hold.
 */
export function operand<D extends DType>(
  name: string,
  x: Tensor | number,
  dtype: D,
): Tensor<D, Shape> {
  if (x instanceof Tensor) return x as Tensor as Tensor<D, Shape>;
  if (typeof x !== "number")
    refuse(name, [], `an operand is ${shown(x)}, not a tensor or a number`, tensorHelp(x));
  checkHolds(name, [], x, dtype);
  return full(x, [], dtype) as Tensor as Tensor<D, Shape>;
}
