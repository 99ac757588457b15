/** Products that tiles and fragments do not fit, beside the samples of `matmul`. */
import { graphOf } from "../../compiler/graph/graph.ts";
import { input, inputOp, type Source } from "../../compiler/graph/sources.ts";
import { elements, resultsOf, type Tensor } from "../../compiler/graph/tensor.ts";
import { add, gelu, matmul, matmulSegments, permute, reshape } from "../../ops/index.ts";
import { randomNumbers } from "./evaluate.ts";
import type { Example, Subject } from "./programs.ts";

const f32 = (name: string, shape: readonly number[]) => input(name, "f32", shape) as Tensor<"f32">;

/** Sizes that leave tails in every direction, batches, segments, views in front, and chains behind. */
export const oddProducts: Readonly<Record<string, () => Tensor>> = {
  "odd sizes": () => matmul(f32("a", [37, 45]) as Tensor, f32("b", [45, 50]) as Tensor),
  "more rows than a tile": () =>
    matmul(f32("a", [131, 20]) as Tensor, f32("b", [20, 21]) as Tensor),
  "more columns than a tile": () =>
    matmul(f32("a", [17, 36]) as Tensor, f32("b", [36, 133]) as Tensor),
  "whole tiles": () => matmul(f32("a", [64, 64]) as Tensor, f32("b", [64, 64]) as Tensor),
  "a transposed right operand": () =>
    matmul(f32("a", [36, 40]) as Tensor, f32("b", [44, 40]) as Tensor, { transpose: "right" }),
  "a batch of heads": () => {
    const heads = permute(reshape(f32("a", [33, 2 * 20]), [33, 2, 20]), [1, 0, 2]);
    return matmulSegments([[heads, f32("b", [2, 20, 29])]]);
  },
  "a base, a low-rank segment, a bias, GELU and a residual": () => {
    const pairs = [
      [f32("a", [35, 48]), f32("b", [48, 51])],
      [f32("z", [35, 3]), f32("u", [3, 51])],
    ] as const;
    const y = add(matmulSegments(pairs), f32("bias", [51]));
    return add(gelu(y), f32("x", [35, 51]));
  },
};

/** The same as programs with inputs. */
export const oddSubject: Subject = {
  name: "products of odd sizes",
  op: undefined,
  claims: Object.keys(oddProducts),
  examples: Object.entries(oddProducts).map(
    ([claim, make]) =>
      () =>
        exampleOf(claim, make()),
  ),
};

function exampleOf(claim: string, y: Tensor): Example {
  const graph = graphOf([{ name: "y0", tensor: y }]);
  const inputs = graph.nodes.filter(({ op }) => op === inputOp).map((node) => resultsOf(node)[0]!);
  const arrays = inputs.map(({ node, shape }, i) => {
    return [(node.attrs as Source).name, randomNumbers(elements(shape), 17 + i)] as const;
  });
  return { claim, smooth: true, inputs, outputs: [y], graph, arrays: Object.fromEntries(arrays) };
}
