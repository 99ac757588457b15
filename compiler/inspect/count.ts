/** Counted work of a compiled program: what a measurement would say if it had no noise. */
import { storedBytes } from "../../formats/index.ts";
import type { Compilation } from "../compile.ts";
import { costOf, isPointwise } from "../fuse/element.ts";
import type { Region } from "../fuse/region.ts";
import { elements, type Node, type Tensor } from "../graph/tensor.ts";
import type { ElementOp, KernelOp } from "../op.ts";

/** One region: one dispatch. Bytes are whole tensors, each once. */
export interface RegionWork {
  /** What the plan calls the step: the anchor's op and the shape that it makes. */
  readonly label: string;
  /** The kernel's own multiplications (`KernelOp.work`); of a map, those of the map itself. */
  readonly anchor: number;
  /** Those of what melted into it, as often as it is evaluated there. */
  readonly melted: number;
  /** Both. */
  readonly multiplications: number;
  readonly read: number;
  readonly written: number;
  /** Both. */
  readonly bytes: number;
  readonly dispatches: number;
}

export interface Work {
  /** In the order of the plan's steps. */
  readonly regions: readonly RegionWork[];
  readonly multiplications: number;
  readonly bytes: number;
  readonly dispatches: number;
}

/**
 * Counts the work of one run.
 *
 * **Multiplications** are the units of `KernelOp.work` and `ElementOp.cost`: 1 for a multiplication
 * (and the addition after it) or an addition alone, about 20 for a transcendental function, 0 for
 * index arithmetic. The anchor's work counts once. What melted in front of it counts once for each
 * time that the kernel reads it (`Variant.reads`: a tile's columns read its rows again), times what
 * element ops on the way read (`ElementOp.reads`). What melted behind counts once for each element
 * that it makes. A node that is reached at the same coordinates on several ways counts once, because
 * a kernel names it once; reached through different views, or through different inputs of the
 * anchor, it counts for each. Padding of tiles, guards and addresses do not count.
 *
 * **Bytes** are compulsory traffic: every tensor that a region binds, its whole size once, two
 * bytes for each element that is stored as a half and four for any other. A tensor that a kernel
 * reads several times comes from a cache the second time. Copies into states after the last step
 * (`Plan.commits`) are no region's and do not count.
 *
 * **Dispatches** are the plan's steps.
 */
export function countWork(compilation: Pick<Compilation, "fusion" | "kernels" | "plan">): Work {
  const { fusion, plan } = compilation;
  const regions = fusion.regions.map((region, i): RegionWork => {
    const { anchor, melted } = multiplicationsOf(region);
    const { read, written } = trafficOf(compilation, i);
    const sums = { multiplications: anchor + melted, bytes: read + written, dispatches: 1 };
    return { label: plan.steps[i]!.label, anchor, melted, read, written, ...sums };
  });
  const sum = (key: "multiplications" | "bytes" | "dispatches") =>
    regions.reduce((total, region) => total + region[key], 0);
  return {
    regions,
    multiplications: sum("multiplications"),
    bytes: sum("bytes"),
    dispatches: sum("dispatches"),
  };
}

function trafficOf({ kernels, plan }: Pick<Compilation, "kernels" | "plan">, step: number) {
  const { params } = plan.kernels[plan.steps[step]!.kernel]!;
  let [read, written] = [0, 0];
  kernels[step]!.bindings.forEach((tensor, i) => {
    const { scalar, writes } = params[i]!;
    const bytes = storedBytes(scalar, elements(tensor.shape));
    if (writes) written += bytes;
    else read += bytes;
  });
  return { read, written };
}

/** Nodes that were counted at one set of coordinates. Another set is another object. */
type Coordinates = Set<Node>;

function multiplicationsOf(region: Region) {
  const { anchor, variant, chain, reads, nodes } = region;
  const inside = new Set(nodes);
  const stored = new Set(reads);
  // What the chain passes on is in a register already.
  const running = new Set(chain.map(({ node, input }) => node.inputs[input]!));
  let melted = 0;

  const visit = (tensor: Tensor, times: number, at: Coordinates) => {
    const { node } = tensor;
    if (!inside.has(node) || node === anchor || stored.has(tensor) || running.has(tensor)) return;
    if (at.has(node)) return;
    at.add(node);
    melted += times * costOf(node);
    visitInputs(node, times, at);
  };
  const visitInputs = (node: Node, times: number, at: Coordinates) =>
    node.inputs.forEach((tensor, input) => {
      const each = (node.op as ElementOp).reads?.(node.attrs, input) ?? 1;
      const same = each === 1 && isPointwise(node, input);
      visit(tensor, times * each, same ? at : new Set());
    });

  const own = anchorWork(anchor);
  if (variant)
    anchor.inputs.forEach((tensor, input) => {
      visit(tensor, variant.reads(input) * elements(tensor.shape), new Set());
    });
  else visitInputs(anchor, elements(anchor.types[0]!.shape), new Set());

  let at: Coordinates = new Set();
  for (const { node, input } of chain) {
    const times = elements(node.types[0]!.shape);
    if (!isPointwise(node, input)) at = new Set();
    melted += times * costOf(node);
    visitInputs(node, times, at);
  }
  return { anchor: own, melted };
}

function anchorWork(anchor: Node): number {
  if (anchor.op.kind === "element") return elements(anchor.types[0]!.shape) * costOf(anchor);
  const types = anchor.inputs.map((x) => x.type);
  return (anchor.op as KernelOp).work(types, anchor.attrs);
}
