/**
 * Rematerialisation: what the backward pass needs of the forward pass and memory does not keep is
 * computed again, by copies of the same nodes, just before it is needed first.
 *
 * A copy has the same op, attributes and sources, and random ops count instead of drawing, so its
 * values are those of the original. It has a turn of its own, so that nothing merges it with the original
 * again, or with another copy; what is not copied is not merged with the forward pass either.
 */
import { graphOf } from "../graph/graph.ts";
import { again, isSource, type Node, newTurn, resultsOf, type Tensor } from "../graph/tensor.ts";

export interface Keeping {
  /** Stays in memory from the forward pass to the backward pass. */
  readonly keep: (tensor: Tensor) => boolean;
  /**
   * Computed again once, and kept from then on. What leads to a landmark is computed for it alone
   * and freed, and once more when the backward pass comes to it: so a long chain of recomputation
   * holds its landmarks and not everything between them.
   */
  readonly landmark?: (tensor: Tensor) => boolean;
}

/**
 * Rebuilds what `outputs` need beside `forward`, in the order in which it was written, on kept
 * tensors and copies. Returns what stands in the place of each rebuilt tensor; a graph of those
 * must have its nodes "as written". No outputs: nothing.
 */
export function recompute(
  outputs: readonly Tensor[],
  forward: ReadonlySet<Node>,
  keeping: Keeping,
): ReadonlyMap<Tensor, Tensor> {
  const replaced = new Map<Tensor, Tensor>();
  if (outputs.length === 0) return replaced;
  const named = outputs.map((tensor, i) => ({ name: String(i), tensor }));
  const copyOf = copies(forward, keeping);
  const backward = newTurn();
  for (const node of graphOf(named, "as written").nodes) {
    if (forward.has(node) || isSource(node)) continue;
    const inputs = node.inputs.map((x) => replaced.get(x) ?? copyOf(x));
    const rebuilt = again(node, inputs, node.turn ?? backward);
    resultsOf(node).forEach((t, i) => {
      replaced.set(t, rebuilt[i]!);
    });
  }
  return replaced;
}

/** What a copy is made for: the way to a landmark, or the backward pass itself. */
type Purpose = "landmark" | "backward";
type Copies = Map<Node, readonly Tensor[]>;

interface Wanted {
  readonly node: Node;
  readonly among: Copies;
  readonly inputsFor: Purpose;
}

function copies(forward: ReadonlySet<Node>, { keep, landmark = () => false }: Keeping) {
  const landmarks: Copies = new Map();
  const made: Record<Purpose, Copies> = { landmark: new Map(), backward: new Map() };
  const stays = (t: Tensor) => isSource(t.node) || !forward.has(t.node) || keep(t);
  /** Where the copy of a node is, and what its inputs are copied for. */
  const place = (node: Node, purpose: Purpose): Wanted =>
    resultsOf(node).some(landmark)
      ? { node, among: landmarks, inputsFor: "landmark" }
      : { node, among: made[purpose], inputsFor: purpose };
  const find = (t: Tensor, purpose: Purpose): Tensor =>
    stays(t) ? t : place(t.node, purpose).among.get(t.node)![t.result]!;

  return (tensor: Tensor): Tensor => {
    const missing: Wanted[] = [];
    // An explicit stack: a deep model must not overflow the call stack.
    const stack: (readonly [Tensor, Purpose])[] = [[tensor, "backward"]];
    for (let top = stack.pop(); top; top = stack.pop()) {
      const [t, purpose] = top;
      if (stays(t)) continue;
      const wanted = place(t.node, purpose);
      if (wanted.among.has(t.node)) continue;
      wanted.among.set(t.node, []);
      missing.push(wanted);
      for (const x of t.node.inputs) stack.push([x, wanted.inputsFor]);
    }
    missing.sort((a, b) => a.node.order - b.node.order);
    for (const { node, among, inputsFor } of missing)
      among.set(
        node,
        again(
          node,
          node.inputs.map((x) => find(x, inputsFor)),
          newTurn(),
        ),
      );
    return find(tensor, "backward");
  };
}
