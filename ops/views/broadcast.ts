/**
 * broadcastTo(x, shape) repeats, sumTo(x, shape) sums what was repeated. Each is the derivative of
 * the other, so they share a file.
 */
import {
  apply,
  checkShape,
  checkTensors,
  type DType,
  type ElementOp,
  elements,
  index,
  type KernelOp,
  noBroadcast,
  sameShape,
  type Tensor,
} from "../../compiler/op-kit.ts";
import { reduceForms, reduceOracle, smallReduction, summation } from "../lines/reduce-kernel.ts";
import { reshape } from "./reshape.ts";

interface Attrs {
  readonly shape: readonly number[];
}

/** A view: nothing is copied. */
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

/** The sum over every axis along which `shape` broadcasts to the input's. */
export const adjoint: KernelOp<Attrs> = {
  name: "sum",
  kind: "kernel",
  type: ([x], { shape }, fail) => {
    const lead = x!.shape.length - shape.length;
    if (x!.dtype === "bool") fail("takes numbers, not bool", 'convert it: cast(x, "i32")');
    if (lead < 0 || shape.some((n, i) => n !== 1 && n !== x!.shape[lead + i]))
      fail(
        `[${shape.join(", ")}] does not broadcast to [${x!.shape.join(", ")}]`,
        "each size must be 1 or stay as it is, aligned at the last axis",
      );
    return [{ dtype: x!.dtype, shape }];
  },
  forms: reduceForms(
    (inputs, attrs) => summed(inputs[0]!, attrs),
    () => summation,
  ),
  oracle: ([x], attrs, [type]) => [reduceOracle(x!, summed(x!, attrs), summation, type!.dtype)],
  work: ([x]) => elements(x!.shape),
  small: ([x], attrs) => smallReduction(adjoint, x!, summed(x!, attrs), summation),
  vjp: ([g], { inputs }) => [broadcastTo(g!, inputs[0]!.shape)],
  note: (a) => `to [${a.shape.join(", ")}]`,
  tests: {
    samples: [
      {
        inputs: [
          [
            [1, 2, 3],
            [4, 5, 6],
          ],
        ],
        call: (x) => sumTo(x!, [2, 1]),
        outputs: [[[6], [15]]],
      },
      {
        claim: "leading axes go away",
        inputs: [
          [
            [1, 2, 3],
            [4, 5, 6],
          ],
        ],
        call: (x) => sumTo(x!, [3]),
        outputs: [[5, 7, 9]],
      },
    ],
    cases: (
      [
        ["long rows, several threads each", [5, 131], [5, 1]],
        ["very long rows, in passes", [3, 5000], [3, 1]],
        ["short rows, a thread each", [150, 7], [150, 1]],
        ["columns", [77, 19], [1, 19]],
        ["long columns, in passes", [300, 3], [1, 3]],
        ["everything", [3, 5, 67], []],
        ["axes that are not neighbours", [7, 13, 11], [1, 13, 1]],
        ["leading axes and an inner one", [2, 3, 37, 4], [3, 1, 4]],
        ["axes of size 1", [1, 70, 1], [1, 1, 1]],
        ["few long sums in two steps", [2, 1, 160, 210], [2, 1, 1, 1]],
      ] as const
    ).map(([claim, from, to]) => ({
      claim,
      inputs: [{ shape: from }],
      call: (x?: Tensor) => sumTo(x!, to),
      smooth: true,
    })),
  },
};

/** `x` repeated along axes of size 1 until it has `shape`. Throws E101 if it does not fit. */
export function broadcastTo<D extends DType>(x: Tensor<D>, shape: readonly number[]): Tensor<D> {
  checkTensors("broadcastTo", { x });
  checkShape("broadcastTo", [x], shape);
  return sameShape(x.shape, shape) ? x : (apply(op, [x], { shape })[0] as Tensor<D>);
}

/**
 * `x` summed until it has `shape`: over the axes that `shape` does not have, and those where it has
 * size 1. Throws E101 if `shape` does not broadcast to that of `x`.
 */
export function sumTo<D extends DType>(x: Tensor<D>, shape: readonly number[]): Tensor<D> {
  checkTensors("sumTo", { x });
  checkShape("sumTo", [x], shape);
  if (sameShape(x.shape, shape)) return x;
  if (shape.length > x.shape.length) return apply(adjoint, [x], { shape })[0] as Tensor<D>;
  const parts = partsOf(x, shape);
  if (parts === undefined) return apply(adjoint, [x], { shape })[0] as Tensor<D>;
  const count = elements(shape);
  const apart = reshape(x as Tensor, [count, parts, elements(x.shape) / count / parts]);
  const some = reshape(sumTo(apart as Tensor, [count, parts, 1]), [count, parts]);
  return reshape(sumTo(some as Tensor, [count, 1]), shape) as Tensor as Tensor<D>;
}

/**
 * Into how many parts each sum is split, if it is: few long sums over the last axes would leave most
 * of a device idle, so they are summed in two steps.
 */
function partsOf(x: Tensor, shape: readonly number[]): number | undefined {
  const axes = summed(x, { shape });
  const first = axes[0]!;
  const areLast = x.shape.slice(first).every((n, i) => n === 1 || axes.includes(first + i));
  const extent = elements(x.shape) / elements(shape);
  if (!areLast || extent < 2 ** 15 || elements(shape) > 64) return undefined;
  for (let parts = 256; parts >= 8; parts--) if (extent % parts === 0) return parts;
  return undefined;
}

/** The axes that are summed over. */
function summed(x: { readonly shape: readonly number[] }, { shape }: Attrs): number[] {
  const lead = x.shape.length - shape.length;
  return x.shape
    .map((_, i) => i)
    .filter((i) => i < lead || (shape[i - lead] === 1 && x.shape[i] !== 1));
}
