/**
 * Common subexpressions are computed once. Ops are functions of their inputs and attributes, random ones
 * too, so nodes that have those in common have their values in common: the first of them stands for all.
 */

import { fingerprint, identity } from "../graph/fingerprint.ts";
import { copyRepeated, type Graph, type Output } from "../graph/graph.ts";
import { again, isSource, type Node, resultsOf, type Tensor } from "../graph/tensor.ts";
import { isDue, type Pausing } from "../turns.ts";

export function* mergeEqual(graph: Graph): Pausing<Graph> {
  const became = new Map<Tensor, Tensor>();
  const known = new Map<string, readonly Tensor[]>();
  const nodes: Node[] = [];
  for (const node of graph.nodes) {
    if (isDue()) yield;
    const inputs = node.inputs.map((x) => became.get(x) ?? x);
    const key = isSource(node) ? undefined : keyOf(node, inputs);
    let results = key === undefined ? undefined : known.get(key);
    if (!results) {
      const isSame = inputs.every((x, i) => x === node.inputs[i]);
      results = isSame ? resultsOf(node) : again(node, inputs);
      nodes.push(results[0]!.node);
      if (key !== undefined) known.set(key, results);
    }
    for (const [i, old] of resultsOf(node).entries()) became.set(old, results[i]!);
  }
  if (nodes.length === graph.nodes.length) return graph;
  const outputs = ownOutputs(graph.outputs, (x) => became.get(x)!, nodes);
  return { ...graph, nodes, outputs };
}

/** Equal for nodes that compute the same. */
const keyOf = ({ op, attrs, turn }: Node, inputs: readonly Tensor[]): string => {
  const names = inputs.map((x) => `${identity(x.node)}.${x.result}`).join();
  return `${identity(op)} ${names} ${fingerprint(attrs)} ${turn}`;
};

/** What outputs have become. Those that are one tensor now, or a source, are copied: each has memory of its own. */
export function ownOutputs(
  outputs: readonly Output[],
  now: (tensor: Tensor) => Tensor,
  nodes: Node[],
): readonly Output[] {
  const next = outputs.map(({ name, tensor }) => ({ name, tensor: now(tensor) }));
  const own = copyRepeated(next);
  for (const [i, { tensor }] of own.entries())
    if (tensor !== next[i]!.tensor) nodes.push(tensor.node);
  return own;
}
