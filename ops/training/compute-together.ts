/**
 * computeTogether(tensors): the same tensors, computed side by side by one kernel. What those of
 * one shape share, such as a parameter's update and its moments, is then read and computed once;
 * others come along for nothing, where each would be a small kernel of its own.
 */
import {
  apply,
  bounded,
  checkList,
  elements,
  type KernelOp,
  portable,
  refuse,
  sameShape,
  type Tensor,
  unflatten,
} from "../../compiler/op-kit.ts";
import { add } from "../elementwise/add.ts";
import { mul } from "../elementwise/mul.ts";
import { sub } from "../elementwise/sub.ts";

export const op: KernelOp<null> = {
  name: "computeTogether",
  kind: "kernel",
  type: (inputs) => inputs,
  forms: [
    portable({
      kernel: ({ k, inputs, outputs, profile }) => {
        const most = Math.max(...inputs.map((x) => elements(x.shape)));
        const threads = Math.min(64, profile.maxThreads);
        const groups = Math.ceil(most / threads);
        const i = k.let("i", k.group(0, groups).mul(threads).add(k.thread(0, threads)));
        for (const numbers of byShape(inputs)) {
          const { shape } = inputs[numbers[0]!]!;
          const size = elements(shape);
          k.if(i.lt(size), () => {
            const at = unflatten(shape, bounded(i, size - 1));
            const values = numbers.map((n) => k.let("value", inputs[n]!.at(...at)));
            for (const [j, value] of values.entries()) outputs[numbers[j]!]!.put(value, ...at);
          });
        }
        return k.finish("computeTogether", [threads, 1, 1], [groups, 1, 1]);
      },
      // One thread computes what its results share once, so on average each counts for its part.
      reads: (input, { inputs }) =>
        1 / inputs.filter((x) => sameShape(x.shape, inputs[input]!.shape)).length,
    }),
  ],
  oracle: (inputs) => inputs.map((x) => x.data),
  // One thread computes what its results share once, so on average each counts for its part.
  spelled: 1,
  work: () => 0,
  vjp: (cotangents) => cotangents,
  tests: {
    samples: [
      {
        inputs: [
          [1, 2],
          [10, 20],
        ],
        call: (a, b) => computeTogether([add(a!, b!), mul(a!, b!)]),
        outputs: [
          [11, 22],
          [10, 40],
        ],
      },
      {
        claim: "dtypes may differ, one tensor is enough",
        inputs: [[1, 2], { dtype: "bool", data: [0, 1] }],
        call: (a, b) => [...computeTogether([a!, b!]), ...computeTogether([sub(a!, 1)])],
        outputs: [[1, 2], { dtype: "bool", data: [0, 1] }, [0, 1]],
      },
      {
        claim: "shapes may differ",
        inputs: [[1, 2, 3], [[4, 5]], [6, 7, 8]],
        call: (a, b, c) => computeTogether([a!, mul(b!, 2), add(a!, c!)]),
        outputs: [[1, 2, 3], [[8, 10]], [7, 9, 11]],
      },
    ],
    cases: [
      {
        claim: "three results that share a product",
        inputs: [{ shape: [5, 7, 9] }, { shape: [7, 1] }],
        call: (a, b) => {
          const product = mul(a!, b!);
          return computeTogether([product, mul(product, product), add(product, a!)]);
        },
        smooth: true,
      },
      {
        claim: "two shapes, of which the smaller one comes first",
        inputs: [{ shape: [70] }, { shape: [3, 90] }],
        call: (a, b) => computeTogether([mul(a!, a!), b!, add(a!, 1), mul(b!, 2)]),
        smooth: true,
      },
    ],
  },
};

/** The numbers of inputs of one shape, for each shape. */
function byShape(inputs: readonly { readonly shape: readonly number[] }[]): number[][] {
  const groups = new Map<string, number[]>();
  for (const [n, { shape }] of inputs.entries()) {
    const group = groups.get(shape.join());
    if (group) group.push(n);
    else groups.set(shape.join(), [n]);
  }
  return [...groups.values()];
}

/** The same tensors, of any shapes and dtypes. Throws E101 if there are none. */
export function computeTogether(tensors: readonly Tensor[]): Tensor[] {
  checkList("computeTogether", [], "what is to be computed", tensors);
  if (tensors.length === 0)
    refuse("computeTogether", [], "there is nothing to compute", "give tensors");
  return apply(op, tensors, null);
}
