/** What melts behind an anchor: each element op is computed by the kernel that makes its input. */
import { type Node, show, type Tensor } from "../graph/tensor.ts";
import { index } from "../kernel/value.ts";
import type { KernelOp } from "../op.ts";
import { isDue, type Pausing } from "../turns.ts";
import { bindings, only, used } from "./contents.ts";
import type { Decisions } from "./decisions.ts";
import { isPointwise, push } from "./element.ts";

/** A kernel is lowered link by link, each inside the one before: a longer chain is two kernels. */
const longestChain = 100;

/** How many nodes of a kernel are looked at while the longest texts are not cut yet. */
const mostAsked = 1000;

/** The most tensors beside a chain that lead into one link. */
const mostAside = 100;

export function* meltBehind(decisions: Decisions): Pausing<void> {
  // Tensors whose last writer is still open: what they hold has not been stored yet.
  const open = new Map<Tensor, Node>();
  for (const node of decisions.graph.nodes) {
    if (isDue()) yield;
    if (node.op.kind === "kernel") {
      const [result, ...others] = used(decisions, node);
      if (others.length === 0 && !decisions.returned.has(result!)) open.set(result!, node);
      continue;
    }
    if (node.op.kind !== "element") continue;
    const input = pushableInput(decisions, node, open);
    if (input === undefined) continue;
    const tensor = node.inputs[input]!;
    const anchor = open.get(tensor)!;
    decisions.chains.get(anchor)!.push({ node, input });
    decisions.chained.add(node);
    decisions.ends.delete(tensor.node);
    decisions.ends.add(node);
    pin(decisions, tensor, node);
    open.delete(tensor);
    const result = only(decisions, node);
    if (!decisions.returned.has(result)) open.set(result, anchor);
  }
}

/** Side nodes between a tensor and the link that consumes it stay with the chain. */
function pin(decisions: Decisions, tensor: Tensor, link: Node): void {
  const stack = decisions.uses.get(tensor)!.map((use) => use.node);
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (node === link || decisions.chained.has(node)) continue;
    decisions.chained.add(node);
    decisions.reasons.delete(node);
    for (const use of decisions.uses.get(only(decisions, node)) ?? []) stack.push(use.node);
  }
}

/** The input through which a node can melt behind an open anchor; the costliest anchor wins. */
function pushableInput(
  decisions: Decisions,
  node: Node,
  open: Map<Tensor, Node>,
): number | undefined {
  let best: number | undefined;
  let most = -1;
  node.inputs.forEach((tensor, input) => {
    const anchor = open.get(tensor);
    const somewhere = tensor.shape.map(() => index(0));
    if (anchor === undefined || !push(node, input, somewhere)) return;
    if (!funnels(decisions, tensor, node)) {
      decisions.reasons.set(node, `${show(tensor.type)} has other users, so memory must hold it`);
      return;
    }
    const before = decisions.chains.get(anchor)!;
    if (before.length >= longestChain) {
      decisions.reasons.set(node, `${longestChain} ops are behind ${anchor.op.name} already`);
      return;
    }
    const chain = [...before, { node, input }];
    const count = bindings(decisions, anchor, chain, mostAsked);
    if (count > decisions.profile.maxBindings) {
      const why = Number.isFinite(count)
        ? `it would bind ${count} buffers`
        : `it would be in a kernel of more than ${mostAsked} ops`;
      decisions.reasons.set(node, `behind ${anchor.op.name} ${why}`);
      return;
    }
    const op = anchor.op as KernelOp;
    const work = op.work(
      anchor.inputs.map((x) => x.type),
      anchor.attrs,
    );
    if (work > most) [best, most] = [input, work];
  });
  return best;
}

/**
 * `node` is all that needs `tensor`: alone, or with side nodes that lead into it, element by element at
 * one place.
 */
function funnels(decisions: Decisions, tensor: Tensor, node: Node): boolean {
  const { returned, uses, chained, order } = decisions;
  const last = order.get(node)!;
  const seen = new Set<Tensor>();
  const stack = [tensor];
  for (let t = stack.pop(); t; t = stack.pop()) {
    if (seen.has(t)) continue;
    seen.add(t);
    if (returned.has(t) || seen.size > mostAside) return false;
    const users = uses.get(t)!;
    // Whatever stands behind `node` does not lead into it. Uses stand in the order of their nodes.
    if (order.get(users.at(-1)!.node)! > last) return false;
    if (t === tensor && users.length === 1 && users[0]!.node === node) return true;
    for (const { node: user, input } of users) {
      if (!isPointwise(user, input)) return false;
      if (user === node) continue;
      if (chained.has(user)) return false;
      stack.push(only(decisions, user));
    }
  }
  return true;
}
