/** Takes one region out of its program: a graph of its own, whose inputs are what it read. */
import { bug } from "../../diagnostics/index.ts";
import type { Region } from "../fuse/region.ts";
import { type Graph, graphOf } from "../graph/graph.ts";
import { inputOp } from "../graph/sources.ts";
import { apply, type Node, type Tensor } from "../graph/tensor.ts";

export interface Alone {
  /** Inputs x0, x1, … in the order of `region.reads`; outputs y0, y1, … in that of `region.writes`. */
  readonly graph: Graph;
  /** The same region in the new graph. */
  readonly region: Region;
}

export function takeOut(region: Region): Alone {
  const inside = new Set(region.nodes);
  const reads = region.reads.map((t, i) => apply(inputOp, [], { name: `x${i}`, type: t.type })[0]!);
  const made = new Map<Node, Tensor[]>();
  const tensorOf = (t: Tensor): Tensor => {
    const at = region.reads.indexOf(t);
    if (at >= 0) return reads[at]!;
    if (!inside.has(t.node)) bug(`${t.node.op.name} is neither in a region nor read by it`);
    return resultsOf(t.node)[t.result]!;
  };
  const resultsOf = (node: Node): Tensor[] => {
    let results = made.get(node);
    if (!results) {
      results = [...apply(node.op, node.inputs.map(tensorOf), node.attrs)];
      made.set(node, results);
    }
    return results;
  };
  const nodeOf = (node: Node) => resultsOf(node)[0]!.node;
  const writes = region.writes.map((t) => resultsOf(t.node)[t.result]!);
  const graph = graphOf(writes.map((tensor, i) => ({ name: `y${i}`, tensor })));
  return {
    graph,
    region: {
      anchor: nodeOf(region.anchor),
      variant: region.variant,
      chain: region.chain.map(({ node, input }) => ({ node: nodeOf(node), input })),
      writes,
      reads,
      nodes: region.nodes.map(nodeOf),
    },
  };
}
