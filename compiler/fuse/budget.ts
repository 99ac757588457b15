/** A region may bind no more buffers than the profile allows: whatever is too much is kept in memory. */
import { diagnose } from "../../diagnostics/index.ts";
import type { Node, Tensor } from "../graph/tensor.ts";
import { isDue, type Pausing } from "../turns.ts";
import { bindings, contents, melts, only } from "./contents.ts";
import type { Decisions } from "./decisions.ts";
import type { Link } from "./region.ts";

/** First what melts, wherever it will be computed; then the kernels that read several such tensors. */
export function* respectBudget(decisions: Decisions): Pausing<void> {
  yield* narrow(decisions);
  const shrink = (node: Node, chain: readonly Link[]) => {
    for (;;) {
      const count = bindings(decisions, node, chain);
      if (count <= decisions.profile.maxBindings) return;
      const widest = widestMelted(decisions, node, chain);
      if (!widest)
        throw diagnose("E108", {
          message: `${node.op.name} reads and writes ${count} tensors, but the profile "${decisions.profile.name}" allows ${decisions.profile.maxBindings} storage buffers in one kernel`,
          at: node.span,
          help: "split it, for example concatenate in two steps",
        });
      keepFor(decisions, widest, node, count);
    }
  };
  for (const node of [...decisions.graph.nodes].reverse()) {
    if (isDue()) yield;
    if (node.op.kind === "kernel") shrink(node, decisions.chains.get(node)!);
    else if (node.op.kind === "element" && decisions.kept.has(only(decisions, node)))
      shrink(node, []);
  }
}

/** Keeps what makes an element read more tensors than one kernel can bind beside its result. */
function* narrow(decisions: Decisions): Pausing<void> {
  const { graph, chained, joined, profile } = decisions;
  /** What computing an element reads from memory. */
  const readBy = new Map<Node, ReadonlySet<Tensor>>();
  const readsOf = (x: Tensor) => (melts(decisions, x) ? readBy.get(x.node) : undefined);
  for (const node of graph.nodes) {
    if (isDue()) yield;
    if (node.op.kind !== "element" || joined(only(decisions, node))) continue;
    for (;;) {
      const reads = new Set(node.inputs.flatMap((x) => [...(readsOf(x) ?? [x])]));
      readBy.set(node, reads);
      if (chained.has(node) || reads.size < profile.maxBindings) break;
      const size = (x: Tensor) => (chained.has(x.node) ? 0 : (readsOf(x)?.size ?? 0));
      const widest = node.inputs.reduce((a, b) => (size(b) > size(a) ? b : a));
      if (size(widest) < 2) break;
      keepFor(decisions, widest, node, reads.size + 1);
    }
  }
}

function keepFor({ kept, reasons }: Decisions, tensor: Tensor, user: Node, count: number): void {
  kept.add(tensor);
  reasons.set(tensor.node, `its user ${user.op.name} would bind ${count} buffers`);
}

/**
 * The melted tensor whose keeping saves most buffers. What a melted tensor is computed from reads no more
 * than itself, so that only those are asked that the region reads first.
 */
function widestMelted(
  decisions: Decisions,
  anchor: Node,
  chain: readonly Link[],
): Tensor | undefined {
  let widest: Tensor | undefined;
  let most = 1;
  const seen = new Set<Node>([anchor, ...chain.map((link) => link.node)]);
  const stack = [anchor, ...chain.map((link) => link.node)].flatMap((n) => n.inputs).toReversed();
  for (let tensor = stack.pop(); tensor; tensor = stack.pop()) {
    const { node } = tensor;
    if (seen.has(node) || !melts(decisions, tensor)) continue;
    seen.add(node);
    if (decisions.chained.has(node)) {
      stack.push(...node.inputs.toReversed());
      continue;
    }
    const count = contents(decisions, node, []).reads.length;
    if (count > most) [widest, most] = [tensor, count];
  }
  return widest;
}
