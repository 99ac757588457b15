/** A graph as text that says all that a compilation depends on, the same in every process. */
import { fingerprint, isPlain } from "./fingerprint.ts";
import type { Graph } from "./graph.ts";
import { type Node, type Op, resultsOf, show, type Tensor } from "./tensor.ts";

/** What ops are called, each by a name of its own; undefined for an op whose code nobody knows. */
export type OpNames = (op: Op) => string | undefined;

/** Where plans are kept, so that what was compiled once is not compiled again. */
export interface KeptPlans {
  readonly nameOf: OpNames;
  /** What is kept under a description, or what `make` makes, which is kept. Plans are JSON, but for bytes of kernels. */
  of<P extends object>(description: string, make: () => Promise<P>): Promise<P>;
}

/** Undefined where the text would not say all: for ops without names, and attributes that are no plain data. */
export function describeGraph(graph: Graph, nameOf: OpNames): string | undefined {
  const numbers = new Map<Node, number>();
  const lines: string[] = [];
  const spelled = ({ node, result }: Tensor) => `${numbers.get(node)}.${result}`;
  const add = (node: Node): boolean => {
    const name = nameOf(node.op);
    if (name === undefined || !isPlain(node.attrs)) return false;
    numbers.set(node, lines.length);
    const types = resultsOf(node).map(({ type }) => show(type));
    const attrs = fingerprint(node.attrs);
    lines.push([name, attrs, ...node.inputs.map(spelled), ...types, node.turn ?? ""].join(" "));
    return true;
  };
  for (const node of graph.nodes) if (!add(node)) return undefined;
  // States need not be read.
  for (const { node } of graph.states) if (!numbers.has(node) && !add(node)) return undefined;
  const { adapters = [] } = graph;
  if (!isPlain(adapters)) return undefined;
  const outputs = graph.outputs.map(({ name, tensor }) => [name, spelled(tensor)]);
  return [...lines, fingerprint([outputs, graph.states.map(spelled), adapters])].join("\n");
}
