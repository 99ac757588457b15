/**
 * A tuning: the tiles that were measured to be the fastest on one device, by kernel. A compilation
 * that is given one uses them; kernels that it does not know keep the tiles of the model.
 */
import { diagnose } from "../../diagnostics/index.ts";
import type { Capabilities } from "../capabilities.ts";
import {
  type AskedForms,
  fittingForms,
  formNamed,
  problemOf,
  type Variants,
} from "../forms/pick.ts";
import type { Region } from "../fuse/region.ts";
import type { Node } from "../graph/tensor.ts";
import type { Tile, Variant } from "../op.ts";
import type { Profile } from "../profile.ts";
import { kernelKey } from "./kernel-key.ts";

export interface TunedKernel {
  /** The name of the form; where a file does not say, the tile tells. */
  readonly form?: string;
  readonly tile: Tile;
  /** Time of the default tile over that of this one, as measured; 1 where the default stays. */
  readonly gain: number;
}

/** Kernels of one device, by `kernelKey`. */
export type Tuning = Readonly<Record<string, TunedKernel>>;

export const noTuning: Tuning = {};

/**
 * Puts what was tuned in the place of the model's variants. The regions are those that the model's
 * variants make: a kernel was measured, and is named, with what melts into it then.
 * @throws E112 for a tuned form that the device cannot run, E821 for a tile that the kernel cannot have.
 */
export function tunedVariants(
  variants: Variants,
  regions: readonly Region[],
  { profile, tuning, asked }: Tuned,
): Variants {
  const tuned = new Map<Node, Variant>();
  if (Object.keys(tuning).length === 0) return variants;
  for (const region of regions) {
    const { anchor, variant } = region;
    if (!variant) continue;
    const key = kernelKey(region, profile);
    const kernel = Object.hasOwn(tuning, key) ? tuning[key] : undefined;
    if (!kernel) continue;
    const found = variantOf(anchor, kernel, profile, key);
    const isFree = !Object.hasOwn(asked, anchor.op.name) || found.form === variant.form;
    if (isFree && !sameVariant(found, variant)) tuned.set(anchor, found);
  }
  return tuned.size > 0 ? new Map([...variants, ...tuned]) : variants;
}

interface Tuned {
  readonly profile: Profile;
  readonly tuning: Tuning;
  /** Of an op whose form was asked for, no tile of another form is taken. */
  readonly asked: AskedForms;
}

function variantOf(
  node: Node,
  { form, tile }: TunedKernel,
  profile: Profile,
  key: string,
): Variant {
  const forms = form ? [formNamed(node, form, profile, key)] : fittingForms(node, profile);
  const variants = forms.flatMap((f) => f.variants(problemOf(node, profile)));
  const found = variants.find((v) => sameTile(v.tile, tile));
  if (found) return found;
  const example = variants[0] ? `, such as ${showTile(variants[0].tile)}` : "";
  throw diagnose("E821", {
    message: `the tuning gives a kernel the tile ${showTile(tile)}, which it cannot have under the profile "${profile.name}"`,
    where: key,
    help: `tune for the limits that you compile for (--limits device), or take a tile that it can have${example}`,
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

export const sameVariant = (a: Variant, b: Variant): boolean =>
  a.form === b.form && sameTile(a.tile, b.tile);

/** What a tuning is kept by: the device in its own words, its driver's version included. */
export function deviceKey({ name, identity }: Pick<Capabilities, "name" | "identity">): string {
  if (!identity) return name;
  const { vendor, architecture, device, description } = identity;
  return [vendor, architecture, device, description].join(" | ");
}
