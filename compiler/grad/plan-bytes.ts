/** How much memory a plan will take, without their kernels: fusion and the arena planner alone. */
import { pickVariants } from "../forms/pick.ts";
import { fuse } from "../fuse/fuse.ts";
import type { Graph } from "../graph/graph.ts";
import { assignPlaces, type Places } from "../memory/places.ts";
import type { PlanBuffer } from "../plan.ts";
import type { Profile } from "../profile.ts";
import { rewrite } from "../rewrite/rewrite.ts";
import { forPrecision, storageOf, type WeightOptions } from "../storage/formats.ts";
import { joinsOf } from "../storage/joins.ts";
import { type Layout, noLayout } from "../storage/layout.ts";
import type { Pausing } from "../turns.ts";

/**
 * The buffers that the compiled plan of a graph has.
 * @throws E107, E108 where compiling would.
 */
export function* planBuffers(
  ...given: Parameters<typeof planPlaces>
): Pausing<readonly PlanBuffer[]> {
  return (yield* planPlaces(...given)).buffers;
}

/** As `planBuffers`, with the place of every tensor and the least bytes that arenas could have. */
export function* planPlaces(
  graph: Graph,
  profile: Profile,
  layout: Layout = noLayout,
  asked: Partial<WeightOptions> = {},
): Pausing<Places> {
  const options = { precision: "f32", device: profile, ...asked } as const;
  const { graph: rewritten } = yield* rewrite(graph, layout);
  const joins = joinsOf(rewritten);
  const limits = forPrecision(profile, options.precision, options.device);
  const variants = yield* pickVariants(rewritten, limits);
  const { regions } = yield* fuse(rewritten, variants, limits, "fused", joins);
  const storage = storageOf(rewritten, regions, { ...options, layout, joins });
  return yield* assignPlaces(rewritten, regions, profile, layout, storage, joins);
}
