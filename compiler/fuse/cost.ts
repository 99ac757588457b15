/**
 * Is it cheaper to keep a tensor in memory, or to compute its elements again at every read?
 *
 * The unit is one multiplication. Reading or writing an element of memory counts `memory`; what is
 * kept also costs a dispatch of its own.
 */
import { elements, type Tensor } from "../graph/tensor.ts";
import type { ElementOp, KernelOp } from "../op.ts";
import type { Decisions } from "./decisions.ts";

const memory = 4;
const dispatch = 50_000;

/** Counts per tensor, so that a graph of diamonds takes linear time. */
export type Known = Map<Tensor, number>;

/** How many times elements of a tensor are computed, all together, if it is not kept. */
export function evaluations(plan: Decisions, tensor: Tensor, known: Known): number {
  const before = known.get(tensor);
  if (before !== undefined) return before;
  let total = plan.returned.has(tensor) ? elements(tensor.shape) : 0;
  for (const { node, input } of plan.uses.get(tensor) ?? []) {
    const types = node.inputs.map((x) => x.type);
    if (node.op.kind === "kernel") {
      const reads = (node.op as KernelOp).reads(types, node.attrs, input, plan.profile);
      total += reads * elements(tensor.shape);
    } else {
      const result = plan.results.get(node)![0]!;
      const op = node.op as ElementOp;
      const each = op.reads?.(node.attrs, input) ?? 1;
      const stored = plan.kept.has(result) || plan.chained.has(node);
      total += each * (stored ? elements(result.shape) : evaluations(plan, result, known));
    }
  }
  known.set(tensor, total);
  return total;
}

/** Work of computing one element, with everything that melts in front of it. */
export function inlineCost(plan: Decisions, tensor: Tensor, known: Known): number {
  const { node } = tensor;
  const before = known.get(tensor);
  if (before !== undefined) return before;
  if (node.op.kind !== "element" || plan.kept.has(tensor) || plan.chained.has(node)) return memory;
  const op = node.op as ElementOp;
  const own = typeof op.cost === "number" ? op.cost : op.cost(node.attrs);
  const total = node.inputs.reduce(
    (sum, x, i) => sum + (op.reads?.(node.attrs, i) ?? 1) * inlineCost(plan, x, known),
    own,
  );
  known.set(tensor, total);
  return total;
}

export function isWorthKeeping(cost: number, evaluated: number, size: number): boolean {
  const again = evaluated * cost;
  const kept = size * (cost + memory) + evaluated * memory + dispatch;
  return again > kept;
}
