/**
 * together(tensors): the same tensors, computed side by side by one kernel. Element ops that share
 * inputs and parts, such as a parameter's update and its moments, are then read and computed once.
 */
import {
  apply,
  bounded,
  elements,
  flatGroups,
  type KernelOp,
  refuse,
  sameShape,
  show,
  type Tensor,
  unflatten,
} from "../compiler/op.ts";
import { add } from "./add.ts";
import { mul } from "./mul.ts";
import { sub } from "./sub.ts";

export const op: KernelOp<null> = {
  name: "together",
  kind: "kernel",
  type: (inputs, _attrs, fail) => {
    for (const x of inputs)
      if (!sameShape(x.shape, inputs[0]!.shape))
        fail(
          `${show(inputs[0]!)} and ${show(x)} have different shapes`,
          "compute them apart, or broadcast one of them",
        );
    return inputs;
  },
  kernel: ({ k, inputs, outputs, profile }) => {
    const { shape } = inputs[0]!;
    const size = elements(shape);
    const threads = Math.min(64, profile.maxThreads);
    const { flat, groups } = flatGroups(k, Math.ceil(size / threads), profile);
    const i = k.let("i", flat.mul(threads).add(k.thread(0, threads)));
    k.if(i.lt(size), () => {
      const at = unflatten(shape, bounded(i, size - 1));
      const values = inputs.map((x) => k.let("value", x.at(...at)));
      for (const [j, value] of values.entries()) outputs[j]!.put(value, ...at);
    });
    return k.finish("together", [threads, 1, 1], groups);
  },
  oracle: (inputs) => inputs.map((x) => x.data),
  // One thread computes what its results share once, so on average each counts for its part.
  reads: (inputs) => 1 / inputs.length,
  work: () => 0,
  vjp: (cotangents) => cotangents,
  tests: {
    samples: [
      {
        inputs: [
          [1, 2],
          [10, 20],
        ],
        call: (a, b) => together([add(a!, b!), mul(a!, b!)]),
        outputs: [
          [11, 22],
          [10, 40],
        ],
      },
      {
        claim: "dtypes may differ, one tensor is enough",
        inputs: [[1, 2], { dtype: "bool", data: [0, 1] }],
        call: (a, b) => [...together([a!, b!]), ...together([sub(a!, 1)])],
        outputs: [[1, 2], { dtype: "bool", data: [0, 1] }, [0, 1]],
      },
    ],
    cases: [
      {
        claim: "three results that share a product",
        inputs: [{ shape: [5, 7, 9] }, { shape: [7, 1] }],
        call: (a, b) => {
          const product = mul(a!, b!);
          return together([product, mul(product, product), add(product, a!)]);
        },
        smooth: true,
      },
    ],
  },
};

/** Tensors of one shape, each of any dtype. Throws E101 where shapes differ. */
export function together(tensors: readonly Tensor[]): Tensor[] {
  if (tensors.length === 0) refuse("together", [], "there is nothing to compute", "give tensors");
  return apply(op, tensors, null);
}
