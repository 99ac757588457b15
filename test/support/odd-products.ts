/** Products of odd shapes (`verify/ops/products`) as programs, and numbers for them. */
import { type Graph, graphOf } from "../../compiler/graph/graph.ts";
import type { Plan } from "../../compiler/plan.ts";
import { type Precision, storedAs } from "../../compiler/storage/formats.ts";
import { floatFormat } from "../../formats/index.ts";
import { type Arrays, randomNumbers } from "../../verify/ops/evaluate.ts";
import { oddProducts } from "../../verify/ops/products.ts";

/** The program of one, by its name; its result is `y`. */
export const productGraph = (name: string): Graph =>
  graphOf([{ name: "y", tensor: oddProducts[name]!() }]);

export const sizeOf = ({ shape }: { readonly shape: readonly number[] }): number =>
  shape.reduce((a, b) => a * b, 1);

/** Numbers for its inputs that a precision stores as they are, so that products of them are exact. */
export function storedArrays(
  { inputs }: Pick<Plan, "inputs">,
  precision: Precision = "mixed",
): Arrays {
  const { encode, decode } = floatFormat(storedAs[precision]);
  return Object.fromEntries(
    inputs.map((t, i) => {
      const numbers = Float32Array.from(randomNumbers(sizeOf(t), 17 + i));
      return [t.name, [...decode(encode(numbers))]];
    }),
  );
}
