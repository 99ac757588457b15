/** Programs whose products are multiplied as matrix fragments: their tiles, the likeliest to be fast first. */
import { storedBytes } from "../../formats/index.ts";
import type { KernelMatrices } from "../plan.ts";
import type { Profile } from "../profile.ts";
import { lowerFragments, wholeOf } from "./fragments.ts";
import type { Blocking, Lowering, Product, Walk } from "./lowering.ts";
import { strideOf } from "./pipeline.ts";
import { range } from "./places.ts";
import type { Threads } from "./team.ts";

export const fragments: Lowering = {
  name: "fragments",
  fits: ({ matrices }) => (matrices?.products ?? []).length > 0,
  contested: true,
  blockings: (work, profile) =>
    work.kind === "walk" ? ofWalk(work, profile) : ofProduct(work, profile),
};

type ProductTile = {
  /** Rows, columns and depth of a workgroup's tile. */
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Its subgroups, down and across. */
  readonly down: number;
  readonly across: number;
  /** The fragments of one subgroup, down and across; and how many of them are stored at a time. */
  readonly rm: number;
  readonly rn: number;
  readonly round: number;
  /** Steps of the depth that lie in workgroup memory at a time, where fragments are numbered. */
  readonly stages?: number;
  /** Which of the profile's products is used. */
  readonly product: number;
};

type WalkTile = {
  readonly m: number;
  readonly keys: number;
  readonly down: number;
  readonly across: number;
  readonly product: number;
};

/** Smaller work is over before a tile is filled. */
const least = 2 ** 15;

/**
 * Rows and columns of a subgroup's part of a tile, about. A software device compiles each product of
 * fragments to hundreds of instructions.
 */
const partOf = ({ rolled }: Profile): number => (rolled ? 16 : 32);

/** The same for products, where sums are all that a subgroup keeps. */
const partsOf = ({ rolled }: Profile): readonly (readonly [rows: number, columns: number])[] =>
  rolled
    ? [[16, 16]]
    : [
        [32, 32],
        [64, 32],
        [32, 64],
        [64, 64],
      ];

/** The most places of the depth that are copied at a time. */
function deepest({ rolled, matrices }: Profile): readonly number[] {
  if (rolled) return [32];
  return matrices?.numbered ? [32, 64] : [16, 32, 64];
}

/** As many workgroups as a large device can run at a time. */
const many = 128;

/** Subgroups along one side of a tile. */
const counts = [1, 2, 4];

interface Found {
  readonly product: number;
  readonly matrices: KernelMatrices;
  /** Subgroups of a workgroup, at most. */
  readonly subgroups: number;
}

/** The first product of the device's whose fragments are not mostly empty. */
function productFor(sizes: readonly [number, number, number], profile: Profile): Found | undefined {
  const { products = [], width = 1, widths = "fixed", numbered } = profile.matrices ?? {};
  const [m, n, deep] = sizes;
  const product = products.findIndex(
    ({ rows, columns, depth }) =>
      rows <= m && columns <= n && depth <= deep && (rows | columns | depth) % 4 === 0,
  );
  const found = products[product];
  const subgroups = Math.floor(Math.min(profile.maxThreads, 256) / width);
  return (
    found && {
      product,
      matrices: { ...found, width, widths, ...(numbered ? { numbered } : {}) },
      subgroups,
    }
  );
}

