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
import { inputsFirst } from "../graph/walk.ts";
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
  const place = (tensor: Tensor): void =>
    inputsFirst(
      [tensor.node],
      inputNodes,
      (node) => placed.has(node),
      (node) => {
        placed.add(node);
        nodes.push(node);
      },
    );
  /** What a node becomes, together with those like it. */
  const settle = (node: Node): void => {
    const group = groups.get(node) ?? [node];
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
  const isSettled = (node: Node) => became.has(resultsOf(node)[0]!);
  const before = (node: Node) => (groups.get(node) ?? [node]).flatMap(inputNodes);
  inputsFirst(graph.nodes, before, isSettled, settle);
  return {
    nodes,
    outputs: graph.outputs.map(({ name, tensor }) => ({ name, tensor: became.get(tensor)! })),
    states: graph.states,
  };
}

const inputNodes = (node: Node): readonly Node[] => node.inputs.map((x) => x.node);

/** Whether all parameters that a tensor stacks can, each beside one set of others; they do from now on. */
function lieSideBySide(tensor: Tensor, owners: Map<string, string>): boolean {
  const seen = new Set<Node>();
  const stack = [tensor.node];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (seen.has(node) || node.op.kind === "parameter") continue;
    seen.add(node);
    if (node.op.kind !== "element" || !("joins" in node.op))
      stack.push(...inputNodes(node).toReversed());
    else if (!canStack(node.inputs, owners)) return false;
  }
  return true;
}

function canStack(inputs: readonly Tensor[], owners: Map<string, string>): boolean {
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
    const group = alike.get(key);
    if (group) group.push(node);
    else alike.set(key, [node]);
  }
  const groups = [...alike.values()].filter((group) => group.length >= least);
  return new Map(groups.flatMap((group) => group.map((node) => [node, group] as const)));
}
