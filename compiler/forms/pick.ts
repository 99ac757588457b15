/**
 * Picks how each kernel of a graph is made: a form that the device can run, with one of its tiles.
 * This happens before fusion, whose costs are those of the kernel that will run.
 */
import { diagnose } from "../../diagnostics/index.ts";
import type { Graph } from "../graph/graph.ts";
import type { Node } from "../graph/tensor.ts";
import type { KernelOp, Variant } from "../op.ts";
import type { Profile } from "../profile.ts";

/** The variant of every node that is a kernel. */
export type Variants = ReadonlyMap<Node, Variant>;

/**
 * The best variant of each kernel, by the order of its op's forms and by their models of time.
 * @throws E112 for a kernel that has no form for the device.
 */
export function pickVariants(graph: Graph, profile: Profile): Variants {
  const picked = new Map<Node, Variant>();
  for (const node of graph.nodes)
    if (node.op.kind === "kernel") picked.set(node, variantsOf(node, profile)[0]!);
  return picked;
}

/**
 * All variants that a kernel may have, the best first: those of the first form that fits the device
 * and is for the problem.
 * @throws E112 where there are none.
 */
export function variantsOf(
  { op, inputs, attrs, span }: Node,
  profile: Profile,
): readonly Variant[] {
  const { forms } = op as KernelOp;
  const problem = { inputs: inputs.map((x) => x.type), attrs, profile };
  for (const form of forms) {
    const variants = form.fits(profile) ? form.variants(problem) : [];
    if (variants.length > 0) return variants;
  }
  throw diagnose("E112", {
    message: `${op.name} has no form that the profile "${profile.name}" can run; its forms are ${forms.map((f) => f.name).join(", ")}`,
    at: span,
    help: "compile for a device that can, or give the op a portable form",
  });
}
