/**
 * Mixed precision: which tensors are stored as halves. Memory is what halves save, so only large
 * tensors become halves; whatever is computed is computed in `f32`.
 */
import type { Graph } from "../graph/graph.ts";
import type { Source } from "../graph/sources.ts";
import { elements, type Tensor, type Type } from "../graph/tensor.ts";
import type { Profile } from "../profile.ts";
import { type Joins, noJoins } from "./joins.ts";
import type { Layout } from "./layout.ts";

/** `f32` is the default, and what mixed precision is compared with. */
export type Precision = "f32" | "mixed";

/** Whether a tensor is stored as halves. */
export type Halves = (tensor: Tensor) => boolean;

export const noHalves: Halves = () => false;

/**
 * What may be halves: everything below, or the frozen parameters alone, on devices that can only read
 * halves, two from a word (`compiler/targets/wgsl/halves.ts`).
 */
export type Reach = "all" | "frozen";

/** A profile as far as a precision allows: fragments of halves round what they multiply. */
export function forPrecision(profile: Profile, precision: Precision): Profile {
  const { matrices, ...others } = profile;
  if (!matrices) return profile;
  const allowed = (operand: "f16" | "f32") =>
    operand === "f32" || (precision === "mixed" && profile.half);
  const products = matrices.products.filter((p) => allowed(p.operand));
  return products.length > 0 ? { ...others, matrices: { ...matrices, products } } : others;
}

/** Smaller ones (biases, scales, frequencies) take no memory, and much may depend on each number. */
const usualLeast = 1024;

/** A tensor that is this much smaller than what it was made from holds sums: they stay single. */
const muchSmaller = 8;

/** Whether a tensor is large enough: all that is asked of a frozen parameter. */
export const worthHalving = ({ dtype, shape }: Type, least = usualLeast): boolean =>
  dtype === "f32" && elements(shape) >= least;

/** The tensors that one kernel reads from memory and writes to it. */
export interface Traffic {
  readonly reads: readonly Tensor[];
  readonly writes: readonly Tensor[];
}

export interface StorageOptions {
  readonly layout: Layout;
  readonly precision: Precision;
  /** The fewest elements of a tensor that is stored as halves: 1024 unless given. */
  readonly halveFrom?: number | undefined;
  readonly reach?: Reach;
  readonly joins?: Joins;
}

/**
 * Frozen parameters and results that live in scratch memory, as far as they are large. Inputs,
 * outputs and states (trained parameters, moments, gradients, the loss) stay single, and so do
 * statistics: row sums of attention, the means of a norm, whatever is left of a long axis.
 * A parameter that lies in a state is stored as the layout says; those of a join are single.
 */
export function halvesOf(
  graph: Graph,
  regions: readonly Traffic[],
  { layout, precision, halveFrom, reach = "all", joins = noJoins }: StorageOptions,
): Halves {
  const joined = new Set(joins.all.flatMap((join) => join.parts));
  const isMixed = precision === "mixed";
  const scratch =
    isMixed && reach === "all" ? scratchHalves(graph, regions, halveFrom) : new Set<Tensor>();
  return (tensor) => {
    const { op, attrs } = tensor.node;
    if (op.kind !== "parameter") return scratch.has(tensor);
    const { name } = attrs as Source;
    const resident = layout.parameters.get(name);
    if (resident) return resident.stored === "f16";
    return isMixed && worthHalving(tensor.type, halveFrom) && !joined.has(name);
  };
}

function scratchHalves(
  graph: Graph,
  regions: readonly Traffic[],
  halveFrom: number | undefined,
): Set<Tensor> {
  const returned = new Set(graph.outputs.map((o) => o.tensor));
  const found = new Set<Tensor>();
  for (const { reads, writes } of regions) {
    const made = reads.filter((t) => t.node.op.kind !== "parameter");
    const most = Math.max(0, ...made.map((t) => elements(t.shape)));
    for (const t of writes)
      if (
        worthHalving(t.type, halveFrom) &&
        !returned.has(t) &&
        elements(t.shape) * muchSmaller > most
      )
        found.add(t);
  }
  return found;
}
