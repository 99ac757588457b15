/** The sum of two cotangents of one tensor: the one op that differentiation itself needs. */
import { sameShape, show } from "../graph/tensor.ts";
import { always } from "../kernel/builder.ts";
import type { ElementOp } from "../op.ts";

export const sumOp: ElementOp<null> = {
  name: "accumulate",
  kind: "element",
  cost: 1,
  sums: true,
  type: ([a, b], _attrs, fail) => {
    if (!sameShape(a!.shape, b!.shape)) fail(`cotangents are ${show(a!)} and ${show(b!)}`);
    return [a!];
  },
  element: ({ inputs: [a, b], at }) => a!.at(...at).add(b!.at(...at)),
  push: ({ at }) => ({ at, where: always }),
  vjp: ([g]) => [g, g],
  tests: { samples: [{ inputs: [[1], [2]], call: (a) => a!, outputs: [[1]] }] },
};
