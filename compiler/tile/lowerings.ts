/** All lowerings, in order of preference. */
import type { Lowering } from "./lowering.ts";
import { shared } from "./shared-tiles.ts";

export const lowerings: readonly Lowering[] = [shared];
