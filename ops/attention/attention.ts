/**
 * attention: softmax(scale * q kT + bias + relative) v, as one kernel that never stores the scores.
 *
 * With relative positions, queries and keys lie on one grid, and a query has a term for every row and for
 * every column of it: what a key's score gains is the sum of its row's and its column's (`relative.ts`).
 */
import {
  apply,
  type Case,
  gradient,
  type KernelOp,
  type Node,
  type Tensor,
  type Tests,
} from "../../compiler/op-kit.ts";
import { add } from "../elementwise/add.ts";
import { full } from "../elementwise/full.ts";
import { mul } from "../elementwise/mul.ts";
import { sub } from "../elementwise/sub.ts";
import { sum } from "../lines/reduce.ts";
import { softmax } from "../lines/softmax.ts";
import { concat } from "../views/concat.ts";
import { reshape } from "../views/reshape.ts";
import { pad, slice } from "../views/slice.ts";
import { composedBackward, storesScores } from "./backward-definition.ts";
import {
  type AttentionAttrs,
  type Extra,
  type Grid,
  operands,
  plainAttention,
  resultTypes,
} from "./definition.ts";
import { keyValueGradient } from "./key-value-gradient.ts";
import type { AttentionOptions, AttentionResults } from "./options.ts";
import { prepared, shaped } from "./prepare.ts";
import { queryGradient } from "./query-gradient.ts";
import { termsByQuery } from "./relative.ts";
import { subgroupForm } from "./subgroup.ts";
import { attentionForms } from "./tiled.ts";

const plainCase = (claim: string, q: number[], kv: number[], out: number): Case => ({
  claim,
  inputs: [{ shape: q }, { shape: kv }, { shape: [...kv.slice(0, 3), out] }],
  call: (a, b, c) => attention(a!, b!, c!),
  smooth: true,
});

const relativeCase = (
  claim: string,
  heads: number,
  rows: number,
  columns: number,
  depth: number,
) => ({
  claim,
  inputs: [
    ...[0, 1, 2].map(() => ({ shape: [1, heads, rows * columns, depth] })),
    { shape: [2 * rows - 1, depth] },
    { shape: [2 * columns - 1, depth] },
  ],
  call: (...[q, k, v, height, width]: Tensor[]) =>
    attention(q!, k!, v!, { relative: { height: height!, width: width!, grid: [rows, columns] } }),
  smooth: true,
});

/** Queries on a 3 x 5 grid attend to the grid with relative positions, and to a few other keys. */
function merged(...[q, k, v, otherK, otherV, height, width]: Tensor[]): Tensor {
  const relative = { height: height!, width: width!, grid: [3, 5] as const };
  const parts = [
    attentionWithStatistics(q!, k!, v!, { relative }),
    attentionWithStatistics(q!, otherK!, otherV!),
  ];
  const column = (x: Tensor): Tensor => reshape(x, [...x.shape, 1]);
  const shares = softmax(
    concat(
      parts.map((part) => column(part.statistics)),
      -1,
    ),
  );
  const weighted = parts.map(
    ({ out }, i): Tensor => mul(out as Tensor, slice(shares, [[], [], [], [i, i + 1]])),
  );
  return add(weighted[0]!, weighted[1]!);
}

