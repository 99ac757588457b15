/** Work of nodes, and in which order tensors are best given up to be computed again. */
import { costOf } from "../fuse/element.ts";
import { elements, isSource, type Node, type Tensor } from "../graph/tensor.ts";
import type { KernelOp } from "../op.ts";
import type { Saved } from "./saved.ts";

/** Multiplications of some nodes, each computed once. */
export const workOf = (nodes: Iterable<Node>): number => {
  let total = 0;
  for (const node of nodes) total += workOfOne(node);
  return total;
};

function workOfOne(node: Node): number {
  const { op, inputs, attrs, types } = node;
  switch (op.kind) {
    case "input":
    case "parameter":
    case "state":
      return 0;
    case "element":
      return elements(types[0]!.shape) * costOf(node);
    case "kernel":
      return (op as KernelOp).work(
        inputs.map((x) => x.type),
        attrs,
      );
  }
}

/**
 * Orders saved tensors by the bytes that each frees for the work of computing it again, of what was
 * not computed again for those before it. Among equals the earlier is given up first: it would
 * have been kept for longest. What is neither saved nor `kept` is always computed again.
 */
export function dropOrder(saved: readonly Saved[], kept: (t: Tensor) => boolean): Saved[] {
  const segments = new Map<number, Saved[]>();
  for (const s of saved) {
    const segment = segments.get(s.segment);
    if (segment) segment.push(s);
    else segments.set(s.segment, [s]);
  }
  const ranked = [...segments.values()].flatMap((segment) => orderSegment(segment, kept));
  // A segment's own order stays, because nothing in it is worth more than what came before.
  return ranked.sort((a, b) => b.worth - a.worth).map((r) => r.saved);
}

interface Ranked {
  readonly saved: Saved;
  readonly worth: number;
}

/**
 * No recomputation crosses a narrow place, so a segment's order does not depend on the others. What a tensor
 * is worth changes only where its recomputation meets what was given up or copied; it alone is weighed again.
 */
function orderSegment(segment: readonly Saved[], kept: (t: Tensor) => boolean): Ranked[] {
  const held = new Set(segment.flatMap((s) => s.tensors));
  const copied = new Set<Node>();
  const meeting = new Map<Node, Set<number>>();
  const best = new Best(segment.length);
  const nodesOf: (readonly Node[])[] = [];
  const weigh = (at: number) => {
    const { tensors, bytes } = segment[at]!;
    const own = new Set(tensors);
    const stays = (t: Tensor) => kept(t) || (held.has(t) && !own.has(t));
    const { found, met } = neededFor(tensors, stays, copied);
    nodesOf[at] = found;
    for (const node of met) meeting.set(node, (meeting.get(node) ?? new Set()).add(at));
    best.set(at, bytes / (1 + workOf(found)));
  };
  for (const at of segment.keys()) weigh(at);
  const ranked: Ranked[] = [];
  let worst = Number.POSITIVE_INFINITY;
  for (let next = best.take(); next; next = best.take()) {
    const saved = segment[next.at]!;
    worst = Math.min(worst, next.worth);
    ranked.push({ saved, worth: worst });
    for (const t of saved.tensors) held.delete(t);
    const changed = [...saved.tensors.map((t) => t.node), ...nodesOf[next.at]!];
    for (const node of nodesOf[next.at]!) copied.add(node);
    const again = new Set(changed.flatMap((node) => [...(meeting.get(node) ?? [])]));
    for (const node of changed) meeting.delete(node);
    for (const at of again) if (best.has(at)) weigh(at);
  }
  return ranked;
}

/** Numbers from 0 up, each with a worth that changes: the largest is taken first, of equal ones the first. */
class Best {
  /** A tree of the number that is best below each place; -1 where none is left. */
  readonly #tree: Int32Array;
  readonly #worth: Float64Array;
  readonly #leaves: number;

  constructor(count: number) {
    this.#leaves = 2 ** Math.ceil(Math.log2(Math.max(count, 1)));
    this.#tree = new Int32Array(2 * this.#leaves).fill(-1);
    this.#worth = new Float64Array(count);
  }

  has(at: number): boolean {
    return this.#tree[this.#leaves + at] === at;
  }

  set(at: number, worth: number): void {
    this.#worth[at] = worth;
    this.#put(at, at);
  }

  take(): { readonly at: number; readonly worth: number } | undefined {
    const at = this.#tree[1]!;
    if (at < 0) return undefined;
    this.#put(at, -1);
    return { at, worth: this.#worth[at]! };
  }

  #put(leaf: number, value: number): void {
    let place = this.#leaves + leaf;
    this.#tree[place] = value;
    for (place >>= 1; place > 0; place >>= 1)
      this.#tree[place] = this.#better(this.#tree[2 * place]!, this.#tree[2 * place + 1]!);
  }

  #better(a: number, b: number): number {
    if (a < 0 || b < 0) return Math.max(a, b);
    return this.#worth[b]! > this.#worth[a]! ? b : a;
  }
}

/**
 * Nodes to be copied for some tensors, without those that are copied already, and all nodes that the search
 * for them met.
 */
function neededFor(
  tensors: readonly Tensor[],
  stays: (t: Tensor) => boolean,
  copied: ReadonlySet<Node>,
): { readonly found: readonly Node[]; readonly met: ReadonlySet<Node> } {
  const found = new Set<Node>();
  const met = new Set<Node>();
  const stack = [...tensors];
  for (let t = stack.pop(); t; t = stack.pop()) {
    const { node } = t;
    met.add(node);
    if (found.has(node) || copied.has(node) || isSource(node) || stays(t)) continue;
    found.add(node);
    stack.push(...node.inputs);
  }
  return { found: [...found], met };
}
