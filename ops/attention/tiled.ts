/**
 * The forms of attention and its gradients that are tile programs: what these walk over and multiply.
 */
import {
  type KernelSite,
  type Problem,
  type TileProgram,
  tileForms,
  type Walk,
} from "../../compiler/op-kit.ts";
import { type BackwardAttrs, keyValueReads, queryReads } from "./backward-definition.ts";
import { keyValueGradientProgram, queryGradientProgram } from "./backward-program.ts";
import { type AttentionAttrs, extraAt, extraReads } from "./definition.ts";
import { attentionProgram } from "./program.ts";

/** Sizes of q, k and v, in forward and backward problems alike. */
function sizesOf({ inputs }: Pick<Problem<unknown>, "inputs">) {
  const [batch, heads, queries, depth] = inputs[0]!.shape as [number, number, number, number];
  const [, , keys, out] = inputs[2]!.shape as [number, number, number, number];
  return { images: batch * heads, queries, keys, depth, out };
}

type Program<A> = (site: KernelSite<A>, m: number, n: number) => TileProgram;

/** A program's forms: how it walks, and how often it reads an input of which a tile has so many rows. */
const walking = <A>(
  program: Program<A>,
  walkOf: (problem: Problem<A>) => Omit<Walk, "kind">,
  reads: (input: number, problem: Problem<A>, walked: number) => number,
) =>
  tileForms<A>({
    work: (problem) => ({ kind: "walk", ...walkOf(problem) }),
    reads: ({ rows }, input, problem) =>
      reads(input, problem, Math.ceil(walkOf(problem).rows / rows)),
    program: (site, { rows, columns }) => program(site, rows, columns),
  });

export const attentionForms = walking<AttentionAttrs>(
  attentionProgram,
  (problem) => {
    const { images, queries, keys, depth, out } = sizesOf(problem);
    return { images, rows: queries, walked: keys, scores: [depth], sums: [out] };
  },
  (input, { inputs, attrs }, walked) => {
    if (extraAt(attrs, input)) return extraReads(inputs, attrs, input, 3, walked);
    return input === 0 ? 1 : walked;
  },
);

export const queryForms = walking<BackwardAttrs>(
  queryGradientProgram,
  (problem) => {
    const { images, queries, keys, depth, out } = sizesOf(problem);
    const { wanted, grid = [0, 0] } = problem.attrs;
    const sums = wanted.map((name) => (name === "query" ? depth : grid[0] + grid[1]));
    return { images, rows: queries, walked: keys, scores: [depth, out], sums };
  },
  (input, problem, walked) => queryReads(input, problem, { own: 1, walked }),
);

export const keyValueForms = walking<BackwardAttrs>(
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
