/**
 * A tuning: the tiles that were measured to be the fastest on one device, by kernel. A compilation
 * that is given one uses them; kernels that it does not know keep the tiles of the model.
 */
import { diagnose } from "../../diagnostics/index.ts";
import type { Capabilities } from "../capabilities.ts";
import { candidatesOf } from "../forms/pick.ts";
import type { Region } from "../fuse/region.ts";
import type { Tile, Variant } from "../op.ts";
import type { Profile } from "../profile.ts";
import { kernelKey } from "./kernel-key.ts";

export interface TunedKernel {
  readonly tile: Tile;
  /** Time of the default tile over that of this one, as measured; 1 where the default stays. */
  readonly gain: number;
}

/** Kernels of one device, by `kernelKey`. */
export type Tuning = Readonly<Record<string, TunedKernel>>;

export const noTuning: Tuning = {};

/**
 * How a region's kernel is to be made: as its tuned tile says, or as before.
 * @throws E821 for a tile that the kernel cannot have under this profile.
 */
export function tunedVariant(
  region: Region,
  profile: Profile,
  tuning: Tuning,
): Variant | undefined {
  if (!region.variant) return undefined;
  const key = kernelKey(region, profile);
  const tuned = Object.hasOwn(tuning, key) ? tuning[key] : undefined;
  if (!tuned) return region.variant;
  const { variants } = candidatesOf(region.anchor, profile);
  const found = variants.find((v) => sameTile(v.tile, tuned.tile));
  if (found) return found;
  throw diagnose("E821", {
    message: `the tuning gives a kernel the tile ${showTile(tuned.tile)}, which it cannot have under the profile "${profile.name}"`,
    where: key,
    help: "tune for the limits that you compile for (--limits adapter), or compile without the tuning",
  });
}

export const showTile = (tile: Tile): string =>
  Object.entries(tile)
    .map(([name, size]) => `${name}=${size}`)
    .join(" ");

/** Whether two tiles have the same numbers, in whatever order they were written. */
export function sameTile(a: Tile, b: Tile): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

/** What a tuning is kept by: the device in its own words, its driver's version included. */
export function deviceKey({ name, identity }: Pick<Capabilities, "name" | "identity">): string {
  if (!identity) return name;
  const { vendor, architecture, device, description } = identity;
  return [vendor, architecture, device, description].join(" | ");
}
