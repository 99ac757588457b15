/** What the passes of fusion share while they decide. */
import type { Variants } from "../forms/pick.ts";
import type { Graph, Use } from "../graph/graph.ts";
import type { Node, Tensor } from "../graph/tensor.ts";
import type { Profile } from "../profile.ts";
import type { Link } from "./region.ts";

export interface Decisions {
  readonly graph: Graph;
  readonly variants: Variants;
  readonly profile: Profile;
  readonly uses: ReadonlyMap<Tensor, readonly Use[]>;
  readonly results: ReadonlyMap<Node, readonly Tensor[]>;
  readonly returned: ReadonlySet<Tensor>;
  /** Where each node stands in the graph. */
  readonly order: ReadonlyMap<Node, number>;
  /** Tensors that are in memory as they are: nothing computes them. */
  readonly joined: (tensor: Tensor) => boolean;
  /** Links behind each anchor node. */
  readonly chains: Map<Node, Link[]>;
  /** Element tensors that memory holds: returned, shared by costly users, or over the budget. */
  readonly kept: Set<Tensor>;
  /** Nodes inside a chain, and side nodes that must stay with it. */
  readonly chained: Set<Node>;
  /** The last node of every chain, and those whose results it stores on its way. */
  readonly ends: Set<Node>;
  /** Tensors that a chain stores on its way, because others than the next link read them too. */
  readonly passed: Set<Tensor>;
  readonly reasons: Map<Node, string>;
}