function ofProduct(work: Product, profile: Profile): Blocking[] {
  const { rows: m, columns: n, images, depths } = work;
  const depth = total(depths);
  const found = productFor([m, n, depth], profile);
  if (!found || images * m * n * depth < least) return [];
  const { product, matrices, subgroups } = found;
  const tiles: ProductTile[] = [];
  for (const [down, across] of shares(subgroups))
    for (const [rows, columns] of partsOf(profile))
      for (const deep of deepest(profile)) {
        const rm = Math.ceil(Math.min(rows, m) / matrices.rows);
        const rn = Math.ceil(Math.min(columns, n) / matrices.columns);
        const k = Math.ceil(Math.min(deep, depth) / matrices.depth) * matrices.depth;
        const sizes = { m: down * rm * matrices.rows, n: across * rn * matrices.columns, k };
        const isEmpty = (down > 1 && sizes.m >= 2 * m) || (across > 1 && sizes.n >= 2 * n);
        const tile = { ...sizes, down, across, rm, rn, round: 0, product };
        if (isEmpty) continue;
        if (matrices.numbered) {
          const { sharedBytes = profile.maxSharedBytes } = profile.matrices!;
          for (const stages of [2, 3, 4, 5])
            if (bytesInStages(tile, stages, matrices) <= sharedBytes)
              tiles.push({ ...tile, round: 1, stages });
          continue;
        }
        const round = roundOf(tile, matrices, profile);
        if (round > 0) tiles.push({ ...tile, round });
      }
  const time = (tile: ProductTile) => timeOf(tile, work, matrices);
  return tiles
    .sort((a, b) => time(a) - time(b))
    .map((tile) => {
      const { down, across, round, stages } = tile;
      // Sums are all that there is: no thread has elements.
      const threads = { down: down * across * matrices.width, across: 1, rowsPerThread: 1 };
      const units = { matrices, down, across, round, stages };
      return {
        ...{ tile, sizes: { rows: tile.m, columns: tile.n, depth: tile.k } },
        lower: (b, program) =>
          lowerFragments(b, program, { ...units, threads: { ...threads, rolled: profile.rolled } }),
      };
    });
}

/**
 * As measured of 90 tiles on an H200: a subgroup's operands are read for each of its fragments, deep tiles are slow
 * where a thread copies more than it has registers for, and one workgroup by itself on a core waits at barriers.
 */
function timeOf(tile: ProductTile, { rows, columns, images }: Product, units: KernelMatrices) {
  const { m, n, k, down, across, rm, rn, stages } = tile;
  const threads = down * across * units.width;
  const groups = Math.ceil(rows / m) * Math.ceil(columns / n) * images;
  const sums = (m * n) / threads;
  const copied = ((m + n) * k) / threads;
  const isAlone = 2 * threads * (sums + others) > registers;
  const one = m * n * (1 / rm + 1 / rn) * (isAlone ? 1.35 : 1);
  if (stages) {
    // As measured of 28 tiles of five products on an H200, all of four subgroups or eight: fewer read more memory, and
    // so do long tiles.
    const few = threads < 4 * units.width ? 1.5 : 1;
    const long = Math.sqrt((m + n) / 2 / Math.sqrt(m * n));
    const shallow = (stages === 2 ? 1.06 : 1) * (k > 32 ? 1.03 : 1);
    return (groups + many / 2) * one * few * long * shallow;
  }
  return (groups + many / 2) * one * (copied > mostCopied ? copied / mostCopied : 1 + 1 / copied);
}

/** Both operands of all steps, each by rows or by columns. */
function bytesInStages({ m, n, k }: ProductTile, stages: number, units: KernelMatrices): number {
  const most = (a: number, b: number) => Math.max(a * strideOf(b, units), b * strideOf(a, units));
  return stages * storedBytes(units.operand, most(m, k) + most(k, n));
}

/** Registers of a core, those of a thread beside its sums, and numbers that it copies at a time. */
const registers = 65536;
const others = 80;
const mostCopied = 32;

/**
 * How many fragments of a subgroup are stored at a time: a divisor of all that it has, so that they take no more
 * workgroup memory than the operands, or one; 0 where one does not fit.
 */
function roundOf(tile: ProductTile, matrices: KernelMatrices, profile: Profile): number {
  const copied = tile.m * strideOf(tile.k, matrices) + tile.k * strideOf(tile.n, matrices);
  const operands = storedBytes(matrices.operand, copied);
  const one = storedBytes("f32", tile.down * tile.across * matrices.rows * matrices.columns);
  const all = tile.rm * tile.rn;
  const fitting = range(all, (i) => all - i).filter(
    (count) =>
      all % count === 0 &&
      (count === 1 || count * one <= operands) &&
      operands + count * one <= profile.maxSharedBytes,
  );
  return fitting[0] ?? 0;
}

