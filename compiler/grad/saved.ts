/**
 * What the backward pass keeps of the forward pass, and where the forward pass is narrow.
 *
 * Read off a fused training graph, so that it speaks of tensors that memory really holds: views and
 * whatever melts are none. Narrow places are found from live bytes alone. In a transformer they
 * turn out to be the residual stream between the parts of a block.
 */
import { plain, storedBytes } from "../../formats/index.ts";
import type { Region } from "../fuse/region.ts";
import { elements, isSource, type Node, type Tensor } from "../graph/tensor.ts";

/** The tensors of one forward region that the backward pass reads from memory. */
export interface Saved {
  readonly tensors: readonly Tensor[];
  readonly bytes: number;
  /** How many narrow places lie before it. */
  readonly segment: number;
}

export interface ForwardPass {
  /** In the order in which they are computed. */
  readonly saved: readonly Saved[];
  /** At each narrow place the tensors that the rest of the forward pass is computed from. */
  readonly cuts: readonly (readonly Tensor[])[];
  /** Every tensor that the forward pass writes to memory. */
  readonly written: readonly Tensor[];
}

export const bytesOf = ({ dtype, shape }: Tensor): number =>
  storedBytes(plain(dtype), elements(shape));

export function forwardPass(
  regions: readonly Region[],
  isForward: (node: Node) => boolean,
): ForwardPass {
  const steps = regions.filter((r) => r.writes.every((t) => isForward(t.node)));
  const forward = new Set(steps);
  const lastRead = new Map<Tensor, number>();
  const readBack = new Set<Tensor>();
  steps.forEach((region, at) => {
    for (const t of region.reads) lastRead.set(t, at);
  });
  for (const region of regions)
    if (!forward.has(region)) for (const t of region.reads) readBack.add(t);

  const live = liveTensors(steps, lastRead);
  const narrow = narrowPlaces(live.map((tensors) => sum(tensors.map(bytesOf))));
  const cuts = narrow.map((at) => live[at]!);
  const cutTensors = new Set(cuts.flat());
  const saved = steps.flatMap((region, at) => {
    const tensors = region.writes.filter((t) => readBack.has(t) && !cutTensors.has(t));
    if (tensors.length === 0) return [];
    const segment = narrow.filter((cut) => cut < at).length;
    return [{ tensors, bytes: sum(tensors.map(bytesOf)), segment }];
  });
  return { saved, cuts, written: steps.flatMap((r) => r.writes) };
}

/** After each step, what earlier steps have written and later steps of the forward pass read. */
function liveTensors(steps: readonly Region[], lastRead: ReadonlyMap<Tensor, number>): Tensor[][] {
  let now: Tensor[] = [];
  return steps.map((region, at) => {
    const written = region.writes.filter((t) => !isSource(t.node));
    now = [...now, ...written].filter((t) => (lastRead.get(t) ?? -1) > at);
    return now;
  });
}

/** How far live bytes must rise on both sides of a place for it to be narrow. */
const rise = 1.5;

/**
 * The steps after which little is live: on either side, live bytes rise to `rise` times as much
 * before they come down as far again. Of several equal steps in a row the last counts.
 */
export function narrowPlaces(live: readonly number[]): number[] {
  const climbs = (from: number, by: 1 | -1) => {
    let highest = 0;
    for (let i = from + by; i >= 0 && i < live.length; i += by) {
      const lower = by === 1 ? live[i]! <= live[from]! : live[i]! < live[from]!;
      if (lower) break;
      highest = Math.max(highest, live[i]!);
    }
    return highest >= rise * live[from]!;
  };
  return live.flatMap((bytes, at) => (bytes > 0 && climbs(at, 1) && climbs(at, -1) ? [at] : []));
}

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
