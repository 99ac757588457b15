/** Programs in lanes: the sizes of their tiles, and which devices they are for. */
import { storedBytes } from "../../formats/index.ts";
import type { Profile } from "../profile.ts";
import { blockOf, cyclesOf } from "./blocks.ts";
import { inPlaceOf, lowerInPlace } from "./lane-blocks.ts";
import { lowerLanes } from "./lanes.ts";
import type { Blocking, Lowering, Product, Sizes, Walk, Work } from "./lowering.ts";

/** On processors, where vectors' lanes are threads, and arrays lie in a cache. */
export const lanes: Lowering = {
  name: "lanes",
  fits: ({ deviceClass, subgroup }) => deviceClass === "processor" && subgroup > 0,
  label: ({ subgroup }) => `lanes-${subgroup}`,
  blockings: (work, profile) =>
    sizesFor(work, profile)
      .filter((sizes) => sharedBytesOf(sizes, work, profile.subgroup) <= profile.maxSharedBytes)
      .map((sizes) =>
        work.kind === "walk" ? walking(sizes, profile) : multiplying(sizes, work, profile),
      ),
};

/** Left operands lie in workgroup memory, each in a place of its own, whose rows end in a vector more at most. */
function sharedBytesOf({ rows, columns, depth }: Sizes, work: Work, width: number): number {
  const whole = (n: number) => Math.ceil(n / width + 1) * width;
  const lefts =
    work.kind === "walk"
      ? [...work.scores.map(whole), ...work.sums.map(() => whole(columns))]
      : work.depths.map((n) => whole(Math.min(depth, n)));
  return storedBytes("f32", rows * lefts.reduce((a, b) => a + b, 0));
}

const sizesFor = (work: Work, profile: Profile): Sizes[] =>
  work.kind === "walk" ? walkSizes(work, profile) : productSizes(work, profile);

const walking = (sizes: Sizes, profile: Profile): Blocking => ({
  tile: { m: sizes.rows, n: sizes.columns, k: sizes.depth },
  sizes,
  lower: (k, program) => lowerLanes(k, program, inLanes(profile)),
});

const inLanes = ({ subgroup, registers }: Profile) => ({ width: subgroup, registers });

function multiplying(sizes: Sizes, work: Product, profile: Profile): Blocking {
  const { subgroup: width, registers, pairs } = profile;
  // A compiler of C has other blocks.
  const there = registers === undefined ? inPlaceOf(work, width, pairs) : undefined;
  const { vectors } = blockOf(sizes.rows, sizes.columns / width, registers);
  return {
    ...walking(sizes, profile),
    panel: there?.panel ?? vectors * width,
    lower: (k, program, sized) =>
      (there && lowerInPlace(k, sized(there.sizes), there, width)) ??
      lowerLanes(k, program, inLanes(profile)),
  };
}

/** Rows and columns of a tile, at most: even parts of all. */
const extents = [384, 192, 96, 48, 24, 12];
/** Where blocks are larger. */
const largerExtents = [512, 384, 256, 192, 128, 96, 64, 48, 32, 24, 16, 12];
const extentsFor = (registers: number | undefined): readonly number[] =>
  registers === undefined ? extents : largerExtents;
/** Columns come in blocks of so many. */
const unitsFor = (width: number, registers: number | undefined): readonly number[] =>
  registers === undefined ? [width, 3 * width] : [width, 2 * width, 3 * width];
const deepest = 256;
/** Numbers of a left operand that stay near: half a megabyte. */
const near = 2 ** 17;

/** Cycles to copy a vector of an operand, to begin, end and store one of sums, and to compute with one of scores. */
const cyclesOfVectors = { copy: 6, sum: 8, score: 80 };
const cyclesIn = (width: number) => {
  const { copy, sum, score } = cyclesOfVectors;
  return { copy: copy / width, sum: sum / width, score: score / width };
};

/** Parts of an extent that are as equal as whole units allow. */
const evenly = (extent: number, most: number, unit: number): number =>
  Math.ceil(extent / Math.ceil(extent / most) / unit) * unit;

/** Even parts of rows in fours, of columns in vectors, or in two or three of them. */
const partsOf = (
  extent: number,
  extents: readonly number[],
  units: readonly number[],
): readonly number[] => [
  ...new Set(extents.flatMap((most) => units.map((unit) => evenly(extent, most, unit)))),
];

/**
 * Workgroups count in fours: threads, however many there are, then end at about the same time. Where one is
 * disturbed the others wait for half a workgroup.
 */
const threads = 4;
const uneven = (groups: number): number => (Math.ceil(groups / threads) * threads + 1 / 2) / groups;

const ranked = (all: readonly Sizes[], time: (s: Sizes) => number): Sizes[] =>
  all
    .map((s) => ({ s, time: time(s) }))
    .sort((a, b) => a.time - b.time)
    .map(({ s }) => s);

function productSizes(
  { rows, columns, depths, images }: Product,
  { subgroup: width, registers }: Profile,
): Sizes[] {
  const cycles = cyclesIn(width);
  const extents = extentsFor(registers);
  const depth = evenly(Math.max(...depths), deepest, 4);
  const places = depths.reduce((a, b) => a + b);
  const time = (s: Sizes) => {
    const tiles = Math.ceil(rows / s.rows) * Math.ceil(columns / s.columns);
    const place =
      cyclesOf(s.rows, s.columns / width, registers) + cycles.copy * (s.rows + s.columns);
    const tile = places * place + cycles.sum * s.rows * s.columns;
    return tiles * tile * uneven(tiles * images);
  };
  const all = partsOf(rows, extents, [rows % 4 === 0 ? 4 : 1])
    .filter((m) => m * depth <= near)
    .flatMap((m) =>
      partsOf(columns, extents, unitsFor(width, registers)).map((n) => ({
        rows: m,
        columns: n,
        depth,
      })),
    );
  return ranked(all, time);
}

/** A walk multiplies scores and sums; what goes by is copied for every tile of rows, and scores are computed with. */
function walkSizes(
  { rows, walked, images, scores, sums }: Walk,
  { subgroup: width, registers }: Profile,
): Sizes[] {
  const cycles = cyclesIn(width);
  const extents = extentsFor(registers);
  const time = (s: Sizes) => {
    const [tiles, steps] = [Math.ceil(rows / s.rows), Math.ceil(walked / s.columns)];
    const scored = scores.map((deep) => deep * cyclesOf(s.rows, s.columns / width, registers));
    const summed = sums.map(
      (wide) => s.columns * cyclesOf(s.rows, Math.ceil(wide / width), registers),
    );
    const copied = [...scores, ...sums].map((deep) => cycles.copy * deep * s.columns);
    const computed = cycles.score * s.rows * s.columns;
    const carried = sums.map((wide) => cycles.sum * s.rows * wide);
    const step = [...scored, ...summed, ...copied, ...carried].reduce((a, b) => a + b) + computed;
    return tiles * steps * step * uneven(tiles * images);
  };
  const all = partsOf(rows, extents, [rows % 4 === 0 ? 4 : 1])
    .filter((m) => m <= 192)
    .flatMap((m) =>
      partsOf(walked, extents, unitsFor(width, registers)).map((n) => ({
        rows: m,
        columns: n,
        depth: 0,
      })),
    )
    .filter((s) => s.rows * s.columns <= near / 8);
  return ranked(all, time);
}
