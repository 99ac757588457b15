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
import { mergeEqual, ownOutputs } from "./equal.ts";
import { smallForms } from "./small.ts";

/** Which rule made a node, for reports. */
export interface Rewritten {
  readonly graph: Graph;
  readonly rules: ReadonlyMap<Node, string>;
}

/** By the laws of the ops alone: what comes of it can be differentiated. */
export function* applyLaws(graph: Graph): Pausing<Rewritten> {
  const merged = yield* mergeEqual(graph);
  return yield* applyRules(merged, rulesOf(merged.nodes));
}

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

  /** Goes on with what a node becomes, after its inputs. Returns what it has to wait for first. */
  const advance = (step: Settling): readonly Settling[] => {
    const { node, limit } = step;
    const own = resultsOf(node);
    if (step.after === "nothing") {
      if (became.has(own[0]!)) return [];
      if (limit === 0) bug(`the rules of ${node.op.name} do not end`);
      step.after = "inputs";
      const missing = node.inputs.filter((x) => !became.has(x));
      if (missing.length > 0) return [...missing.map((x) => begin(x.node, limit)), step];
    }
    step.results ??= moved(node, now, reads);
    const { results } = step;
    if (step.after === "inputs") {
      step.found = applied(rules, results, reads);
      if (!step.found) nodes.push(results[0]!.node);
      step.after = "rules";
    }
    for (const [i, old] of results.entries()) {
      const next = step.found?.tensors[i] ?? old;
      if (step.found && next !== old) {
        checkType(step.found.rule, old, next);
        made.set(next.node, step.found.rule);
        if (!became.has(next)) return [begin(next.node, limit - 1), step];
      }
      const last = next === old ? old : now(next);
      became.set(own[i]!, last);
      became.set(old, last);
    }
    return [];
  };
  for (const node of graph.nodes) {
    // An explicit stack: a deep model must not overflow the call stack.
    const stack = [begin(node, 100)];
    for (let step = stack.pop(); step; step = stack.pop())
      stack.push(...advance(step).toReversed());
    if (isDue()) yield;
  }
  const outputs = ownOutputs(graph.outputs, now, nodes);
  const alive = reachable(outputs.map((o) => o.tensor));
  const { states } = graph;
  return { graph: { nodes: nodes.filter((n) => alive.has(n)), outputs, states }, rules: made };
}

/** A node on its way to what it becomes. */
interface Settling {
  readonly node: Node;
  /** How many more rules may follow one another. */
  readonly limit: number;
  /** What has been done. */
  after: "nothing" | "inputs" | "rules";
  results?: readonly Tensor[];
  found?: ReturnType<typeof applied>;
}

const begin = (node: Node, limit: number): Settling => ({ node, limit, after: "nothing" });

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

  /** A node that is needed (again) reads its inputs, and they theirs. */
  #revive(needed: Node): void {
    const stack = [needed];
    for (let node = stack.pop(); node; node = stack.pop()) {
      if (this.#alive.has(node)) continue;
      this.#alive.add(node);
      for (const x of node.inputs) {
        stack.push(x.node);
        this.#add(x, 1);
      }
    }
  }

  /** A node of which nothing is read any more reads nothing. */
  #release(unread: Node): void {
    const stack = [unread];
    for (let node = stack.pop(); node; node = stack.pop()) {
      if (!this.#alive.has(node) || isSource(node)) continue;
      if (resultsOf(node).some((t) => this.of(t) > 0)) continue;
      this.#alive.delete(node);
      for (const x of node.inputs) {
        this.#add(x, -1);
        stack.push(x.node);
      }
    }
  }
}
