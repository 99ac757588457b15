/**
 * The tiles that walks in workgroup memory can have, and how they are ranked: the best is the default, and the
 * first to be measured when a device is tuned.
 */
import { storedBytes } from "../../formats/index.ts";
import { deviceModel, residentGroups, stepOf, wavesOf } from "../device-model.ts";
import type { Profile } from "../profile.ts";
import type { Walk } from "./lowering.ts";

/** How the threads of a workgroup share a tile of scores, and the keys of a tile. */
export type WalkTile = {
  readonly down: number;
  readonly across: number;
  readonly rowsPerThread: number;
  readonly keys: number;
};

/** Threads along one side of a tile. */
const sides = [1, 2, 4, 8, 16];

/**
 * What a device may be of which nothing is known. A wrong tile costs a software device the most, so it counts three
 * times: with two the tiles of gradients took lavapipe up to 1.8 times as long as the best.
 */
const likely = ["discrete", "software", "software", "software"] as const;

/** Sums and scores that a thread should keep: more do not fit in the registers of any device. */
const mostKept = 96;

/** Products that stand in the text of a step along a depth: slow compilers get fewer. */
const mostWritten = ({ rolled }: Profile): number => (rolled ? 80 : Number.POSITIVE_INFINITY);

/** All tiles of a walk that the profile allows, the best of the model first. */
export function walkTiles(walk: Walk, profile: Profile): readonly WalkTile[] {
  const tiles: WalkTile[] = [];
  for (const down of sides)
    for (const across of sides)
      for (const rowsPerThread of [1, 2, 4, 8])
        for (const fours of [1, 2, 4]) {
          const tile = { down, across, rowsPerThread, keys: 4 * across * fours };
          const rows = down * rowsPerThread;
          // A tile that is mostly empty is the work of a smaller one.
          const isEmpty =
            (rows > 4 && rows >= 2 * walk.rows) || (fours > 1 && tile.keys >= 2 * walk.walked);
          if (rows % 4 !== 0 || isEmpty || down * across > profile.maxThreads) continue;
          if (sharedBytesOf(tile, walk) <= profile.maxSharedBytes) tiles.push(tile);
        }
  const kept = tiles.filter((tile) => keptOf(tile, walk) <= mostKept);
  const possible = kept.length > 0 ? kept : tiles;
  const written = possible.map((tile) => writtenOf(tile, walk, profile));
  const most = Math.max(mostWritten(profile), Math.min(...written));
  const few = possible.filter((_, i) => written[i]! <= most);
  // A device of which nothing is known may be a large one, and a processor.
  const classes = profile.deviceClass === "unknown" ? likely : [profile.deviceClass];
  const timed = few.map((tile) => ({
    tile,
    time: classes.reduce(
      (time, deviceClass) => time * timeOf(tile, walk, { ...profile, deviceClass }),
      1,
    ),
  }));
  return timed.sort((x, y) => x.time - y.time).map(({ tile }) => tile);
}

const ceilTo = (n: number, unit: number): number => Math.ceil(n / unit) * unit;
const total = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** Sizes of the products' depths and of the sums' columns, as the tile has them. */
const wholeOf = ({ across }: WalkTile, { scores, sums }: Walk) => ({
  inner: scores.map((depth) => ceilTo(depth, 4)),
  outer: sums.map((columns) => ceilTo(columns, 4 * across)),
});

/** Numbers that a thread keeps. */
function keptOf(tile: WalkTile, walk: Walk): number {
  const columns = walk.scores.length * tile.keys + total(wholeOf(tile, walk).outer);
  return (tile.rowsPerThread * columns) / tile.across;
}

/** Four places of a depth stand in the text, but one where left operands lie column by column. */
const writtenOf = (tile: WalkTile, walk: Walk, { rolled }: Profile): number =>
  keptOf(tile, walk) * (rolled && tile.rowsPerThread % 4 === 0 ? 1 : 4);

/**
 * The left operands of scores stay; right ones come and go, those of sums beside the scores that they are
 * multiplied with; threads of a row have room for a number each.
 */
function sharedBytesOf(tile: WalkTile, walk: Walk): number {
  const rows = tile.down * tile.rowsPerThread;
  const { inner, outer } = wholeOf(tile, walk);
  const stay = total(inner.map((depth) => rows * (depth + 4)));
  const turned = inner.map((depth) => depth * tile.keys);
  const beside = outer.map((columns) => columns * tile.keys + rows * (tile.keys + 4));
  return storedBytes("f32", stay + Math.max(...turned, ...beside) + rows * tile.across);
}

/** Clocks of an exponential and what stands around it, of one score. */
const ofScore = 16;

/**
 * Clocks of all waves of workgroups, of steps along the walked rows. Two barriers are in each product.
 */
function timeOf(tile: WalkTile, walk: Walk, profile: Profile): number {
  const device = deviceModel(profile);
  const { down, across, rowsPerThread, keys } = tile;
  const [threads, rows] = [down * across, down * rowsPerThread];
  const { inner, outer } = wholeOf(tile, walk);
  const wide = total(inner) + total(outer);
  const bundles = Math.ceil(threads / device.width);
  const groups = Math.ceil(walk.rows / rows) * walk.images;
  const kept = keptOf(tile, walk);
  const registers = kept + 4 * rowsPerThread + 48;
  const sharedBytes = sharedBytesOf(tile, walk);
  const resident = residentGroups(device, { threads, sharedBytes, registers });
  const perCore = Math.max(1, Math.min(resident, Math.ceil(groups / device.cores)));
  const waves = wavesOf(device, groups, perCore);

  const clocks = (distinct: number) =>
    Math.max(1, ((device.serial ? device.width : distinct) * 16) / device.sharedBytesPerClock);
  const right = clocks(Math.min(across, device.width));
  const left = clocks(Math.max(1, device.width / across));
  const reads = (deep: number, columns: number) =>
    bundles * (deep / 4) * (rowsPerThread * left + (columns / across) * right);
  const allReads =
    total(inner.map((depth) => reads(depth, keys))) + total(outer.map((n) => reads(keys, n)));
  const spilled = Math.max(1, kept / device.kept);
  const products = rows * keys * (wide + ofScore);
  const staged = storedBytes("f32", keys * wide + rows * keys);
  const rounds = total([...inner, ...outer].map((n) => Math.ceil((keys * n) / 16 / threads)));
  const barriers = 2 * (inner.length + outer.length);
  const switches = barriers * device.barrier * threads * perCore;
  const step = stepOf(device, {
    ...{ perCore, threads, work: spilled * products, rounds },
    shared: allReads + staged / device.sharedBytesPerClock,
    memory: storedBytes("f32", keys * wide) / device.bytesPerClock,
  });
  return waves * (Math.ceil(walk.walked / keys) * (step + switches) + device.latency);
}
