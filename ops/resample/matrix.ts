/**
 * The matrix of a resampling: [to, from], row d holding the weights of element d. Computed where it
 * is read, never stored. Its transpose is how a resampling is differentiated.
 */
import { apply, type ElementOp, literal, type Tensor, type Value } from "../../compiler/op-kit.ts";
import { type ResampleAxis, type Resampling, resampling, tapsOf } from "./kernel.ts";

export const op: ElementOp<Resampling> = {
  name: "resampleMatrix",
  kind: "element",
  cost: ({ mode }) => (mode === "bicubic" ? 40 : 12),
  type: (_inputs, { from, to }) => [{ dtype: "f32", shape: [to, from] }],
  element: ({ k, at, attrs }) => {
    const [d, i] = at as [Value, Value];
    const none = literal(0, "f32");
    return tapsOf(k, attrs, d).reduce(
      (sum, tap) => sum.add(tap.at.eq(i).select(tap.weight, none)),
      none,
    );
  },
  vjp: () => [],
  note: ({ mode, from, to }) => `${mode} ${from} -> ${to}`,
  tests: {
    samples: [
      {
        claim: "twice as many, linearly",
        inputs: [],
        call: () => matrixOf(2, { mode: "bilinear", size: 4 }),
        outputs: [
          [
            [1, 0],
            [0.75, 0.25],
            [0.25, 0.75],
            [0, 1],
          ],
        ],
      },
    ],
    cases: [
      {
        claim: "from many to few, cubically",
        inputs: [],
        call: () => matrixOf(37, { mode: "bicubic", size: 11 }),
        smooth: false,
      },
    ],
  },
};

export const resampleMatrix = (attrs: Resampling): Tensor => apply(op, [], attrs)[0]!;

const matrixOf = (from: number, axis: ResampleAxis) => resampleMatrix(resampling(from, axis));
