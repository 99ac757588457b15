/**
 * Equal work on parameters alone, such as a contraction in every layer of a model, becomes one kernel
 * for all of them. It depends on no input, so nothing has to wait for anything; what equal work of one
 * kind needs from another is batched after it.
 */
import type { Graph } from "../graph/graph.ts";
import type { Source } from "../graph/sources.ts";
import {
  again,
  elements,
  isParameter,
  isSource,
  type Node,
  resultsOf,
  type Tensor,
} from "../graph/tensor.ts";
import type { KernelOp } from "../op.ts";
import type { Layout } from "../storage/layout.ts";

/** Fewer are not worth a batch. */
const least = 3;

/** Larger tensors are not: results of a batch live together, until the last of them is read. */
const largest = 2 ** 16;

export function batchAlike(graph: Graph, layout: Layout): Graph {
  const groups = groupsOf(graph, layout);
  if (groups.size === 0) return graph;
  const became = new Map<Tensor, Tensor>();
  const owners = new Map<string, string>();
  const placed = new Set<Node>();
  const nodes: Node[] = [];
  const place = (tensor: Tensor): void => {
    if (placed.has(tensor.node)) return;
    for (const x of tensor.node.inputs) place(x);
    placed.add(tensor.node);
    nodes.push(tensor.node);
  };
  /** What a node has become, together with those like it. */
  const settle = (node: Node): void => {
    const own = resultsOf(node);
    if (became.has(own[0]!)) return;
    const group = groups.get(node) ?? [node];
    for (const one of group) for (const x of one.inputs) settle(x.node);
    const inputs = group.map((one) => one.inputs.map((x) => became.get(x)!));
    const tried = group.length > 1 && (node.op as KernelOp).batch!(inputs, node.attrs);
    const batched = tried && lieSideBySide(tried[0]!, owners) ? tried : undefined;
    for (const [i, one] of group.entries()) {
      const results = resultsOf(one);
      const isSame = one.inputs.every((x, j) => x === inputs[i]![j]);
      const next = batched ? [batched[i]!] : isSame ? results : again(one, inputs[i]!);
      for (const [j, t] of results.entries()) became.set(t, next[j]!);
      for (const t of next) place(t);
    }
  };
  for (const node of graph.nodes) settle(node);
  return {
    nodes,
    outputs: graph.outputs.map(({ name, tensor }) => ({ name, tensor: became.get(tensor)! })),
    states: graph.states,
  };
}

/** Whether all parameters that a tensor stacks can, each beside one set of others; they do from now on. */
function lieSideBySide(tensor: Tensor, owners: Map<string, string>): boolean {
  const { op, inputs } = tensor.node;
  if (op.kind !== "element" || !("joins" in op))
    return inputs.every((x) => isParameter(x) || lieSideBySide(x, owners));
  const names = inputs.map((x) => (isParameter(x) ? (x.node.attrs as Source).name : undefined));
  const key = names.join("\n");
  for (const name of names)
    if (name === undefined || (owners.get(name) ?? key) !== key) return false;
  for (const name of names) owners.set(name!, key);
  return new Set(names).size === names.length;
}

/** Nodes that can be batched, each with all that are like it, in order. */
function groupsOf({ nodes }: Graph, { parameters }: Layout): Map<Node, readonly Node[]> {
  const alike = new Map<string, Node[]>();
  const constant = new Map<Node, number>();
  for (const node of nodes) {
    // Depth in kernels; nodes that depend on an input are skipped.
    // Parameters that have a place already cannot lie side by side any more.
    const isFree = (x: Tensor) => isParameter(x) && !parameters.has((x.node.attrs as Source).name);
    const depths = node.inputs.map((x) => (isFree(x) ? 0 : constant.get(x.node)));
    if (isSource(node) || depths.includes(undefined)) continue;
    const depth = Math.max(0, ...(depths as number[]));
    if (node.op.kind === "element") constant.set(node, depth);
    if (node.op.kind !== "kernel") continue;
    constant.set(node, depth + 1);
    const { batch, name } = node.op as KernelOp;
    const sizes = [...node.types, ...node.inputs.map((x) => x.type)].map((t) => elements(t.shape));
    if (!batch || Math.max(...sizes) > largest) continue;
    const types = node.inputs.map((x) => `${x.dtype}[${x.shape}]`).join();
    const key = `${name} ${depth} ${types} ${JSON.stringify(node.attrs)}`;
    alike.set(key, [...(alike.get(key) ?? []), node]);
  }
  const groups = [...alike.values()].filter((group) => group.length >= least);
  return new Map(groups.flatMap((group) => group.map((node) => [node, group] as const)));
}