function ofWalk(walk: Walk, profile: Profile): Blocking[] {
  const { images, rows, walked, scores, sums } = walk;
  const deep = Math.min(...scores);
  const found = productFor([rows, walked, deep], profile);
  if (!found || images * rows * walked * total([...scores, ...sums]) < least) return [];
  const { product, matrices, subgroups } = found;
  const made = shares(subgroups).flatMap(([down, across]) =>
    range(Math.ceil(partOf(profile) / matrices.rows), (i) => i + 1).flatMap((rm): Timed[] => {
      const m = down * rm * matrices.rows;
      const threads = threadsFor(m, down * across * matrices.width, profile);
      if (m >= rows + down * matrices.rows || !threads) return [];
      const whole = { matrices, across, threads };
      return [1, 2].flatMap((fours) => {
        const keys = fours * wholeOf(whole, 1, "columns");
        if (fours > 1 && keys >= 2 * walked) return [];
        const inner = scores.map((depth) => wholeOf(whole, depth, "depth"));
        const outer = sums.map((columns) => wholeOf(whole, columns, "columns"));
        const taken = { m, keys, inner, outer, threads: down * across * matrices.width };
        if (bytesOf(taken, threads, matrices) > profile.maxSharedBytes) return [];
        const groups = Math.ceil(rows / m) * images;
        // A step has barriers; too few workgroups leave cores idle.
        const step = keys * (total(inner) + total(outer)) + waiting;
        const time = groups * Math.ceil(walked / keys) * step * Math.max(1, many / groups);
        const kept = (m * (scores.length * keys + total(outer))) / taken.threads;
        return [{ time, kept, threads, tile: { m, keys, down, across, product } }];
      });
    }),
  );
  const few = made.filter(({ kept }) => kept <= mostKept);
  return (few.length > 0 ? few : made)
    .sort((a, b) => a.time - b.time)
    .map(({ tile, threads }) => ({
      ...{ tile, sizes: { rows: tile.m, columns: tile.keys, depth: 0 } },
      lower: (b, program) =>
        lowerFragments(b, program, {
          ...{ matrices, down: tile.down, across: tile.across, threads },
        }),
    }));
}

interface Timed {
  readonly time: number;
  /** Numbers that a thread keeps. */
  readonly kept: number;
  readonly threads: Threads;
  readonly tile: WalkTile;
}

/** More make a thread slow: it sees them one by one, through workgroup memory. */
const mostKept = 32;

/** What the barriers of a step take, in elements that are copied meanwhile. */
const waiting = 2048;

/** The fewest threads of a row that leave every thread a row. */
function threadsFor(m: number, count: number, { rolled }: Profile): Threads | undefined {
  const across = [1, 2, 4, 8, 16].find((n) => count % n === 0 && m % (count / n) === 0);
  if (!across) return undefined;
  return { down: count / across, across, rowsPerThread: (m * across) / count, rolled };
}

interface Taken {
  readonly m: number;
  readonly keys: number;
  /** Depths of scores and columns of sums, as the tile has them. */
  readonly inner: readonly number[];
  readonly outer: readonly number[];
}

/**
 * The left operands of scores stay; right ones come and go, those of sums beside the scores that they are
 * multiplied with. A sum goes through memory as a whole where its elements are asked for.
 */
function bytesOf(
  { m, keys, inner, outer }: Taken,
  { across }: Threads,
  units: KernelMatrices,
): number {
  const stride = (columns: number) => strideOf(columns, units);
  const stay = total(inner.map((depth) => m * stride(depth)));
  const turned = inner.map((depth) => depth * stride(keys));
  const beside = outer.map((columns) => keys * stride(columns) + m * stride(keys));
  const operands = stay + Math.max(...turned, ...beside);
  const parts = m * Math.max(keys, across, ...outer);
  return storedBytes(units.operand, operands) + storedBytes("f32", parts);
}

const shares = (subgroups: number): (readonly [number, number])[] =>
  counts.flatMap((down) =>
    counts.flatMap((across) => (down * across <= subgroups ? [[down, across] as const] : [])),
  );

const total = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
