/**
 * Picks how each kernel of a graph is made: a form that the device can run, with one of its tiles.
 * This happens before fusion, whose costs are those of the kernel that will run.
 */
import { diagnose } from "../../diagnostics/index.ts";
import type { Graph } from "../graph/graph.ts";
import type { Node } from "../graph/tensor.ts";
import type { Form, KernelOp, Variant } from "../op.ts";
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
    if (node.op.kind === "kernel") picked.set(node, candidatesOf(node, profile).variants[0]!);
  return picked;
}

/** What a kernel can be made from. */
export interface Candidates {
  /** The best by the order of their forms and by the models of those first. */
  readonly variants: readonly Variant[];
  /** The last of the forms: what others are measured against. */
  readonly settled: Form;
}

/**
 * The first form that fits the device and is for the problem, and while a form is contested the next
 * one that fits.
 * @throws E112 where there is none.
 */
export function candidatesOf({ op, inputs, attrs, span }: Node, profile: Profile): Candidates {
  const { forms } = op as KernelOp;
  const problem = { inputs: inputs.map((x) => x.type), attrs, profile };
  let settled: Form | undefined;
  const variants: Variant[] = [];
  for (const form of forms) {
    if (!form.fits(profile)) continue;
    settled = form;
    variants.push(...form.variants(problem));
    if (variants.length > 0 && !form.contested) break;
  }
  if (settled && variants.length > 0) return { variants, settled };
  throw diagnose("E112", {
    message: `${op.name} has no form that the profile "${profile.name}" can run; its forms are ${forms.map((f) => f.name).join(", ")}`,
    at: span,
    help: "compile for a device that can, or give the op a portable form",
  });
}
