/** All lowerings, in order of preference. */
import { fragments } from "./fragment-tiles.ts";
import { lanes } from "./lane-tiles.ts";
import type { Lowering } from "./lowering.ts";
import { shared } from "./shared-tiles.ts";

export const lowerings: readonly Lowering[] = [fragments, lanes, shared];
