/** broadcastTo(x, shape): repeats axes of size 1 and adds axes in front. A view: nothing is copied. */
import {
  apply,
  type DType,
  type ElementOp,
  index,
  noBroadcast,
  sameShape,
  type Tensor,
} from "../compiler/op.ts";
import { sumTo } from "./sum-to.ts";

interface Attrs {
  readonly shape: readonly number[];
}

export const op: ElementOp<Attrs> = {
  name: "broadcast",
  kind: "element",
  cost: 0,
  type: ([x], { shape }, fail) => {
    const lead = shape.length - x!.shape.length;
    if (lead < 0) fail(`a tensor of rank ${x!.shape.length} does not fit [${shape.join(", ")}]`);
    x!.shape.forEach((n, i) => {
      if (n !== 1 && n !== shape[lead + i]) fail(noBroadcast(n, shape[lead + i]!));
    });
    return [{ dtype: x!.dtype, shape }];
  },
  element: ({ inputs, at }) => {
    const { shape } = inputs[0]!;
    const own = at.slice(at.length - shape.length);
    return inputs[0]!.at(...own.map((c, i) => (shape[i] === 1 ? index(0) : c)));
  },
  vjp: ([g], { inputs }) => [sumTo(g!, inputs[0]!.shape)],
  tests: {
    samples: [
      {
        inputs: [[[1], [2]]],
        call: (x) => broadcastTo(x!, [2, 2, 3]),
        outputs: [
          [
            [
              [1, 1, 1],
              [2, 2, 2],
            ],
            [
              [1, 1, 1],
              [2, 2, 2],
            ],
          ],
        ],
      },
    ],
    cases: [
      {
        claim: "a row broadcasts over odd sizes",
        inputs: [{ shape: [1, 7] }],
        call: (x) => broadcastTo(x!, [3, 5, 7]),
        smooth: true,
      },
    ],
  },
};

/** `x` repeated along axes of size 1 until it has `shape`. Throws E101 if it does not fit. */
export function broadcastTo<D extends DType>(x: Tensor<D>, shape: readonly number[]): Tensor<D> {
  return sameShape(x.shape, shape) ? x : (apply(op, [x], { shape })[0] as Tensor<D>);
}
