/**
 * dropout(x, rate): each element is 0 with probability `rate`, else x / (1 - rate). Which elements
 * those are is a hash of their place (random.ts), so the derivative asks again instead of keeping
 * a mask.
 */
import {
  always,
  apply,
  checkNames,
  checkTensors,
  type DType,
  type ElementOp,
  literal,
  refuse,
  type Shape,
  shown,
  type Tensor,
} from "../../compiler/op-kit.ts";
import { checkKey, checkStream, fraction, hashAt, hashCost } from "./random.ts";

interface Attrs {
  readonly rate: number;
  readonly stream: number;
}

export const op: ElementOp<Attrs> = {
  name: "dropout",
  kind: "element",
  cost: hashCost,
  type: ([x, key], _attrs, fail) => {
    if (x!.dtype !== "f32") fail(`takes f32, not ${x!.dtype}`, 'convert it: cast(x, "f32")');
    checkKey(key!, fail);
    return [x!];
  },
  element: ({ k, inputs: [x, key], at, attrs: { rate, stream }, type }) => {
    const [word] = hashAt(k, key!, stream, type.shape, at);
    const kept = fraction(word).ge(rate);
    return kept.select(x!.at(...at).mul(1 / (1 - rate)), literal(0, "f32"));
  },
  push: ({ input, at }) => (input === 0 ? { at, where: always } : undefined),
  vjp: ([g], { inputs: [, key], attrs }) => [apply(op, [g!, key!], attrs)[0]!, undefined],
  note: ({ rate, stream }) => `rate ${rate}, stream ${stream}`,
  tests: {
    samples: [
      {
        claim: "what is kept is scaled: the first fraction of the published vector is 0.41846",
        inputs: [[3], { dtype: "u32", data: [0, 0] }],
        call: (x, key) => [
          dropout(x!, 0.25, { key: key!, stream: 0 }),
          dropout(x!, 0.418, { key: key!, stream: 0 }),
          dropout(x!, 0.419, { key: key!, stream: 0 }),
          dropout(x!, 0, { key: key!, stream: 0 }),
        ],
        outputs: [[4], [5.154639175], [0], [3]],
      },
    ],
    cases: [
      {
        claim: "an odd shape",
        inputs: [{ shape: [3, 5, 11] }, { shape: [2], dtype: "u32", range: [0, 2 ** 32 - 1] }],
        call: (x, key) => dropout(x!, 0.3, { key: key!, stream: 5 }),
        smooth: true,
      },
    ],
  },
};

/** Where the choice of dropped elements comes from (`randomUniform`). */
export interface RandomSource {
  /** u32[2] or u32[3], given at run time: the seed and the step, say, and which part of a whole. */
  readonly key: Tensor;
  /** By which choices of different use differ: `streamOf(path)`. */
  readonly stream: number;
}

/**
 * `x` (float32) with elements set to 0 at a `rate` from 0 up to, but not, 1; the others are scaled
 * up, so that the mean stays. Throws E101 for other rates and keys.
 */
export function dropout<D extends DType, S extends Shape>(
  x: Tensor<D, S>,
  rate: number,
  source: RandomSource,
): Tensor<D, S> {
  checkTensors("dropout", { x });
  checkNames("dropout", source, { key: true, stream: true }, "needed");
  const { key, stream } = source;
  checkTensors("dropout", { key });
  checkStream("dropout", stream);
  if (typeof rate !== "number" || !(rate >= 0 && rate < 1))
    refuse("dropout", [x], `the rate is ${shown(rate)}`, "give a number from 0 up to, but not, 1");
  if (rate === 0) return x;
  return apply(op, [x, key], { rate, stream: stream >>> 0 })[0] as unknown as Tensor<D, S>;
}
