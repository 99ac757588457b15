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
import { isDue, type Pausing } from "../turns.ts";
import { evaluations, inlineCost, isWorthKeeping, type Known, longestInput } from "./cost.ts";
import type { Decisions } from "./decisions.ts";
import { isPointwise, push } from "./element.ts";
import type { Fusion, Link, Policy, Region } from "./region.ts";

export function* fuse(
  graph: Graph,
  variants: Variants,
  profile: Profile,
  policy: Policy,
  joins: Joins = joinsOf(graph),
): Pausing<Fusion> {
  const decisions: Decisions = {
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
  for (const node of graph.nodes) if (node.op.kind === "kernel") decisions.chains.set(node, []);
  if (policy === "fused") yield* meltBehind(decisions);
  if (policy === "fused") yield* shorten(decisions);
  yield* keep(decisions, policy);
  if (policy === "fused") yield* meltKept(decisions);
  if (policy === "fused") yield* respectBudget(decisions);
  return { regions: yield* regionsOf(decisions), reasons: decisions.reasons };
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
const used = (decisions: Decisions, node: Node): Tensor[] =>
  decisions.results.get(node)!.filter(Boolean);

/** The one tensor of an element node. */
const only = (decisions: Decisions, node: Node): Tensor => decisions.results.get(node)![0]!;

function* meltBehind(decisions: Decisions): Pausing<void> {
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
    for (const use of decisions.uses.get(tensor)!) pin(decisions, use.node, node);
    open.delete(tensor);
    const result = only(decisions, node);
    if (!decisions.returned.has(result)) open.set(result, anchor);
  }
}

/** Side nodes between a tensor and the link that consumes it stay with the chain. */
function pin(decisions: Decisions, node: Node, link: Node): void {
  if (node === link) return;
  decisions.chained.add(node);
  decisions.reasons.delete(node);
  for (const use of decisions.uses.get(only(decisions, node)) ?? []) pin(decisions, use.node, link);
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
    const chain = [...decisions.chains.get(anchor)!, { node, input }];
    const count = bindings(decisions, anchor, chain);
    if (count > decisions.profile.maxBindings) {
      decisions.reasons.set(node, `behind ${anchor.op.name} it would bind ${count} buffers`);
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
function funnels(decisions: Decisions, tensor: Tensor, node: Node): boolean {
  if (decisions.returned.has(tensor)) return false;
  const uses = decisions.uses.get(tensor)!;
  return (uses.length === 1 && uses[0]!.node === node) || joins(decisions, tensor, node);
}

/** Every path from `tensor` leads, element by element at one place, into `node`. */
function joins(decisions: Decisions, tensor: Tensor, node: Node): boolean {
  return (
    !decisions.returned.has(tensor) &&
    (decisions.uses.get(tensor) ?? []).every(
      (u) =>
        isPointwise(u.node, u.input) &&
        (u.node === node ||
          (!decisions.chained.has(u.node) && joins(decisions, only(decisions, u.node), node))),
    )
  );
}

/** Keeps what would make the text of a kernel too long, inputs first. */
function* shorten(decisions: Decisions): Pausing<void> {
  const costs: Known = new Map();
  for (const node of decisions.graph.nodes) {
    if (isDue()) yield;
    if (isSource(node) || decisions.joined(used(decisions, node)[0]!)) continue;
    for (;;) {
      const longest = longestInput(decisions, node, costs);
      if (!longest) break;
      decisions.kept.add(longest);
      decisions.reasons.set(
        longest.node,
        `its user ${node.op.name} would be a long kernel with it`,
      );
      // What reads it costs less now.
      costs.clear();
    }
  }
}

/** Decides which element tensors memory holds. Users are decided before what they use. */
function* keep(decisions: Decisions, policy: Policy): Pausing<void> {
  const evaluationsOf: Known = new Map();
  const costOf: Known = new Map();
  for (const node of [...decisions.graph.nodes].reverse()) {
    if (isDue()) yield;
    if (node.op.kind !== "element" || decisions.chained.has(node)) continue;
    const tensor = only(decisions, node);
    if (decisions.joined(tensor) || decisions.kept.has(tensor)) continue;
    if (decisions.returned.has(tensor) || policy === "unfused") {
      decisions.kept.add(tensor);
      continue;
    }
    const evaluated = evaluations(decisions, tensor, evaluationsOf);
    const cost = inlineCost(decisions, tensor, costOf);
    if (!isWorthKeeping(cost, evaluated, elements(tensor.shape))) continue;
    decisions.kept.add(tensor);
    const times = Math.round(evaluated / elements(tensor.shape));
    decisions.reasons.set(node, `its users would compute each element ${times} times`);
  }
}

/**
 * What is kept and follows the kernel that stores its input joins that kernel. Anything between the
 * two keeps them apart: a result stored early lives longer.
 */
function* meltKept(decisions: Decisions): Pausing<void> {
  const anchors = new Map([...decisions.chains].map(([node, chain]) => [endOf(node, chain), node]));
  let last: Tensor | undefined;
  for (const node of decisions.graph.nodes) {
    if (isDue()) yield;
    if (anchors.has(node)) {
      const [result, ...others] = used(decisions, node);
      last = others.length === 0 ? result : undefined;
    } else if (node.op.kind === "element" && decisions.kept.has(only(decisions, node))) {
      if (last) follow(decisions, node, last, anchors.get(last.node)!);
      last = undefined;
    }
  }
}

/** Makes a kept node the next link behind an anchor that stores `result`, if it is all that reads it there. */
function follow(decisions: Decisions, node: Node, result: Tensor, anchor: Node): void {
  const input = node.inputs.indexOf(result);
  if (input < 0 || !isPointwise(node, input)) return;
  const read = contents(decisions, node, []).nodes.flatMap((n) => n.inputs);
  if (read.filter((x) => x === result).length > 1) return;
  const chain = decisions.chains.get(anchor)!;
  const link = { node, input };
  if (bindings(decisions, anchor, [...chain, link]) + 1 > decisions.profile.maxBindings) return;
  chain.push(link);
  decisions.passed.add(result);
  decisions.ends.add(result.node).add(node);
  decisions.chained.add(node);
  decisions.kept.delete(only(decisions, node));
  decisions.reasons.delete(node);
}

/** The node whose result a region stores. */
const endOf = (anchor: Node, chain: readonly Link[]): Node => chain.at(-1)?.node ?? anchor;

function* respectBudget(decisions: Decisions): Pausing<void> {
  const shrink = (node: Node, chain: readonly Link[]) => {
    for (;;) {
      const count = bindings(decisions, node, chain);
      if (count <= decisions.profile.maxBindings) return;
      const widest = widestMelted(decisions, node, chain);
      if (!widest)
        throw diagnose("E108", {
          message: `${node.op.name} reads and writes ${count} tensors, but the profile "${decisions.profile.name}" allows ${decisions.profile.maxBindings} storage buffers in one kernel`,
          at: node.span,
          help: "split it, for example concatenate in two steps",
        });
      decisions.kept.add(widest);
      decisions.reasons.set(widest.node, `its user ${node.op.name} would bind ${count} buffers`);
    }
  };
  for (const node of [...decisions.graph.nodes].reverse()) {
    if (isDue()) yield;
    if (node.op.kind === "kernel") shrink(node, decisions.chains.get(node)!);
    else if (node.op.kind === "element" && decisions.kept.has(only(decisions, node)))
      shrink(node, []);
  }
}

/** The melted tensor whose keeping saves most buffers. */
function widestMelted(
  decisions: Decisions,
  node: Node,
  chain: readonly Link[],
): Tensor | undefined {
  let widest: Tensor | undefined;
  let most = 1;
  for (const inner of contents(decisions, node, chain).nodes) {
    if (inner === node || inner.op.kind !== "element" || decisions.chained.has(inner)) continue;
    const tensor = only(decisions, inner);
    const count = contents(decisions, inner, []).reads.length;
    if (count > most) [widest, most] = [tensor, count];
  }
  return widest;
}

const bindings = (decisions: Decisions, node: Node, chain: readonly Link[]): number =>
  contents(decisions, node, chain).reads.length + writesOf(decisions, node, chain).length;

/** What a region stores. */
function writesOf(decisions: Decisions, anchor: Node, chain: readonly Link[]): Tensor[] {
  if (chain.length === 0) return used(decisions, anchor);
  const held = chain.map(({ node, input }) => node.inputs[input]!);
  return [only(decisions, endOf(anchor, chain)), ...held.filter((t) => decisions.passed.has(t))];
}

/** What a region reads from memory, and the nodes computed inside it. */
function contents(decisions: Decisions, anchor: Node, chain: readonly Link[]) {
  const reads = new Set<Tensor>();
  const nodes = new Set<Node>([anchor]);
  // What the chain passes on in registers is never read from memory.
  const running = new Set<Tensor>(chain.map((l) => l.node.inputs[l.input]!));
  const visit = (tensor: Tensor) => {
    if (running.has(tensor)) return;
    const { node } = tensor;
    const melts =
      node.op.kind === "element" &&
      !decisions.kept.has(tensor) &&
      !decisions.joined(tensor) &&
      !decisions.ends.has(node) &&
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

function* regionsOf(decisions: Decisions): Pausing<Region[]> {
  const at = new Map(decisions.graph.nodes.map((n, i) => [n, i]));
  const regions: { order: number; region: Region }[] = [];
  for (const node of decisions.graph.nodes) {
    if (isDue()) yield;
    const isMap = node.op.kind === "element" && decisions.kept.has(only(decisions, node));
    if (node.op.kind !== "kernel" && !isMap) continue;
    const chain = decisions.chains.get(node) ?? [];
    const { reads, nodes } = contents(decisions, node, chain);
    const writes = writesOf(decisions, node, chain);
    // What it stores on its way may be read before its end stands in the graph.
    const order = Math.min(...writes.map((t) => at.get(t.node)!));
    const variant = decisions.variants.get(node);
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
