/** What attention is checked with. */
import type { Case, Tensor, Tests } from "../compiler/op.ts";
import { attention } from "./attention.ts";

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

export const attentionTests: Tests = {
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
  ],
  cases: [
    plainCase("odd token counts", [1, 2, 21, 8], [1, 2, 35, 8], 8),
    plainCase("values of another depth", [2, 1, 5, 6], [2, 1, 9, 6], 3),
    plainCase("more keys than one tile holds", [1, 1, 3, 4], [1, 1, 150, 4], 4),
    relativeCase("relative positions on an odd grid", 2, 3, 5, 8),
    relativeCase("relative positions on a window", 1, 7, 7, 4),
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
