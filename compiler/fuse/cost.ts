/**
 * Is it cheaper to keep a tensor in memory, or to compute its elements again at every read?
 *
 * The unit is one multiplication. Reading or writing an element of memory counts `memory`; what is
 * kept also costs a dispatch of its own, at the price that the class of device has.
 */

import { deviceModel } from "../device-model.ts";
import { elements, type Node, type Tensor } from "../graph/tensor.ts";
import type { ElementOp, KernelOp } from "../op.ts";
import type { Decisions } from "./decisions.ts";
import { costOf, holdsItsInput, isPointwise, isView } from "./element.ts";

const memory = 4;
/** Tensors up to this size stay in the caches: reading one again costs as much as arithmetic. */
const cached = 1024;

/** Counts per tensor, so that a graph of diamonds takes linear time. */
export type Known = Map<Tensor, number>;

/** How many times elements of a tensor are computed, all together, if it is not kept. */
export function evaluations(decisions: Decisions, tensor: Tensor, known: Known): number {
  const before = known.get(tensor);
  if (before !== undefined) return before;
  let total = decisions.returned.has(tensor) ? elements(tensor.shape) : 0;
  for (const { node, input } of decisions.uses.get(tensor) ?? []) {
    const variant = decisions.variants.get(node);
    if (variant) total += variant.reads(input) * elements(tensor.shape);
    else {
      const result = decisions.results.get(node)![0]!;
      const op = node.op as ElementOp;
      const each = op.reads?.(node.attrs, input) ?? 1;
      const stored = decisions.kept.has(result) || decisions.chained.has(node);
      total += each * (stored ? elements(result.shape) : evaluations(decisions, result, known));
    }
  }
  known.set(tensor, total);
  return total;
}

/** How an inlined element is priced: per load, and per evaluation of each input. */
interface Measure {
  /** To read it from memory. */
  readonly load: (tensor: Tensor) => number;
  /** How often a node computes an element of an input. */
  readonly times: (node: Node, input: number) => number;
}

const work: Measure = {
  load: ({ shape }) => (elements(shape) > cached ? memory : 1),
  times: ({ op, attrs }, input) => (op as ElementOp).reads?.(attrs, input) ?? 1,
};

const text: Measure = {
  load: () => 1,
  times: ({ op, attrs }, input) =>
    op.kind === "element"
      ? Math.max(1, (op as ElementOp).reads?.(attrs, input) ?? 1)
      : ((op as KernelOp).spelled ?? 4),
};

/**
 * One element, with everything that melts in front of it. What is needed twice at one place is computed
 * once: `at` has the nodes that are.
 */
function measured(
  measure: Measure,
  decisions: Decisions,
  tensor: Tensor,
  at: Set<Node>,
  known: Known,
): number {
  const { node } = tensor;
  if (at.has(node)) return 0;
  const isFirst = at.size === 0;
  const before = isFirst ? known.get(tensor) : undefined;
  if (before !== undefined) return before;
  at.add(node);
  if (!isComputed(decisions, tensor)) return measure.load(tensor);
  const total = node.inputs.reduce((sum, x, i) => {
    const there = isPointwise(node, i) ? at : new Set<Node>();
    return sum + measure.times(node, i) * measured(measure, decisions, x, there, known);
  }, costOf(node));
  if (isFirst) known.set(tensor, total);
  return total;
}

/** Work of computing one element, with everything that melts in front of it. */
export const inlineCost = (decisions: Decisions, tensor: Tensor, known: Known): number =>
  measured(work, decisions, tensor, new Set(), known);

/** What is computed anew is also text in every kernel that reads it: drivers compile it slowly. */
const mostText = 600;

/**
 * The input of a node that makes its text too long, if one does: what is to be kept, a view's own input
 * rather than the view, and never a reshape. The parts of an element add up; a kernel's inputs count by themselves.
 */
export function longestInput(decisions: Decisions, node: Node, known: Known): Tensor | undefined {
  const here = new Set<Node>();
  const isElement = node.op.kind === "element";
  const texts = node.inputs.map((x, i) => {
    const at = isElement && isPointwise(node, i) ? here : new Set<Node>();
    return text.times(node, i) * measured(text, decisions, x, at, known);
  });
  const together = isElement ? texts.reduce((a, b) => a + b, 0) : 0;
  let longest: number | undefined;
  for (const [i, x] of node.inputs.entries())
    if (isComputed(decisions, x) && texts[i]! > (longest === undefined ? 0 : texts[longest]!))
      longest = i;
  if (longest === undefined || Math.max(together, texts[longest]!) <= mostText) return undefined;
  const found = node.inputs[longest]!;
  const [viewed, ...others] = found.node.inputs;
  const isInner =
    isView(found.node) && others.length === 0 && viewed && isComputed(decisions, viewed);
  return reshapedIn(decisions, isInner ? viewed : found);
}

/** How many ops are computed one inside another: views too, though they cost nothing. */
const mostDepth = 200;

/**
 * The input of a node that is nested too deeply, if one is: what is to be kept. `depths` has those of the
 * nodes before, and gets this one's.
 */
export function deepestInput(decisions: Decisions, node: Node, depths: Map<Node, number>) {
  const depthOf = (x: Tensor) => (isComputed(decisions, x) ? (depths.get(x.node) ?? 0) : 0);
  const deepest = node.inputs.reduce<Tensor | undefined>(
    (a, b) => (depthOf(b) > (a ? depthOf(a) : 0) ? b : a),
    undefined,
  );
  const depth = deepest ? depthOf(deepest) : 0;
  depths.set(node, depth + 1);
  return depth < mostDepth ? undefined : deepest;
}

/** What a tensor is a reshape of: kept instead, it is there for whatever else reads it, in whatever shape. */
export function reshapedIn(decisions: Decisions, tensor: Tensor): Tensor {
  let held = tensor;
  while (holdsItsInput(held) && isComputed(decisions, held.node.inputs[0]!))
    held = held.node.inputs[0]!;
  return held;
}

/** Whether a tensor is computed where it is read. */
function isComputed(decisions: Decisions, tensor: Tensor): boolean {
  const { node } = tensor;
  return (
    node.op.kind === "element" &&
    !decisions.kept.has(tensor) &&
    !decisions.chained.has(node) &&
    !decisions.joined(tensor)
  );
}

export function isWorthKeeping(
  { profile }: Decisions,
  cost: number,
  evaluated: number,
  size: number,
): boolean {
  const again = evaluated * cost;
  const { dispatch } = deviceModel(profile);
  const kept = size * (cost + memory) + evaluated * memory + dispatch;
  return again > kept;
}
