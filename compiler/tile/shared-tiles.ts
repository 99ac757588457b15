/** Programs in workgroup memory: their tiles, and how threads share them. */
import { workgroups } from "../forms/asks.ts";
import type { Profile } from "../profile.ts";
import type { Blocking, Lowering, Product, Walk } from "./lowering.ts";
import { productTiles } from "./product-tiles.ts";
import { lowerShared } from "./shared.ts";
import { walkTiles } from "./walk-tiles.ts";

export const shared: Lowering = {
  ...workgroups,
  blockings: (work, profile) =>
    work.kind === "walk" ? ofWalk(work, profile) : ofProduct(work, profile),
};

const ofWalk = (walk: Walk, profile: Profile): Blocking[] =>
  walkTiles(walk, profile).map((tile) => {
    const { down, across, rowsPerThread, keys } = tile;
    const { rolled, shuffles } = profile;
    const subgroup = shuffles ? profile.subgroup : 0;
    const threads = { down, across, rowsPerThread, rolled, subgroup };
    return {
      ...{ tile, sizes: { rows: down * rowsPerThread, columns: keys, depth: 0 } },
      lower: (k, program) => lowerShared(k, program, threads),
    };
  });

const ofProduct = (product: Product, profile: Profile): Blocking[] =>
  productTiles(product, profile).map((tile) => {
    const { m, n, k: depth, rm, rn, split: slices } = tile;
    const sharing = { down: m / rm, across: n / rn, rowsPerThread: rm, slices };
    return {
      ...{ tile, sizes: { rows: m, columns: n, depth } },
      lower: (k, program) => lowerShared(k, program, { ...sharing, rolled: profile.rolled }),
    };
  });
