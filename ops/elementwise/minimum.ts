/** minimum(a, b): the smaller of two, with broadcasting. */
import type { ElementOp } from "../../compiler/op-kit.ts";
import { add } from "./add.ts";
import { cast } from "./cast.ts";
import { type Binary, binary, elementwiseOp } from "./elementwise.ts";
import { ge } from "./ge.ts";
import { gt } from "./gt.ts";
import { le } from "./le.ts";
import { lt } from "./lt.ts";
import { mul } from "./mul.ts";
import { sub } from "./sub.ts";

export const op: ElementOp<null> = elementwiseOp("minimum", {
  at: (_k, a, b) => a!.min(b!),
  // Where both are equal each gets half, as in PyTorch, and where one is NaN each gets all.
  vjp: (g, { inputs: [a, b] }) => {
    const loses = [
      add(cast(gt(a!, b!), "f32"), cast(ge(a!, b!), "f32")),
      add(cast(lt(a!, b!), "f32"), cast(le(a!, b!), "f32")),
    ];
    return loses.map((twice) => mul(g, sub(1, mul(twice, 0.5))));
  },
  takes: ["f32", "i32", "u32"],
  tests: {
    samples: [
      {
        inputs: [
          [1, 5],
          [3, -2],
        ],
        call: (a, b) => minimum(a!, b!),
        outputs: [[1, -2]],
      },
      {
        claim: "integers, against a number",
        inputs: [{ dtype: "i32", data: [-1, 4] }],
        call: (a) => minimum(a!, 0),
        outputs: [{ dtype: "i32", data: [-1, 0] }],
      },
    ],
    cases: [
      {
        claim: "a matrix against a row",
        inputs: [{ shape: [9, 17] }, { shape: [17] }],
        call: (a, b) => minimum(a!, b!),
        smooth: true,
      },
    ],
  },
});

export const minimum: Binary = binary(op);
