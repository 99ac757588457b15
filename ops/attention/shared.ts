/**
 * Attention and its gradients in workgroup memory: their tile programs, and the tiles that these can have.
 */
import {
  form,
  type KernelSite,
  lowerShared,
  type Problem,
  type TileProgram,
  workgroups,
} from "../../compiler/op-kit.ts";
import { type BackwardAttrs, keyValueReads, queryReads } from "./backward-definition.ts";
import { keyValueGradientProgram, queryGradientProgram } from "./backward-program.ts";
import { type AttentionAttrs, isRelative, relativeReads } from "./definition.ts";
import { attentionProgram } from "./program.ts";
import { type SharedAttentionTile, sharedTiles, type Walk } from "./tiles.ts";

/** Sizes of q, k and v, in forward and backward problems alike. */
function sizesOf({ inputs }: Pick<Problem<unknown>, "inputs">) {
  const [batch, heads, queries, depth] = inputs[0]!.shape as [number, number, number, number];
  const [, , keys, out] = inputs[2]!.shape as [number, number, number, number];
  return { images: batch * heads, queries, keys, depth, out };
}

type Program<A> = (site: KernelSite<A>, m: number, n: number) => TileProgram;

/** A program's form: how it walks, and how often it reads an input of which a tile has so many rows. */
const inWorkgroups = <A>(
  program: Program<A>,
  walkOf: (problem: Problem<A>) => Walk,
  reads: (input: number, problem: Problem<A>, walked: number) => number,
) =>
  form<A, SharedAttentionTile>({
    ...workgroups,
    tiles: (problem) => sharedTiles(walkOf(problem), problem.profile),
    reads: ({ down, rowsPerThread }, input, problem) =>
      reads(input, problem, Math.ceil(walkOf(problem).rows / (down * rowsPerThread))),
    kernel: (site, { down, across, rowsPerThread, keys }) =>
      lowerShared(site.k, program(site, down * rowsPerThread, keys), {
        ...{ down, across, rowsPerThread },
        rolled: site.profile.rolled,
      }),
  });

export const sharedForm = inWorkgroups<AttentionAttrs>(
  attentionProgram,
  (problem) => {
    const { images, queries, keys, depth, out } = sizesOf(problem);
    return { images, rows: queries, walked: keys, scores: [depth], sums: [out] };
  },
  (input, { inputs, attrs }, walked) => {
    if (isRelative(attrs, input)) return relativeReads(inputs, attrs);
    return input === 0 || (attrs.hasBias && input === 3) ? 1 : walked;
  },
);

export const sharedQueryForm = inWorkgroups<BackwardAttrs>(
  queryGradientProgram,
  (problem) => {
    const { images, queries, keys, depth, out } = sizesOf(problem);
    const { wanted, grid = [0, 0] } = problem.attrs;
    const sums = wanted.map((name) => (name === "query" ? depth : grid[0] + grid[1]));
    return { images, rows: queries, walked: keys, scores: [depth, out], sums };
  },
  (input, problem, walked) => queryReads(input, problem, { own: 1, walked }),
);

export const sharedKeyValueForm = inWorkgroups<BackwardAttrs>(
  keyValueGradientProgram,
  (problem) => {
    const { images, queries, keys, depth, out } = sizesOf(problem);
    const { wanted } = problem.attrs;
    const sums = wanted.map((name) => (name === "key" ? depth : out));
    const scores = wanted.includes("key") ? [depth, out] : [depth];
    return { images, rows: keys, walked: queries, scores, sums };
  },
  (input, problem, walked) => keyValueReads(input, problem, { own: 1, walked }),
);
