/** Reverse mode: cotangents of some tensors from those of others, over the ops' own vjps. */
import { graphOf } from "../graph/graph.ts";
import { apply, type Node, resultsOf, type Tensor } from "../graph/tensor.ts";
import { finish, isDue, type Pausing } from "../turns.ts";
import { recompute } from "./recompute.ts";
import { sumOp } from "./sum.ts";

export interface GradientOptions {
  /**
   * Which tensors of the forward pass stay in memory for the backward pass, apart from sources,
   * `outputs` and `wrt`: others are computed again, when they are needed first. All stay unless given.
   */
  readonly keep?: (tensor: Tensor) => boolean;
}

/**
 * The gradients of `wrt` when `outputs` have the given cotangents; undefined where none arrives.
 * Nothing is differentiated that no tensor of `wrt` is behind, and of what is used but cut away
 * later (a slice, say) the gradient is zeros. A graph of the result with its nodes "as written"
 * frees memory soonest.
 */
export const gradient = (...given: Parameters<typeof gradients>): (Tensor | undefined)[] =>
  finish(gradients(...given));

/** As `gradient`, with pauses. */
export function* gradients(
  outputs: readonly Tensor[],
  cotangents: readonly Tensor[],
  wrt: readonly Tensor[],
  { keep }: GradientOptions = {},
): Pausing<(Tensor | undefined)[]> {
  const graph = graphOf(
    outputs.map((tensor, i) => ({ name: String(i), tensor })),
    "as written",
  );
  const found = yield* differentiate(graph.nodes, outputs, cotangents, wrt);
  if (!keep) return found;
  const needed = found.filter((g) => g !== undefined);
  const held = new Set([...outputs, ...cotangents, ...wrt]);
  const policy = { keep: (t: Tensor) => held.has(t) || keep(t) };
  const replaced = recompute(needed, new Set(graph.nodes), policy);
  return found.map((g) => g && (replaced.get(g) ?? g));
}

function* differentiate(
  nodes: readonly Node[],
  outputs: readonly Tensor[],
  cotangents: readonly Tensor[],
  wrt: readonly Tensor[],
): Pausing<(Tensor | undefined)[]> {
  const targets = new Set(wrt);
  const needed = reaching(nodes, targets);
  const arrived = new Map<Tensor, Tensor>();
  const send = (to: Tensor, g: Tensor) => {
    const before = arrived.get(to);
    arrived.set(to, before ? apply(sumOp, [before, g], null)[0]! : g);
  };
  outputs.forEach((y, i) => {
    send(y, cotangents[i]!);
  });
  for (const node of [...nodes].reverse()) {
    if (isDue()) yield;
    if (!needed.has(node) || !node.op.vjp) continue;
    const results = resultsOf(node);
    const received = results.map((t) => arrived.get(t));
    if (received.every((g) => g === undefined)) continue;
    const back = node.op.vjp(received, { inputs: node.inputs, results, attrs: node.attrs });
    node.inputs.forEach((x, i) => {
      const g = back[i];
      if (g && (targets.has(x) || needed.has(x.node))) send(x, g);
    });
  }
  return wrt.map((x) => arrived.get(x));
}

/** Nodes from which a target can be reached backwards. */
function reaching(nodes: readonly Node[], targets: ReadonlySet<Tensor>): Set<Node> {
  const found = new Set<Node>();
  for (const node of nodes)
    if (node.inputs.some((x) => targets.has(x) || found.has(x.node))) found.add(node);
  return found;
}
