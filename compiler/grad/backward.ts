/** Reverse mode: cotangents of some tensors from those of others, over the ops' own vjps. */
import { graphOf } from "../graph/graph.ts";
import { apply, type Node, type Tensor } from "../graph/tensor.ts";
import { sumOp } from "./sum.ts";

/**
 * The gradients of `wrt` when `outputs` have the given cotangents; undefined where none arrives.
 * Nothing is differentiated that no tensor of `wrt` is behind.
 */
export function gradient(
  outputs: readonly Tensor[],
  cotangents: readonly Tensor[],
  wrt: readonly Tensor[],
): (Tensor | undefined)[] {
  const { nodes } = graphOf(outputs.map((tensor, i) => ({ name: String(i), tensor })));
  const needed = reaching(nodes, wrt);
  const arrived = new Map<Tensor, Tensor>();
  const send = (to: Tensor, g: Tensor) => {
    const before = arrived.get(to);
    arrived.set(to, before ? apply(sumOp, [before, g], null)[0]! : g);
  };
  outputs.forEach((y, i) => {
    send(y, cotangents[i]!);
  });
  const results = resultsOf(nodes, outputs);
  for (const node of [...nodes].reverse()) {
    if (!needed.has(node) || !node.op.vjp) continue;
    const own = results.get(node)!;
    const received = own.map((t) => t && arrived.get(t));
    if (received.every((g) => g === undefined)) continue;
    const back = node.op.vjp(received, { inputs: node.inputs, results: own, attrs: node.attrs });
    node.inputs.forEach((x, i) => {
      const g = back[i];
      if (g && leads(needed, wrt, x)) send(x, g);
    });
  }
  return wrt.map((x) => arrived.get(x));
}

const leads = (needed: ReadonlySet<Node>, wrt: readonly Tensor[], x: Tensor) =>
  needed.has(x.node) || wrt.includes(x);

/** Nodes from which a tensor of `wrt` can be reached backwards. */
function reaching(nodes: readonly Node[], wrt: readonly Tensor[]): Set<Node> {
  const targets = new Set(wrt);
  const found = new Set<Node>();
  for (const node of nodes)
    if (node.inputs.some((x) => targets.has(x) || found.has(x.node))) found.add(node);
  return found;
}

function resultsOf(nodes: readonly Node[], outputs: readonly Tensor[]): Map<Node, Tensor[]> {
  const results = new Map<Node, Tensor[]>();
  const note = (t: Tensor) => {
    const list = results.get(t.node) ?? [];
    list[t.result] = t;
    results.set(t.node, list);
  };
  for (const node of nodes) node.inputs.forEach(note);
  outputs.forEach(note);
  return results;
}
