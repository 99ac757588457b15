/** How much memory a plan will take, without their kernels: fusion and the arena planner alone. */
import { fuse } from "../fuse/fuse.ts";
import type { Graph } from "../graph/graph.ts";
import type { PlanBuffer } from "../plan.ts";
import type { Profile } from "../profile.ts";
import { halvesOf, type Precision } from "../schedule/halves.ts";
import { type Layout, noLayout } from "../schedule/layout.ts";
import { assignPlaces } from "../schedule/places.ts";

/**
 * The buffers that the compiled plan of a graph has.
 * @throws E107, E108 where compiling would.
 */
export function planBuffers(
  graph: Graph,
  profile: Profile,
  layout: Layout = noLayout,
  precision: Precision = "f32",
): readonly PlanBuffer[] {
  const { regions } = fuse(graph, profile, "fused");
  const halves = halvesOf(graph, regions, layout, precision);
  return assignPlaces(graph, regions, profile, layout, halves).buffers;
}
