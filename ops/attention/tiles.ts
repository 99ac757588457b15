/**
 * The tiles that attention can have, and how they are ranked: the best is the default, and the first
 * to be measured when a device is tuned.
 */
import type { Profile, Type } from "../../compiler/op-kit.ts";
import { deviceModel, residentGroups } from "../../compiler/tuning/device-model.ts";
import { elementsIn, storedBytes } from "../../formats/index.ts";
import type { AttentionAttrs } from "./definition.ts";

/** Query rows of a workgroup, one per thread, and keys staged in workgroup memory at a time. */
export type SharedAttentionTile = {
  readonly rows: number;
  readonly keys: number;
};

/** Rows of one lane: of queries, and for the gradients of keys and values of keys. */
export type SubgroupAttentionTile = {
  readonly perLane: number;
};

export interface AttentionShape {
  readonly batch: number;
  readonly heads: number;
  readonly queries: number;
  /** Keys are walked along a grid: its rows and columns; one row where there is none. */
  readonly grid: readonly [rows: number, columns: number];
  /** Channels of a key, and of a value. */
  readonly depth: number;
  readonly out: number;
}

export function shapeOf(inputs: readonly Type[], { grid }: AttentionAttrs): AttentionShape {
  const [batch, heads, queries, depth] = inputs[0]!.shape as [number, number, number, number];
  const [, , keys, out] = inputs[2]!.shape as [number, number, number, number];
  return { batch, heads, queries, grid: grid ?? [1, keys], depth, out };
}

/** Rows of one workgroup, one per thread, where there are so many queries or keys. */
export function sharedRows(rows: number, profile: Profile): number {
  const most = Math.min(32, profile.maxThreads);
  return rows >= most ? most : Math.max(1, Math.ceil(rows / 8) * 8);
}

/** Rows of `size` numbers staged at a time: as many as half of workgroup memory holds, in equal steps. */
export function stagedRows(rows: number, size: number, profile: Profile): number {
  const fits = Math.floor(elementsIn("f32", profile.maxSharedBytes / 2) / size);
  const most = Math.max(1, Math.min(32, fits));
  return Math.ceil(rows / Math.ceil(rows / most));
}

/** All tiles of the kernel in workgroup memory that the profile allows, the best of the model first. */
export function sharedAttentionTiles(
  shape: AttentionShape,
  profile: Profile,
): readonly SharedAttentionTile[] {
  const { queries, grid, depth, out } = shape;
  const least = sharedRows(queries, profile);
  const heights = [least, 32, 64, 128].filter(
    (rows, i, all) => rows <= profile.maxThreads && rows < 2 * queries && all.indexOf(rows) === i,
  );
  const columns = grid[1];
  const usual = stagedRows(columns, depth + out, profile);
  // In equal steps along a row of the grid, so that little of the last one is empty.
  const widths = [usual, 8, 16, 32, 64].map((most) =>
    Math.ceil(columns / Math.ceil(columns / Math.min(columns, most))),
  );
  const legal = [...new Set(widths)].filter(
    (keys) => keys === usual || storedBytes("f32", keys * (depth + out)) <= profile.maxSharedBytes,
  );
  const first = { rows: least, keys: usual };
  const all = (heights.length > 0 ? heights : [least]).flatMap((rows) =>
    legal.map((keys) => ({ rows, keys, time: timeOf({ rows, keys }, shape, profile) })),
  );
  // Where nothing is known of a device, small workgroups: they fit everywhere.
  const known = profile.deviceClass === "discrete" || profile.deviceClass === "integrated";
  const ranked = all.sort((a, b) => a.time - b.time).map(({ rows, keys }) => ({ rows, keys }));
  if (known) return ranked;
  return [first, ...ranked.filter((t) => t.rows !== first.rows || t.keys !== first.keys)];
}

/** Clocks of all waves: each workgroup stages every key once, and multiplies its rows with it. */
function timeOf({ rows, keys }: SharedAttentionTile, shape: AttentionShape, profile: Profile) {
  const device = deviceModel(profile);
  const { batch, heads, queries, grid, depth, out } = shape;
  const groups = Math.ceil(queries / rows) * heads * batch;
  const sharedBytes = storedBytes("f32", keys * (depth + out));
  const registers = depth + out + keys + 32;
  const resident = Math.max(1, residentGroups(device, { threads: rows, sharedBytes, registers }));
  const perCore = Math.max(1, Math.min(resident, Math.ceil(groups / device.cores)));
  const waves = Math.ceil(groups / (device.cores * perCore));
  const bundles = Math.ceil(rows / device.width);
  const products = bundles * device.width * keys * (depth + out);
  // All threads read the same key: four bytes in a clock.
  const busy = Math.max(
    products / device.lanes,
    bundles * keys * (depth + out),
    sharedBytes / device.bytesPerClock,
  );
  const own = (products / bundles / device.lanes) * 4;
  const step = Math.max(perCore * busy, device.latency + own) + 2 * device.barrier * rows * perCore;
  return waves * (grid[0] * Math.ceil(grid[1] / keys) * step + device.latency);
}

/** Query rows per lane: more of them reuse a key more often, and take longer to compile. */
export const rowsPerLane = (queries: number, width: number): number =>
  queries <= 2 * width ? 1 : queries <= 12 * width ? 2 : 4;

/** All tiles of the subgroups' kernel, the usual one first. */
export function subgroupAttentionTiles(
  queries: number,
  width: number,
): readonly SubgroupAttentionTile[] {
  const usual = rowsPerLane(queries, width);
  const others = [2, 4, 1].filter((n) => n !== usual && (n - 1) * width < queries);
  return [usual, ...others].map((perLane) => ({ perLane }));
}
