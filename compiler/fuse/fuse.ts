/**
 * Fusion: which nodes become kernels, and which melt into them.
 *
 * 1. Element ops melt behind the anchor that makes their input, when nothing else needs that input
 *    and the op can be turned around (`push`): bias, activation, residual, window un-partition.
 * 2. Every other element op melts in front of its users: views always, arithmetic unless computing
 *    it again for every read costs more than keeping it (`cost.ts`).
 * 3. A kept element op whose only tensor input is the previous kernel's result is computed by that kernel,
 *    which stores both: an activation whose input the backward pass reads.
 * 4. A region may bind no more buffers than the profile allows; whatever is too much is kept.
 * 5. Regions stand in the order in which what they read is there, each as early as its anchor allows.
 */
import { diagnose } from "../../diagnostics/index.ts";
import type { Variants } from "../forms/pick.ts";
import { type Graph, usesOf } from "../graph/graph.ts";
import { elements, isSource, type Node, show, type Tensor } from "../graph/tensor.ts";
import { index } from "../kernel/value.ts";
import type { KernelOp } from "../op.ts";
import type { Profile } from "../profile.ts";
import { type Joins, joinsOf } from "../storage/joins.ts";
import { evaluations, inlineCost, isWorthKeeping, type Known, longestInput } from "./cost.ts";
import type { Decisions } from "./decisions.ts";
import { isPointwise, push } from "./element.ts";
import type { Fusion, Link, Policy, Region } from "./region.ts";

export function fuse(
  graph: Graph,
  variants: Variants,
  profile: Profile,
  policy: Policy,
  joins: Joins = joinsOf(graph),
): Fusion {
  const plan: Decisions = {
    graph,
    variants,
    profile,
    uses: usesOf(graph),
    results: resultsOf(graph),
    returned: new Set(graph.outputs.map((o) => o.tensor)),
    joined: (t) => joins.of(t) !== undefined,
    chains: new Map(),
    kept: new Set(),
    chained: new Set(),
    ends: new Set(),
    passed: new Set(),
    reasons: new Map(),
  };
  for (const node of graph.nodes) if (node.op.kind === "kernel") plan.chains.set(node, []);
  if (policy === "fused") meltBehind(plan);
  if (policy === "fused") shorten(plan);
  keep(plan, policy);
  if (policy === "fused") meltKept(plan);
  if (policy === "fused") respectBudget(plan);
  return { regions: regionsOf(plan), reasons: plan.reasons };
}

function resultsOf(graph: Graph): Map<Node, Tensor[]> {
  const results = new Map<Node, Tensor[]>();
  const add = (t: Tensor) => {
    const list = results.get(t.node) ?? [];
    list[t.result] = t;
    results.set(t.node, list);
  };
  for (const node of graph.nodes) node.inputs.forEach(add);
  for (const o of graph.outputs) add(o.tensor);
  return results;
}

/** The results of a node that something reads, or that are returned. */
const used = (plan: Decisions, node: Node): Tensor[] => plan.results.get(node)!.filter(Boolean);

/** The one tensor of an element node. */
const only = (plan: Decisions, node: Node): Tensor => plan.results.get(node)![0]!;

function meltBehind(plan: Decisions): void {
  // Tensors whose last writer is still open: what they hold has not been stored yet.
  const open = new Map<Tensor, Node>();
  for (const node of plan.graph.nodes) {
    if (node.op.kind === "kernel") {
      const [result, ...others] = used(plan, node);
      if (others.length === 0 && !plan.returned.has(result!)) open.set(result!, node);
      continue;
    }
    if (node.op.kind !== "element") continue;
    const input = pushableInput(plan, node, open);
    if (input === undefined) continue;
    const tensor = node.inputs[input]!;
    const anchor = open.get(tensor)!;
    plan.chains.get(anchor)!.push({ node, input });
    plan.chained.add(node);
    plan.ends.delete(tensor.node);
    plan.ends.add(node);
    for (const use of plan.uses.get(tensor)!) pin(plan, use.node, node);
    open.delete(tensor);
    const result = only(plan, node);
    if (!plan.returned.has(result)) open.set(result, anchor);
  }
}

/** Side nodes between a tensor and the link that consumes it stay with the chain. */
function pin(plan: Decisions, node: Node, link: Node): void {
  if (node === link) return;
  plan.chained.add(node);
  plan.reasons.delete(node);
  for (const use of plan.uses.get(only(plan, node)) ?? []) pin(plan, use.node, link);
}

