/** The terms of a loss, and what a plan returns of them. */
import type { Output } from "../compiler/graph/graph.ts";
import type { Scope } from "../compiler/graph/site.ts";
import { elements, show, type Tensor } from "../compiler/graph/tensor.ts";
import { diagnose } from "../diagnostics/index.ts";
import { add, mean, reshape, sum } from "../ops/index.ts";
import { endToEnd } from "./update.ts";

/** What adapters add to a loss. */
type Added = Pick<Scope, "terms" | "averaged">;

/**
 * The loss's own terms and those of adapters, summed by name; each is f32 [].
 * @throws E120 for a term of more than one number.
 */
export function lossTerms(own: Readonly<Record<string, Tensor>>, added?: Added): Output[] {
  const terms: Output[] = Object.entries(own).map(([name, tensor]) => ({ name, tensor }));
  for (const [name, parts] of added?.terms ?? []) {
    const total = endToEnd(parts.map((t) => reshape(t, [1])));
    terms.push({ name, tensor: added?.averaged.has(name) ? mean(total) : sum(total) });
  }
  return terms.map(({ name, tensor }) => {
    if (tensor.dtype !== "f32" || elements(tensor.shape) !== 1)
      throw diagnose("E120", {
        message: `the loss's term ${name} is ${show(tensor.type)}, not one number`,
        at: tensor.node.span,
        help: "reduce it: mean(x) or sum(x)",
      });
    return { name, tensor: reshape(tensor as Tensor<"f32">, []) };
  });
}

/** The loss: the sum of its terms. */
export const totalOf = (terms: readonly Output[]): Tensor<"f32"> =>
  terms.map((t) => t.tensor as Tensor<"f32">).reduce((a, b) => add(a, b));

/** The outputs `loss` and `term.<name>`, f32 [1] each. */
export const lossOutputs = (total: Tensor<"f32">, terms: readonly Output[]): Output[] => [
  { name: "loss", tensor: reshape(total, [1]) },
  ...terms.map(({ name, tensor }) => ({
    name: `term.${name}`,
    tensor: reshape(tensor as Tensor<"f32">, [1]),
  })),
];