const attentionTests: Tests = {
  samples: [
    {
      claim: "equal keys average the values",
      inputs: [
        [[[[1, 0]]]],
        [
          [
            [
              [0, 0],
              [0, 0],
            ],
          ],
        ],
        [[[[2], [4]]]],
      ],
      call: (q, k, v) => attention(q!, k!, v!),
      outputs: [[[[[3]]]]],
    },
    {
      claim: "a bias of ln 3 gives a key three quarters of the weight",
      inputs: [[[[[0]]]], [[[[1], [1]]]], [[[[0], [4]]]], [[[[0, Math.log(3)]]]]],
      call: (q, k, v, bias) => attention(q!, k!, v!, { bias: bias! }),
      outputs: [[[[[3]]]]],
    },
    {
      claim: "statistics are the logarithm of summed exponentials, however large the scores",
      inputs: [[[[[1]]]], [[[[900], [900]]]], [[[[2], [4]]]]],
      call: (q, k, v) => attentionWithStatistics(q!, k!, v!).statistics,
      outputs: [[[[900 + Math.log(2)]]]],
    },
    {
      claim: "neighbouring heads of queries share a head of keys and values",
      inputs: [
        [[[[1]], [[2]], [[3]], [[4]]]],
        [
          [
            [[0], [0]],
            [[5], [5]],
          ],
        ],
        [
          [
            [[2], [4]],
            [[6], [8]],
          ],
        ],
      ],
      call: (q, k, v) => attention(q!, k!, v!),
      outputs: [[[[[3]], [[3]], [[7]], [[7]]]]],
    },
    {
      claim: "causal: a query sees the keys up to its own",
      inputs: [[[[[0], [0], [0]]]], [[[[1], [1], [1]]]], [[[[2], [4], [9]]]]],
      call: (q, k, v) => [
        attention(q!, k!, v!, { causal: true }),
        attention(q!, k!, v!, { causal: 1 }),
      ],
      outputs: [[[[[2], [3], [5]]]], [[[[3], [5], [5]]]]],
    },
    {
      claim: "a mask and lengths leave the keys of which both are true",
      inputs: [
        [[[[0]]], [[[0]]]],
        [[[[1], [1], [1]]], [[[1], [1], [1]]]],
        [[[[2], [4], [9]]], [[[2], [4], [9]]]],
        { dtype: "bool", data: [1, 0, 1] },
        { dtype: "u32", data: [3, 2] },
      ],
      call: (q, k, v, mask, lengths) => attention(q!, k!, v!, { mask: mask!, lengths: lengths! }),
      outputs: [[[[[5.5]]], [[[2]]]]],
    },
  ],
  cases: [
    plainCase("six heads of queries over two of keys", [1, 6, 5, 8], [1, 2, 7, 8], 3),
    {
      claim: "causal, with keys in front, and lengths",
      inputs: [
        { shape: [2, 6, 5, 4] },
        ...[0, 1].map(() => ({ shape: [2, 2, 9, 4] })),
        { shape: [2], dtype: "i32", range: [1, 9] },
      ],
      call: (q, k, v, lengths) => attention(q!, k!, v!, { causal: 3, lengths: lengths! }),
      smooth: true,
    },
    {
      claim: "a mask that leaves every query a key",
      inputs: [
        { shape: [2, 2, 9, 4] },
        ...[0, 1].map(() => ({ shape: [2, 2, 13, 4] })),
        { shape: [2, 1, 9, 13], dtype: "bool" },
      ],
      call: (q, k, v, mask) =>
        attention(q!, k!, v!, {
          mask: slice(pad(mask!, [[], [], [], [1]], 1), [[], [], [], [0, 13]]),
        }),
      smooth: true,
    },
    plainCase("odd token counts", [1, 2, 21, 8], [1, 2, 35, 8], 8),
    plainCase("values of another depth", [2, 1, 5, 6], [2, 1, 9, 6], 3),
    plainCase("more keys than one tile holds", [1, 1, 3, 4], [1, 1, 150, 4], 4),
    plainCase("fewer queries than keys, of few channels", [1, 1, 3, 2], [1, 1, 6, 2], 3),
    relativeCase("relative positions on an odd grid", 2, 3, 5, 8),
    relativeCase("relative positions on a window", 1, 7, 7, 4),
    {
      claim: "statistics alone",
      inputs: [{ shape: [1, 2, 9, 4] }, { shape: [1, 2, 13, 4] }, { shape: [1, 2, 13, 3] }],
      call: (q, k, v) => attentionWithStatistics(q!, k!, v!).statistics,
      smooth: true,
    },
    {
      claim: "attentions to two sets of keys merge by their statistics",
      inputs: [
        { shape: [1, 2, 15, 4] },
        ...[15, 15, 5, 5].map((keys) => ({ shape: [1, 2, keys, 4] })),
        { shape: [5, 4] },
        { shape: [9, 4] },
      ],
      call: merged,
      smooth: true,
    },
    {
      claim: "a bias beside relative positions",
      inputs: [
        ...[0, 1, 2].map(() => ({ shape: [1, 2, 6, 4] })),
        { shape: [1, 2, 1, 6] },
        { shape: [3, 4] },
        { shape: [5, 4] },
      ],
      call: (q, k, v, bias, height, width) =>
        attention(q!, k!, v!, {
          bias: bias!,
          relative: { height: height!, width: width!, grid: [2, 3] },
        }),
      smooth: true,
    },
    {
      claim: "more scores than are stored for the gradients",
      inputs: [{ shape: [2, 2, 33, 2] }, { shape: [2, 2, 41, 2] }, { shape: [2, 2, 41, 3] }],
      call: (q, k, v) => attention(q!, k!, v!),
      smooth: true,
    },
    relativeCase("relative positions, and more scores than are stored", 2, 5, 7, 2),
    {
      claim: "a mask hides keys",
      inputs: [
        { shape: [1, 2, 9, 4] },
        { shape: [1, 2, 13, 4] },
        { shape: [1, 2, 13, 4] },
        { shape: [1, 1, 1, 13] },
      ],
      call: (q, k, v, bias) => attention(q!, k!, v!, { bias: bias! }),
      smooth: true,
    },
  ],
};

