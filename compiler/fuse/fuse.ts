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
import type { Variants } from "../forms/pick.ts";
import { type Graph, usesOf } from "../graph/graph.ts";
import { elements, isSource, type Node, type Tensor } from "../graph/tensor.ts";
import type { Profile } from "../profile.ts";
import { type Joins, joinsOf } from "../storage/joins.ts";
import { isDue, type Pausing } from "../turns.ts";
import { meltBehind } from "./behind.ts";
import { respectBudget } from "./budget.ts";
import { bindings, contents, endOf, only, used, writesOf } from "./contents.ts";
import {
  deepestInput,
  evaluations,
  inlineCost,
  isWorthKeeping,
  type Known,
  longestInput,
  reshapedIn,
} from "./cost.ts";
import type { Decisions } from "./decisions.ts";
import { isPointwise } from "./element.ts";
import type { Fusion, Policy, Region } from "./region.ts";

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
    order: new Map(graph.nodes.map((n, i) => [n, i])),
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

/** Keeps what would make the text of a kernel too long, or too deep to be lowered, inputs first. */
function* shorten(decisions: Decisions): Pausing<void> {
  const costs: Known = new Map();
  const depths = new Map<Node, number>();
  for (const node of decisions.graph.nodes) {
    if (isDue()) yield;
    if (isSource(node) || decisions.joined(used(decisions, node)[0]!)) continue;
    for (;;) {
      const longest = longestInput(decisions, node, costs) ?? deepestInput(decisions, node, depths);
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
    if (!isWorthKeeping(decisions, cost, evaluated, elements(tensor.shape))) continue;
    const held = reshapedIn(decisions, tensor);
    decisions.kept.add(held);
    // Other views of it cost less now.
    if (held !== tensor) costOf.clear();
    const times = Math.round(evaluated / elements(tensor.shape));
    decisions.reasons.set(held.node, `its users would compute each element ${times} times`);
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

function* regionsOf(decisions: Decisions): Pausing<Region[]> {
  const at = decisions.order;
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
