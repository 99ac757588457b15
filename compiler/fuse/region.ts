/** A region: one kernel of the final program. An anchor with everything that melted into it. */
import type { Node, Tensor } from "../graph/tensor.ts";
import type { Variant } from "../op.ts";

/** An element op that melted behind the anchor: it receives the running value as input `input`. */
export interface Link {
  readonly node: Node;
  readonly input: number;
}

export interface Region {
  /** The node whose kernel this is; an element op makes a map, one thread per element. */
  readonly anchor: Node;
  /** How the anchor's kernel is made; undefined for a map. */
  readonly variant: Variant | undefined;
  /** What melted behind, in order. */
  readonly chain: readonly Link[];
  /** The tensors that the region writes to memory. With a chain: its end, then those on its way. */
  readonly writes: readonly Tensor[];
  /** The tensors that it reads from memory. */
  readonly reads: readonly Tensor[];
  /** Every node computed here: anchor, chain, and what melted in front. */
  readonly nodes: readonly Node[];
}

export interface Fusion {
  readonly regions: readonly Region[];
  /** Why a node that could have melted did not, in node order. */
  readonly reasons: ReadonlyMap<Node, string>;
}

/** Melts nothing: every node is its own region. The baseline that fusion is checked against. */
export type Policy = "fused" | "unfused";