export const op: KernelOp<AttentionAttrs> = {
  name: "attention",
  kind: "kernel",
  type: resultTypes,
  forms: [subgroupForm, ...attentionForms],
  // 2: in workgroup memory they are tile programs; relative terms are an input.
  version: 2,
  oracle: plainAttention,
  spelled: 16,
  work(inputs) {
    const [batch, heads, queries, depth] = inputs[0]!.shape as [number, number, number, number];
    const [, , keys, out] = inputs[2]!.shape as [number, number, number, number];
    return batch * heads * queries * keys * (depth + out);
  },
  vjp: (cotangents, { inputs, results, attrs }) => backward(cotangents, inputs, results, attrs),
  note: ({ grid, causal }) =>
    [
      ...(grid ? [`relative on ${grid.join(" x ")}`] : []),
      ...(causal ? [`causal by ${causal.offset} of ${causal.queries}`] : []),
    ].join(", "),
  tests: attentionTests,
};

/**
 * q [batch, heads, queries, depth], k [batch, shared, keys, depth], v [batch, shared, keys, out] ->
 * [batch, heads, queries, out], all float32. Heads are a multiple of `shared`, often 1: head h of the queries
 * reads head floor(h * shared / heads) of the keys and values, as with PyTorch's `enable_gqa`.
 *
 * `mask`, `lengths` and `causal` say which keys a query sees; it sees those that all of them leave it. Scores
 * of other keys count as -Infinity whatever they are, and no gradient passes. Keys that no query may see are
 * not read, so NaN there does not matter: those behind `lengths`, those that a mask hides which has one row
 * for all queries (and for all heads that share keys), and without relative positions those that `causal`
 * puts behind the last query. Where some queries see a key, a NaN or an infinity in its value may reach those
 * that do not, as in PyTorch.
 *
 * A query that sees no key gets NaN, as one whose scores are all -Infinity by the bias, and one whose scores
 * are all one finite number gets the mean of the values. Throws E101 when shapes or dtypes do not fit.
 */
export const attention = (
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options: AttentionOptions = {},
): Tensor<"f32"> => attentionWithStatistics(q, k, v, options).out;

/** As `attention`, with the statistics of every query's row of scores. Both have derivatives. */
export function attentionWithStatistics(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options: AttentionOptions = {},
): AttentionResults {
  const { inputs, attrs } = prepared(q, k, v, options);
  const [out, statistics, rows] = apply(op, inputs, attrs) as Tensor<"f32">[];
  rowsOf.set(out!.node, rows!);
  const lead = q.shape.slice(0, 3);
  return {
    out: shaped(out!, [...lead, v.shape[3]!]) as Tensor<"f32">,
    statistics: shaped(statistics!, lead) as Tensor<"f32">,
  };
}

/** A model uses the results alone: their derivatives need what is kept of the rows. */
const rowsOf = new WeakMap<Node, Tensor>();

/**
 * The cotangents of all inputs. Scores are stored where they are small, and where the bias wants a
 * gradient: it has their shape.
 */
function backward(
  [g, ofStatistics, ofRows]: readonly (Tensor | undefined)[],
  inputs: readonly Tensor[],
  results: readonly (Tensor | undefined)[],
  attrs: AttentionAttrs,
): (Tensor | undefined)[] {
  const { q, v, relative } = operands(inputs, attrs);
  const { node } = results.find((x) => x !== undefined)!;
  const kept = results[2] ?? rowsOf.get(node) ?? apply(op, inputs, attrs)[2]!;
  const rows = [...q.shape.slice(0, 3), 1];
  let delta: Tensor = g ? sum(mul(g, results[0]!), -1, "keep") : full(0, rows);
  if (ofStatistics) delta = sub(delta, reshape(ofStatistics, rows) as Tensor);
  // What depends on the rows depends on the sum of both numbers.
  if (ofRows) delta = sub(delta, slice(ofRows, [[], [], [], [1, 2]]) as Tensor);
  const cotangent: Tensor = g ?? full(0, [...rows.slice(0, 3), v.shape[3]!]);
  const saved = concat([kept, delta], -1);
  const all = [...inputs.slice(0, 3), cotangent, saved, ...inputs.slice(3)];
  const composed = composedBackward(all, attrs);
  const isStored = storesScores(q.type, v.type);
  const [ofQuery, ofTerms] = isStored
    ? [composed.query(), relative && composed.relative()]
    : queryGradient(all, attrs);
  const ofExtras: { readonly [E in Extra]?: Tensor | undefined } = {
    bias: composed.score,
    relative: relative && attrs.grid && ofOrdered(relative, ofTerms!, attrs.grid),
  };
  return [
    ofQuery,
    ...(isStored ? [composed.key(), composed.value()] : keyValueGradient(all, attrs)),
    ...attrs.extras.map((name) => ofExtras[name]),
  ];
}

/** The cotangent of the relative terms, from that of the terms by query. */
function ofOrdered(terms: Tensor, byQuery: Tensor, grid: Grid): Tensor {
  const ordered = termsByQuery(terms, grid);
  return gradient([ordered], [reshape(byQuery, ordered.shape) as Tensor], [terms])[0]!;
}
