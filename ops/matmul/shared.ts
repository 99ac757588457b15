/** matmul in workgroup memory: its tile program, with the tiles that it can have. */
import { form, lowerShared, workgroups } from "../../compiler/op-kit.ts";
import { matmulProgram } from "./program.ts";
import { type SharedTile, shapeOf, sharedTiles, tileReads } from "./tiles.ts";

export const sharedProduct = form<null, SharedTile>({
  ...workgroups,
  tiles: ({ inputs, profile }) => sharedTiles(shapeOf(inputs), profile),
  reads: tileReads,
  kernel: (site, { m, n, k: deep, rm, rn, split: slices }) =>
    lowerShared(site.k, matmulProgram(site, { m, n, deep }), {
      ...{ down: m / rm, across: n / rn, rowsPerThread: rm, slices },
      rolled: site.profile.rolled,
    }),
});
