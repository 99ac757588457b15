/**
 * The tiles that products in workgroup memory can have, and a model of their time by which they are ranked: the
 * best of it is the default, and the first to be measured when a device is tuned.
 */
import { storedBytes } from "../../formats/index.ts";
import { deviceModel, residentGroups, stepOf, wavesOf } from "../device-model.ts";
import type { Profile } from "../profile.ts";
import type { Product } from "./lowering.ts";

/**
 * Rows, columns and depth of a workgroup's tile; rows and columns of one thread's; and into how many
 * slices the depth of a tile is split, each with threads of its own.
 */
export type ProductTile = {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly rm: number;
  readonly rn: number;
  readonly split: number;
};

/** m, n, rm, rn, split. A thread's columns come in groups of four neighbours. */
const blockings: readonly (readonly [number, number, number, number, number])[] = [
  // Large products: many sums per thread, each operand read from workgroup memory once for them.
  ...([
    [128, 128, 8, 8, 1],
    [128, 64, 8, 8, 1],
    [64, 128, 8, 8, 1],
    [64, 64, 8, 8, 1],
  ] as const),
  ...([
    [64, 64, 8, 4, 1],
    [64, 64, 4, 4, 1],
    [64, 32, 4, 4, 1],
    [32, 64, 4, 4, 1],
  ] as const),
  ...([
    [32, 32, 4, 4, 1],
    [32, 32, 2, 4, 1],
    [32, 32, 4, 4, 2],
    [32, 32, 4, 4, 4],
  ] as const),
  // Few columns, as of a low-rank product.
  ...([
    [128, 16, 8, 4, 1],
    [64, 16, 4, 4, 1],
    [32, 16, 4, 4, 2],
    [32, 16, 4, 4, 4],
  ] as const),
  ...([
    [64, 8, 2, 4, 1],
    [32, 8, 2, 4, 4],
    [64, 4, 1, 4, 1],
    [16, 4, 1, 4, 8],
  ] as const),
  // Few rows, as of a decoder.
  ...([
    [16, 64, 4, 4, 1],
    [16, 64, 4, 4, 4],
    [16, 32, 4, 4, 4],
    [16, 16, 4, 4, 8],
  ] as const),
  ...([
    [8, 64, 2, 4, 1],
    [8, 32, 4, 4, 8],
    [8, 16, 2, 4, 8],
    [4, 64, 1, 4, 1],
  ] as const),
  ...([
    [4, 32, 2, 4, 8],
    [4, 16, 1, 4, 8],
  ] as const),
];
const depths = [8, 16, 32, 64];

/** Rows of the left tile are padded by four, so that neighbouring rows lie in different banks. */
export const leftRow = (tile: ProductTile): number => tile.k + 4;

export const threadsOf = ({ m, n, rm, rn, split }: ProductTile): number =>
  (m / rm) * (n / rn) * split;

/** Bytes of workgroup memory: both operands, and the partial sums of all slices. */
const sharedBytesOf = (tile: ProductTile): number =>
  bytesOf(
    tile.m * leftRow(tile) + tile.k * tile.n + (tile.split > 1 ? tile.split * tile.m * tile.n : 0),
  );

/** Operands are staged as singles, whatever they are stored in. */
const bytesOf = (elements: number): number => storedBytes("f32", elements);

/** Every tile that respects the profile, the one with the least time in the model first. */
export function productTiles(work: Product, profile: Profile): readonly ProductTile[] {
  const timed = legalTiles(profile).map((tile, i) => ({
    tile,
    i,
    time: timeOf(tile, work, profile),
  }));
  return timed.sort((a, b) => a.time - b.time || a.i - b.i).map(({ tile }) => tile);
}

const legalOf = new WeakMap<Profile, readonly ProductTile[]>();

function legalTiles(profile: Profile): readonly ProductTile[] {
  const known = legalOf.get(profile);
  if (known) return known;
  const all = blockings.flatMap(([m, n, rm, rn, split]) =>
    depths.map((k): ProductTile => ({ m, n, k, rm, rn, split })).filter(isEven),
  );
  const legal = all.filter(
    (tile) =>
      threadsOf(tile) <= profile.maxThreads && sharedBytesOf(tile) <= profile.maxSharedBytes,
  );
  legalOf.set(profile, legal);
  return legal;
}

/** Slices have equal parts of the depth, and threads half a block of operands to copy, to two. */
function isEven(tile: ProductTile): boolean {
  const blocks = ((tile.m + tile.n) * tile.k) / 16 / threadsOf(tile);
  return tile.k % (4 * tile.split) === 0 && blocks >= 0.5 && blocks <= 2.25;
}

/**
 * Clocks that a product takes: waves of workgroups over the cores, and in each wave as many steps
 * along the depth as the tile's depth makes.
 */
function timeOf(
  tile: ProductTile,
  { rows: m, columns: n, depths, images }: Product,
  profile: Profile,
): number {
  const device = deviceModel(profile);
  const threads = threadsOf(tile);
  const bundles = Math.ceil(threads / device.width);
  const groups = Math.ceil(m / tile.m) * Math.ceil(n / tile.n) * images;
  const registers = tile.rm * tile.rn + 4 * tile.rm + tile.rn + 32;
  const resident = residentGroups(device, { threads, sharedBytes: sharedBytesOf(tile), registers });
  const perCore = Math.max(1, Math.min(resident, Math.ceil(groups / device.cores)));
  const waves = wavesOf(device, groups, perCore);
  const steps = depths.reduce((sum, k) => sum + Math.ceil(k / tile.k), 0);

  // Neighbouring threads read one row of the left tile, and neighbouring columns of the right one.
  const across = tile.n / tile.rn;
  const clocks = (distinct: number) => Math.max(1, (distinct * 16) / device.sharedBytesPerClock);
  const columns = clocks(Math.min(across, device.width));
  const rows = clocks(Math.max(1, device.width / across));
  const quads = tile.k / 4 / tile.split;
  // What does not fit in registers is stored and loaded again.
  const spilled = Math.max(1, (tile.rm * tile.rn) / device.sums);
  const reads = bundles * quads * (tile.rm * rows + tile.rn * columns);
  // Memory comes in sectors of eight elements.
  const fetched = (tile.m + Math.max(8, tile.n)) * tile.k;
  const staged = (tile.m + tile.n) * tile.k;
  const step = stepOf(device, {
    ...{ perCore, threads, work: spilled * tile.m * tile.n * tile.k },
    shared: reads + bytesOf(staged) / device.sharedBytesPerClock,
    memory: bytesOf(fetched) / device.bytesPerClock,
    rounds: Math.ceil(staged / 16 / threads),
  });
  const switches = device.barrier * threads * perCore * (2 * steps + (tile.split > 1 ? 1 : 0));
  const sums = bytesOf(tile.m * tile.n * (tile.split > 1 ? 2 : 1));
  const written = (sums * perCore) / device.bytesPerClock;
  // What all workgroups fetch is shared by all cores, whichever wave they are in.
  const traffic = (groups * steps * bytesOf(fetched)) / (device.cores * device.bytesPerClock);
  return waves * (steps * step + switches + written + device.latency) + traffic;
}
