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

const heights = [64, 48, 32, 16, 8, 4, 1];
const widths = [64, 32, 16, 8, 4];
/** Numbers of an operand that stay near. */
const near = 8192;

/** The least that is multiplied for nothing and copied, the best first. */
function productSizes({ rows, columns }: Product): Sizes[] {
  const whole = (extent: number, size: number) => Math.ceil(extent / size) * size;
  const cost = (s: Sizes) =>
    whole(rows, s.rows) * whole(columns, s.columns) * (1 + 4 / s.rows + 2 / s.columns);
  return heights
    .flatMap((m) => widths.map((n) => ({ rows: m, columns: n, depth: depthFor(m, n) })))
    .sort((a, b) => cost(a) - cost(b));
}

/** Places of a depth for which both operands stay near. */
const depthFor = (rows: number, columns: number): number =>
  Math.max(32, Math.min(256, Math.floor(near / Math.max(rows, columns) / 32) * 32));

function walkSizes({ rows, walked }: Walk): Sizes[] {
  const waste = (extent: number, size: number) => (Math.ceil(extent / size) * size) / extent;
  const cost = (s: Sizes) =>
    waste(rows, s.rows) * waste(walked, s.columns) * (1 + 8 / s.rows + 8 / s.columns);
  return heights
    .flatMap((m) => widths.map((n) => ({ rows: m, columns: n, depth: 0 })))
    .sort((a, b) => cost(a) - cost(b));
}
