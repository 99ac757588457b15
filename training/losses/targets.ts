/**
 * What losses ask of their targets. Where a target is an input, or a view or cast of one, the input's
 * numbers are checked on the host at every step; where it is computed, a value that cannot be makes the
 * loss infinite, so that the step is vetoed.
 */
import type { Source } from "../../compiler/graph/sources.ts";
import type { Node } from "../../compiler/graph/tensor.ts";
import type { ElementOp, Tensor } from "../../compiler/op-kit.ts";
import { op as castOp } from "../../ops/elementwise/cast.ts";
import {
  add,
  and,
  cast,
  exp,
  ge,
  gt,
  lt,
  mul,
  ne,
  or,
  stopGradient,
  where,
} from "../../ops/index.ts";
import type { Target, Targets } from "../../runtime/training/targets.ts";

const asked = new WeakMap<Node, Target[]>();

/** A target of a binary loss, f32: 0 to 1 in every element. */
export function maskTarget<T extends Tensor>(target: T): T {
  if (askOfInput(target, { kind: "mask" }) || comesFromFlags(target)) return target;
  const still = stopGradient(target) as Tensor;
  const outside = or(lt(still, -1e-4) as Tensor<"bool">, gt(still, 1.0001) as Tensor<"bool">);
  return add(target, endless(outside as Tensor<"bool">)) as Tensor as T;
}

/** What to add to the loss of each place of labels, i32: 0 where they are classes, undefined if all are. */
export function labelsTarget(
  labels: Tensor,
  classes: number,
  ignore: number | undefined,
): Tensor | undefined {
  const more = ignore === undefined ? {} : { ignore };
  if (askOfInput(labels, { kind: "labels", classes, ...more })) return undefined;
  const outside = or(lt(labels, 0) as Tensor<"bool">, ge(labels, classes) as Tensor<"bool">);
  const wrong = and(outside as Tensor<"bool">, ne(labels, ignore ?? -1) as Tensor<"bool">);
  return endless(wrong as Tensor<"bool">);
}

/** What losses ask of the inputs among some nodes, by name. */
export function targetsOf(nodes: readonly Node[]): Targets {
  const found: Record<string, readonly Target[]> = {};
  for (const node of nodes) {
    const all = asked.get(node);
    if (all) found[(node.attrs as Source).name] = all;
  }
  return found;
}

/** Infinite where it holds, otherwise 0. No literal is infinite, but an exponential may be. */
const endless = (wrong: Tensor<"bool">): Tensor =>
  where(wrong, exp(mul(cast(wrong, "f32"), 1000) as Tensor) as Tensor, 0) as Tensor;

/** Asks it of the input that a target is, if it is one. */
export function askOfInput(target: Tensor, what: Target): boolean {
  const { node } = originOf(target);
  if (node.op.kind !== "input") return false;
  const all = asked.get(node) ?? [];
  if (!all.some((one) => JSON.stringify(one) === JSON.stringify(what))) all.push(what);
  asked.set(node, all);
  return true;
}

const comesFromFlags = (target: Tensor): boolean => originOf(target).dtype === "bool";

/** The tensor of which this one has the values: through views, which cost nothing, and casts. */
function originOf(tensor: Tensor): Tensor {
  const { op, inputs } = tensor.node;
  const [only] = inputs;
  const isView = op.kind === "element" && (op as ElementOp).cost === 0 && inputs.length === 1;
  return only && (isView || op === (castOp as unknown)) ? originOf(only) : tensor;
}
