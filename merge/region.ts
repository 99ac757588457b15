/**
 * What a program computes between some tensors and others, and when two such parts of two traces
 * compute the same: by their structure, with parameters told apart by their paths.
 */
import { inputOp, parameterOp, type Source } from "../compiler/graph/sources.ts";
import type { Node, Tensor } from "../compiler/graph/tensor.ts";

/** What was seen so far: structures of several traces are compared by numbers given here. */
export interface Structures {
  readonly numbers: Map<string, number>;
  readonly ops: Map<unknown, number>;
}

export const noStructures = (): Structures => ({ numbers: new Map(), ops: new Map() });

export interface Region {
  /** Everything that the outputs need and the inputs do not give: inputs before users. */
  readonly nodes: readonly Node[];
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** Whether a tensor depends on the region's inputs, or on any input of the program. */
  depends(tensor: Tensor): boolean;
  /** Equal for tensors of one structure: the same ops of the same parameters and region inputs. */
  key(tensor: Tensor): string;
}

export function regionOf(
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
  structures: Structures,
): Region {
  const nodes = nodesBetween((tensor) => inputs.includes(tensor), outputs);
  const keys = new Map<Node, number>();
  const dependent = new Set<Node>();
  const key = (tensor: Tensor) => {
    const at = inputs.indexOf(tensor);
    return at >= 0 ? `input ${at}` : `${keys.get(tensor.node)}.${tensor.result}`;
  };
  const depends = (tensor: Tensor) => inputs.includes(tensor) || dependent.has(tensor.node);
  for (const node of nodes) {
    keys.set(node, numberOf(textOf(node, key, structures), structures.numbers));
    const { kind } = node.op;
    if (kind === "input" || kind === "state" || node.inputs.some(depends)) dependent.add(node);
  }
  return { nodes, inputs, outputs, depends, key };
}

/** The nodes that compute some tensors, without those where `stops` holds: inputs before users. */
export function nodesBetween(
  stops: (tensor: Tensor) => boolean,
  outputs: readonly Tensor[],
): readonly Node[] {
  const nodes: Node[] = [];
  const state = new Map<Node, "open" | "done">();
  const stack = outputs.filter((tensor) => !stops(tensor)).map(({ node }) => node);
  // A stack of its own: what lies behind an input that an adapter reads may be a whole model.
  while (stack.length > 0) {
    const node = stack.at(-1)!;
    if (state.has(node)) {
      stack.pop();
      if (state.get(node) === "open") nodes.push(node);
      state.set(node, "done");
      continue;
    }
    state.set(node, "open");
    for (const tensor of node.inputs)
      if (!stops(tensor) && !state.has(tensor.node)) stack.push(tensor.node);
  }
  return nodes;
}

function textOf(node: Node, key: (tensor: Tensor) => string, { ops }: Structures): string {
  const op = node.op as unknown;
  if (op === parameterOp || op === inputOp) return `${node.op.kind} ${(node.attrs as Source).name}`;
  const number = ops.get(op) ?? ops.size;
  ops.set(op, number);
  return `${number} ${JSON.stringify(node.attrs)} ${node.inputs.map(key).join(" ")}`;
}

function numberOf(text: string, numbers: Map<string, number>): number {
  const number = numbers.get(text) ?? numbers.size;
  numbers.set(text, number);
  return number;
}
