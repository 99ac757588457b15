/** What one region has in it, as far as fusion has decided: what it reads, computes and stores. */
import type { Node, Tensor } from "../graph/tensor.ts";
import type { Decisions } from "./decisions.ts";
import type { Link } from "./region.ts";

/** The results of a node that something reads, or that are returned. */
export const used = (decisions: Decisions, node: Node): Tensor[] =>
  decisions.results.get(node)!.filter(Boolean);

/** The one tensor of an element node. */
export const only = (decisions: Decisions, node: Node): Tensor => decisions.results.get(node)![0]!;

/** The node whose result a region stores. */
export const endOf = (anchor: Node, chain: readonly Link[]): Node => chain.at(-1)?.node ?? anchor;

/** Whether a tensor is computed where it is read, in whatever region that is. */
export const melts = (decisions: Decisions, tensor: Tensor): boolean =>
  tensor.node.op.kind === "element" &&
  !decisions.kept.has(tensor) &&
  !decisions.joined(tensor) &&
  !decisions.ends.has(tensor.node);

/** What a region stores. */
export function writesOf(decisions: Decisions, anchor: Node, chain: readonly Link[]): Tensor[] {
  if (chain.length === 0) return used(decisions, anchor);
  const held = chain.map(({ node, input }) => node.inputs[input]!);
  return [only(decisions, endOf(anchor, chain)), ...held.filter((t) => decisions.passed.has(t))];
}

export interface Contents {
  /** The tensors that it reads from memory. */
  readonly reads: readonly Tensor[];
  /** The nodes that are computed inside it. */
  readonly nodes: readonly Node[];
}

/** What a region reads from memory, and the nodes computed inside it: of more than `most` nodes only so many. */
export function contents(
  decisions: Decisions,
  anchor: Node,
  chain: readonly Link[],
  most = Number.POSITIVE_INFINITY,
): Contents {
  const reads = new Set<Tensor>();
  const nodes = new Set<Node>([anchor]);
  // What the chain passes on in registers is never read from memory.
  const running = new Set<Tensor>(chain.map((l) => l.node.inputs[l.input]!));
  const visit = (tensors: readonly Tensor[]) => {
    const stack = tensors.toReversed();
    for (let tensor = stack.pop(); tensor; tensor = stack.pop()) {
      if (running.has(tensor) || nodes.size > most) continue;
      const { node } = tensor;
      if (node === anchor || !melts(decisions, tensor)) reads.add(tensor);
      else if (!nodes.has(node)) {
        nodes.add(node);
        stack.push(...node.inputs.toReversed());
      }
    }
  };
  visit(anchor.inputs);
  for (const link of chain) {
    nodes.add(link.node);
    visit(link.node.inputs);
  }
  return { reads: [...reads], nodes: [...nodes] };
}

/** How many buffers a region binds; infinitely many, if it has more than `most` nodes. */
export function bindings(
  decisions: Decisions,
  node: Node,
  chain: readonly Link[],
  most = Number.POSITIVE_INFINITY,
): number {
  const { reads, nodes } = contents(decisions, node, chain, most);
  if (nodes.length > most) return Number.POSITIVE_INFINITY;
  return reads.length + writesOf(decisions, node, chain).length;
}
