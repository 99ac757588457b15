/** What is asked of a node that computes single elements: where they come from, and what they cost. */
import type { Node, Tensor } from "../graph/tensor.ts";
import { always } from "../kernel/builder.ts";
import { index, type Value } from "../kernel/value.ts";
import type { ElementOp } from "../op.ts";

/** Where an element of an input goes, or undefined if the op cannot be turned around. */
export function push(node: Node, input: number, at: readonly Value[]) {
  return (node.op as ElementOp).push?.({
    input,
    at,
    attrs: node.attrs,
    inputs: node.inputs.map((x) => x.type),
    type: node.types[0]!,
  });
}

const known = new WeakMap<Node, boolean[]>();

/** Whether each element is computed from that input's element at the same place. */
export function isPointwise(node: Node, input: number): boolean {
  if (node.op.kind !== "element") return false;
  let answers = known.get(node);
  if (!answers) {
    answers = node.inputs.map(({ shape }, i) => {
      const at = shape.map(() => index(0));
      const pushed = push(node, i, at);
      return pushed?.at === at && pushed.where === always;
    });
    known.set(node, answers);
  }
  return answers[input]!;
}

/** Work of one element, apart from its inputs' elements. */
export function costOf({ op, attrs }: Node): number {
  const { cost } = op as ElementOp;
  return typeof cost === "number" ? cost : cost(attrs);
}

/** Whether an element tensor is its input's elements in their order. */
export function holdsItsInput({ node, dtype }: Tensor): boolean {
  const [x, ...others] = node.inputs;
  if (x === undefined || others.length > 0 || x.dtype !== dtype) return false;
  return (node.op as ElementOp).reshapes === true || (isView(node) && isPointwise(node, 0));
}

/** Only index arithmetic: it costs nothing wherever it is. */
export const isView = (node: Node): boolean => node.op.kind === "element" && costOf(node) === 0;
