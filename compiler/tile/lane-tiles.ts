/** Programs in lanes: the sizes of their tiles, and which devices they are for. */
import type { Profile } from "../profile.ts";
import { lowerLanes } from "./lanes.ts";
import type { Blocking, Lowering, Product, Sizes, Walk } from "./lowering.ts";

/** On processors, where vectors' lanes are threads, and arrays lie in a cache. */
export const lanes: Lowering = {
  name: "lanes",
  fits: ({ deviceClass, subgroup }) => deviceClass === "processor" && subgroup > 0,
  label: ({ subgroup }) => `lanes-${subgroup}`,
  blockings: (work, profile) =>
    (work.kind === "walk" ? walkSizes(work) : productSizes(work)).map((sizes) =>
      blocking(sizes, profile),
    ),
};

const blocking = (sizes: Sizes, { subgroup }: Profile): Blocking => ({
  tile: { m: sizes.rows, n: sizes.columns, k: sizes.depth },
  sizes,
  lower: (k, program) => lowerLanes(k, program, subgroup),
});

/** Rows and columns of a tile, at most: even parts of all. */
const heights = [192, 96, 48, 24, 12];
const widths = [192, 96, 48, 24, 12];
const deepest = 256;

/** Parts of an extent that are as equal as whole units allow. */
const evenly = (extent: number, most: number, unit: number): number =>
  Math.ceil(extent / Math.ceil(extent / most) / unit) * unit;

/** The least that is multiplied for nothing and copied, the best first. */
function productSizes({ rows, columns, depths }: Product): Sizes[] {
  const depth = evenly(Math.max(...depths), deepest, 4);
  const whole = (extent: number, size: number) => Math.ceil(extent / size) * size;
  const cost = (s: Sizes) =>
    whole(rows, s.rows) * whole(columns, s.columns) * (1 + 1 / s.rows + 1 / s.columns);
  return unique(
    heights.flatMap((m) =>
      widths.map((n) => ({
        rows: evenly(rows, m, rows % 4 === 0 ? 4 : 1),
        columns: evenly(columns, n, 4),
        depth,
      })),
    ),
  ).sort((a, b) => cost(a) - cost(b));
}

const unique = (all: readonly Sizes[]): Sizes[] => [
  ...new Map(all.map((s) => [[s.rows, s.columns, s.depth].join(), s])).values(),
];

function walkSizes({ rows, walked }: Walk): Sizes[] {
  const waste = (extent: number, size: number) => (Math.ceil(extent / size) * size) / extent;
  const cost = (s: Sizes) =>
    waste(rows, s.rows) * waste(walked, s.columns) * (1 + 8 / s.rows + 8 / s.columns);
  return unique(
    [48, 24, 12, 6].flatMap((m) =>
      [64, 32, 16, 8].map((n) => ({
        rows: evenly(rows, m, 1),
        columns: evenly(walked, n, 4),
        depth: 0,
      })),
    ),
  ).sort((a, b) => cost(a) - cost(b));
}
