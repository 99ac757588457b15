/** The sizes of a product, and how often tiles read its operands. */
import { elements, type Problem } from "../../compiler/op-kit.ts";

/** One product: [batch, m, depth] by [batch, depth, n]; the depths are those of its segments. */
export interface ProductShape {
  readonly rows: number;
  readonly columns: number;
  readonly depths: readonly number[];
  readonly images: number;
}

type Shaped = readonly { readonly shape: readonly number[] }[];

export function shapeOf(inputs: Shaped): ProductShape {
  const { shape } = inputs[0]!;
  return {
    rows: shape.at(-2)!,
    columns: inputs[1]!.shape.at(-1)!,
    depths: inputs.flatMap((x, i) => (i % 2 ? [] : [x.shape.at(-1)!])),
    images: elements(shape.slice(0, -2)),
  };
}

/** Every column of tiles reads all rows of the left operand, and every row all columns of the right. */
export function tileReads(
  tile: { readonly m: number; readonly n: number },
  input: number,
  { inputs }: Problem<null>,
): number {
  const { rows, columns } = shapeOf(inputs);
  return input % 2 === 0 ? Math.ceil(columns / tile.n) : Math.ceil(rows / tile.m);
}
