/** Work of nodes, and in which order tensors are best given up to be computed again. */
import { costOf } from "../fuse/element.ts";
import { elements, isSource, type Node, type Tensor } from "../graph/tensor.ts";
import type { KernelOp } from "../op.ts";
import type { Saved } from "./saved.ts";

/** Multiplications of some nodes, each computed once. */
export const workOf = (nodes: Iterable<Node>): number => {
  let total = 0;
  for (const node of nodes) total += workOfOne(node);
  return total;
};

function workOfOne(node: Node): number {
  const { op, inputs, attrs, types } = node;
  switch (op.kind) {
    case "input":
    case "parameter":
    case "state":
      return 0;
    case "element":
      return elements(types[0]!.shape) * costOf(node);
    case "kernel":
      return (op as KernelOp).work(
        inputs.map((x) => x.type),
        attrs,
      );
  }
}

/**
 * Orders saved tensors by the bytes that each frees for the work of computing it again, of what was
 * not computed again for those before it. Among equals the earlier is given up first: it would
 * have been kept for longest. What is neither saved nor `kept` is always computed again.
 */
export function dropOrder(saved: readonly Saved[], kept: (t: Tensor) => boolean): Saved[] {
  const segments = new Map<number, Saved[]>();
  for (const s of saved) segments.set(s.segment, [...(segments.get(s.segment) ?? []), s]);
  const ranked = [...segments.values()].flatMap((segment) => orderSegment(segment, kept));
  // A segment's own order stays, because nothing in it is worth more than what came before.
  return ranked.sort((a, b) => b.worth - a.worth).map((r) => r.saved);
}

interface Ranked {
  readonly saved: Saved;
  readonly worth: number;
}

/** No recomputation crosses a narrow place, so a segment's order does not depend on the others. */
function orderSegment(segment: readonly Saved[], kept: (t: Tensor) => boolean): Ranked[] {
  const remaining = new Set(segment);
  const held = new Set(segment.flatMap((s) => s.tensors));
  const copied = new Set<Node>();
  const ranked: Ranked[] = [];
  let worst = Number.POSITIVE_INFINITY;
  while (remaining.size > 0) {
    let best: { saved: Saved; nodes: Node[]; worth: number } | undefined;
    for (const candidate of remaining) {
      const own = new Set(candidate.tensors);
      const stays = (t: Tensor) => kept(t) || (held.has(t) && !own.has(t));
      const nodes = neededFor(candidate.tensors, stays, copied);
      const worth = candidate.bytes / (1 + workOf(nodes));
      if (!best || worth > best.worth) best = { saved: candidate, nodes, worth };
    }
    const { saved, nodes, worth } = best!;
    remaining.delete(saved);
    for (const t of saved.tensors) held.delete(t);
    for (const node of nodes) copied.add(node);
    worst = Math.min(worst, worth);
    ranked.push({ saved, worth: worst });
  }
  return ranked;
}

/** Nodes to be copied for some tensors, without those that are copied already. */
function neededFor(
  tensors: readonly Tensor[],
  stays: (t: Tensor) => boolean,
  copied: ReadonlySet<Node>,
): Node[] {
  const found = new Set<Node>();
  const stack = [...tensors];
  for (let t = stack.pop(); t; t = stack.pop()) {
    const { node } = t;
    if (found.has(node) || copied.has(node) || isSource(node) || stays(t)) continue;
    found.add(node);
    stack.push(...node.inputs);
  }
  return [...found];
}