/** The input through which a node can melt behind an open anchor; the costliest anchor wins. */
function pushableInput(plan: Decisions, node: Node, open: Map<Tensor, Node>): number | undefined {
  let best: number | undefined;
  let most = -1;
  node.inputs.forEach((tensor, input) => {
    const anchor = open.get(tensor);
    const somewhere = tensor.shape.map(() => index(0));
    if (anchor === undefined || !push(node, input, somewhere)) return;
    if (!funnels(plan, tensor, node)) {
      plan.reasons.set(node, `${show(tensor.type)} has other users, so memory must hold it`);
      return;
    }
    const chain = [...plan.chains.get(anchor)!, { node, input }];
    const count = bindings(plan, anchor, chain);
    if (count > plan.profile.maxBindings) {
      plan.reasons.set(node, `behind ${anchor.op.name} it would bind ${count} buffers`);
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

/** `node` is all that needs `tensor`: alone, or with side nodes that lead into it. */
function funnels(plan: Decisions, tensor: Tensor, node: Node): boolean {
  if (plan.returned.has(tensor)) return false;
  const uses = plan.uses.get(tensor)!;
  return (uses.length === 1 && uses[0]!.node === node) || joins(plan, tensor, node);
}

/** Every path from `tensor` leads, element by element at one place, into `node`. */
function joins(plan: Decisions, tensor: Tensor, node: Node): boolean {
  return (
    !plan.returned.has(tensor) &&
    (plan.uses.get(tensor) ?? []).every(
      (u) =>
        isPointwise(u.node, u.input) &&
        (u.node === node || (!plan.chained.has(u.node) && joins(plan, only(plan, u.node), node))),
    )
  );
}

/** Keeps what would make the text of a kernel too long, inputs first. */
function shorten(plan: Decisions): void {
  const costs: Known = new Map();
  for (const node of plan.graph.nodes) {
    if (isSource(node) || plan.joined(used(plan, node)[0]!)) continue;
    for (;;) {
      const longest = longestInput(plan, node, costs);
      if (!longest) break;
      plan.kept.add(longest);
      plan.reasons.set(longest.node, `its user ${node.op.name} would be a long kernel with it`);
      // What reads it costs less now.
      costs.clear();
    }
  }
}

/** Decides which element tensors memory holds. Users are decided before what they use. */
function keep(plan: Decisions, policy: Policy): void {
  const evaluationsOf: Known = new Map();
  const costOf: Known = new Map();
  for (const node of [...plan.graph.nodes].reverse()) {
    if (node.op.kind !== "element" || plan.chained.has(node)) continue;
    const tensor = only(plan, node);
    if (plan.joined(tensor) || plan.kept.has(tensor)) continue;
    if (plan.returned.has(tensor) || policy === "unfused") {
      plan.kept.add(tensor);
      continue;
    }
    const evaluated = evaluations(plan, tensor, evaluationsOf);
    const cost = inlineCost(plan, tensor, costOf);
    if (!isWorthKeeping(cost, evaluated, elements(tensor.shape))) continue;
    plan.kept.add(tensor);
    const times = Math.round(evaluated / elements(tensor.shape));
    plan.reasons.set(node, `its users would compute each element ${times} times`);
  }
}

/**
 * What is kept and follows the kernel that stores its input joins that kernel. Anything between the
 * two keeps them apart: a result stored early lives longer.
 */
function meltKept(plan: Decisions): void {
  const anchors = new Map([...plan.chains].map(([node, chain]) => [endOf(node, chain), node]));
  let last: Tensor | undefined;
  for (const node of plan.graph.nodes) {
    if (anchors.has(node)) {
      const [result, ...others] = used(plan, node);
      last = others.length === 0 ? result : undefined;
    } else if (node.op.kind === "element" && plan.kept.has(only(plan, node))) {
      if (last) follow(plan, node, last, anchors.get(last.node)!);
      last = undefined;
    }
  }
}

/** Makes a kept node the next link behind an anchor that stores `result`, if it is all that reads it there. */
function follow(plan: Decisions, node: Node, result: Tensor, anchor: Node): void {
  const input = node.inputs.indexOf(result);
  if (input < 0 || !isPointwise(node, input)) return;
  const read = contents(plan, node, []).nodes.flatMap((n) => n.inputs);
  if (read.filter((x) => x === result).length > 1) return;
  const chain = plan.chains.get(anchor)!;
  const link = { node, input };
  if (bindings(plan, anchor, [...chain, link]) + 1 > plan.profile.maxBindings) return;
  chain.push(link);
  plan.passed.add(result);
  plan.ends.add(result.node).add(node);
  plan.chained.add(node);
  plan.kept.delete(only(plan, node));
  plan.reasons.delete(node);
}

/** The node whose result a region stores. */
const endOf = (anchor: Node, chain: readonly Link[]): Node => chain.at(-1)?.node ?? anchor;

function respectBudget(plan: Decisions): void {
  const shrink = (node: Node, chain: readonly Link[]) => {
    for (;;) {
      const count = bindings(plan, node, chain);
      if (count <= plan.profile.maxBindings) return;
      const widest = widestMelted(plan, node, chain);
      if (!widest)
        throw diagnose("E108", {
          message: `${node.op.name} reads and writes ${count} tensors, but the profile "${plan.profile.name}" allows ${plan.profile.maxBindings} storage buffers in one kernel`,
          at: node.span,
          help: "split it, for example concatenate in two steps",
        });
      plan.kept.add(widest);
      plan.reasons.set(widest.node, `its user ${node.op.name} would bind ${count} buffers`);
    }
  };
  for (const node of [...plan.graph.nodes].reverse()) {
    if (node.op.kind === "kernel") shrink(node, plan.chains.get(node)!);
    else if (node.op.kind === "element" && plan.kept.has(only(plan, node))) shrink(node, []);
  }
}

/** The melted tensor whose keeping saves most buffers. */
function widestMelted(plan: Decisions, node: Node, chain: readonly Link[]): Tensor | undefined {
  let widest: Tensor | undefined;
  let most = 1;
  for (const inner of contents(plan, node, chain).nodes) {
    if (inner === node || inner.op.kind !== "element" || plan.chained.has(inner)) continue;
    const tensor = only(plan, inner);
    const count = contents(plan, inner, []).reads.length;
    if (count > most) [widest, most] = [tensor, count];
  }
  return widest;
}

const bindings = (plan: Decisions, node: Node, chain: readonly Link[]): number =>
  contents(plan, node, chain).reads.length + writesOf(plan, node, chain).length;

/** What a region stores. */
function writesOf(plan: Decisions, anchor: Node, chain: readonly Link[]): Tensor[] {
  if (chain.length === 0) return used(plan, anchor);
  const held = chain.map(({ node, input }) => node.inputs[input]!);
  return [only(plan, endOf(anchor, chain)), ...held.filter((t) => plan.passed.has(t))];
}

/** What a region reads from memory, and the nodes computed inside it. */
function contents(plan: Decisions, anchor: Node, chain: readonly Link[]) {
  const reads = new Set<Tensor>();
  const nodes = new Set<Node>([anchor]);
  // What the chain passes on in registers is never read from memory.
  const running = new Set<Tensor>(chain.map((l) => l.node.inputs[l.input]!));
  const visit = (tensor: Tensor) => {
    if (running.has(tensor)) return;
    const { node } = tensor;
    const melts =
      node.op.kind === "element" &&
      !plan.kept.has(tensor) &&
      !plan.joined(tensor) &&
      !plan.ends.has(node) &&
      node !== anchor;
    if (!melts) {
      reads.add(tensor);
      return;
    }
    if (nodes.has(node)) return;
    nodes.add(node);
    node.inputs.forEach(visit);
  };
  anchor.inputs.forEach(visit);
  for (const link of chain) {
    nodes.add(link.node);
    for (const x of link.node.inputs) visit(x);
  }
  return { reads: [...reads], nodes: [...nodes] };
}

function regionsOf(plan: Decisions): Region[] {
  const at = new Map(plan.graph.nodes.map((n, i) => [n, i]));
  const regions: { order: number; region: Region }[] = [];
  for (const node of plan.graph.nodes) {
    const isMap = node.op.kind === "element" && plan.kept.has(only(plan, node));
    if (node.op.kind !== "kernel" && !isMap) continue;
    const chain = plan.chains.get(node) ?? [];
    const { reads, nodes } = contents(plan, node, chain);
    const writes = writesOf(plan, node, chain);
    // What it stores on its way may be read before its end stands in the graph.
    const order = Math.min(...writes.map((t) => at.get(t.node)!));
    const variant = plan.variants.get(node);
    regions.push({ order, region: { anchor: node, variant, chain, writes, reads, nodes } });
  }
  regions.sort((a, b) => a.order - b.order);
  return soonest(
    regions.map((r) => r.region),
    at,
  );
}

/**
 * Regions where their anchors stand, or as soon after that as what they read is there: what melted behind
 * may stand far below, such as the transpose of a weight's gradient, and what they read would live as long.
 */
function soonest(regions: readonly Region[], at: ReadonlyMap<Node, number>): Region[] {
  const places = new Map<Tensor, number>();
  const placed = regions.map((region) => {
    const after = region.reads.map((t) => places.get(t) ?? 0);
    const place = Math.max(at.get(region.anchor)!, ...after);
    for (const t of region.writes) places.set(t, place);
    return { region, place };
  });
  return placed.sort((a, b) => a.place - b.place).map((p) => p.region);
}
