/**
 * Rewriting: a graph that computes the same with less. The laws come from the ops themselves
 * (`Op.rules`), so no law is known here.
 *
 * Nodes are visited in their order, inputs first. Rules are tried on a node once its inputs are what
 * they become, and then on all that a rule made of it, until none applies; every rule lowers a cost,
 * so that ends. What a rule makes takes the node's place in the order.
 */
import { bug } from "../../diagnostics/index.ts";
import type { Graph } from "../graph/graph.ts";
import { again, isSource, type Node, resultsOf, sameShape, type Tensor } from "../graph/tensor.ts";
import type { ElementOp, KernelOp, Rule } from "../op.ts";
import { type Layout, noLayout } from "../storage/layout.ts";
import { isDue, type Pausing } from "../turns.ts";
import { batchAlike } from "./batch.ts";
import { smallForms } from "./small.ts";

/** Which rule made a node, for reports. */
export interface Rewritten {
  readonly graph: Graph;
  readonly rules: ReadonlyMap<Node, string>;
}

/** By the laws of the ops alone: what comes of it can be differentiated. */
export const applyLaws = (graph: Graph): Pausing<Rewritten> =>
  applyRules(graph, rulesOf(graph.nodes));

/** Just before fusion: by the laws; equal work becomes batches, and small kernels element ops. */
export function* rewrite(graph: Graph, layout: Layout = noLayout): Pausing<Rewritten> {
  const lawful = yield* applyLaws(graph);
  const batched = batchAlike(lawful.graph, layout);
  if (isDue()) yield;
  const { graph: shrunk } = yield* applyRules(batched, [smallForms()]);
  return { graph: shrunk, rules: lawful.rules };
}

function* applyRules(graph: Graph, rules: readonly Rule[]): Pausing<Rewritten> {
  if (rules.length === 0) return { graph, rules: new Map() };
  const reads = new Reads(graph);
  const became = new Map<Tensor, Tensor>();
  const now = (x: Tensor) => became.get(x) ?? x;
  const made = new Map<Node, string>();
  const nodes: Node[] = [];

  /** Finds what a node becomes, after its inputs. */
  const settle = (node: Node, limit = 100): void => {
    const own = resultsOf(node);
    if (became.has(own[0]!)) return;
    if (limit === 0) bug(`the rules of ${node.op.name} do not end`);
    for (const x of node.inputs) settle(x.node, limit);
    const results = moved(node, now, reads);
    const found = applied(rules, results, reads);
    if (!found) nodes.push(results[0]!.node);
    results.forEach((old, i) => {
      const next = found?.tensors[i] ?? old;
      if (found && next !== old) {
        checkType(found.rule, old, next);
        made.set(next.node, found.rule);
        settle(next.node, limit - 1);
      }
      const last = next === old ? old : now(next);
      became.set(own[i]!, last);
      became.set(old, last);
    });
  };
  for (const node of graph.nodes) {
    settle(node);
    if (isDue()) yield;
  }
  const outputs = graph.outputs.map(({ name, tensor }) => ({ name, tensor: now(tensor) }));
  const alive = reachable(outputs.map((o) => o.tensor));
  const { states } = graph;
  return { graph: { nodes: nodes.filter((n) => alive.has(n)), outputs, states }, rules: made };
}

const rulesOf = (nodes: readonly Node[]): Rule[] => [
  ...new Set(
    nodes.flatMap(({ op }) => (isSource({ op }) ? [] : ((op as ElementOp | KernelOp).rules ?? []))),
  ),
];

/** The node on what its inputs have become. */
function moved(node: Node, now: (x: Tensor) => Tensor, reads: Reads): readonly Tensor[] {
  const inputs = node.inputs.map(now);
  if (inputs.every((x, i) => x === node.inputs[i])) return resultsOf(node);
  const results = again(node, inputs);
  reads.move(resultsOf(node), results);
  return results;
}

function applied(rules: readonly Rule[], results: readonly Tensor[], reads: Reads) {
  const { node } = results[0]!;
  if (isSource(node) || results.some((t) => t.node !== node)) return undefined;
  for (const rule of rules) {
    const tensors = rule.apply({
      results,
      isRead: (t) => reads.of(t) > 0,
      isReadOnce: (t) => reads.of(t) === 1,
    });
    if (!tensors) continue;
    reads.replace(results, tensors);
    return { rule: rule.name, tensors };
  }
  return undefined;
}

function checkType(rule: string, { type: old }: Tensor, { type: next }: Tensor): void {
  if (old.dtype !== next.dtype || !sameShape(old.shape, next.shape))
    bug(`${rule} turns ${old.dtype} [${old.shape}] into ${next.dtype} [${next.shape}]`);
}

function reachable(tensors: readonly Tensor[]): Set<Node> {
  const found = new Set<Node>();
  const stack = tensors.map((t) => t.node);
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (found.has(node)) continue;
    found.add(node);
    stack.push(...node.inputs.map((x) => x.node));
  }
  return found;
}

/** How often tensors are read, kept true while nodes are replaced. */
class Reads {
  readonly #counts = new Map<Tensor, number>();
  readonly #alive = new Set<Node>();

  constructor({ nodes, outputs }: Graph) {
    for (const node of nodes) this.#alive.add(node);
    for (const node of nodes) for (const x of node.inputs) this.#add(x, 1);
    for (const { tensor } of outputs) this.#add(tensor, 1);
  }

  of(tensor: Tensor): number {
    return this.#counts.get(tensor) ?? 0;
  }

  /** A node is made again, on what its inputs have become: they are read as often as before. */
  move(old: readonly Tensor[], next: readonly Tensor[]): void {
    this.#alive.delete(old[0]!.node);
    this.#alive.add(next[0]!.node);
    for (const [i, tensor] of next.entries()) this.#pass(old[i]!, tensor);
  }

  /** Readers of some tensors read others from now on. */
  replace(old: readonly Tensor[], next: readonly Tensor[]): void {
    for (const [i, tensor] of next.entries()) {
      const before = old[i]!;
      if (tensor === before) continue;
      this.#revive(tensor.node);
      this.#pass(before, tensor);
    }
    for (const { node } of old) this.#release(node);
  }

  #pass(from: Tensor, to: Tensor): void {
    this.#add(to, this.of(from));
    this.#counts.set(from, 0);
  }

  #add(tensor: Tensor, by: number): void {
    this.#counts.set(tensor, this.of(tensor) + by);
  }

  /** A node that is needed (again) reads its inputs. */
  #revive(node: Node): void {
    if (this.#alive.has(node)) return;
    this.#alive.add(node);
    for (const x of node.inputs) {
      this.#revive(x.node);
      this.#add(x, 1);
    }
  }

  /** A node of which nothing is read any more reads nothing. */
  #release(node: Node): void {
    if (!this.#alive.has(node) || isSource(node)) return;
    if (resultsOf(node).some((t) => this.of(t) > 0)) return;
    this.#alive.delete(node);
    for (const x of node.inputs) {
      this.#add(x, -1);
      this.#release(x.node);
    }
  }
}
