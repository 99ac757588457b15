/**
 * selectPositive(flag, yes, no): `yes` where the number `flag` is above 0, else `no`: a choice, not a
 * product, so that what is not chosen leaves no trace, be it NaN. For flags that a table of numbers
 * holds.
 */
import type { ElementOp, Tensor } from "../../compiler/op-kit.ts";
import { add } from "./add.ts";
import { applyElementwise, elementwiseOp } from "./elementwise.ts";
import { gt } from "./gt.ts";
import { where } from "./where.ts";

export const op: ElementOp<null> = elementwiseOp("selectPositive", {
  at: (_k, flag, yes, no) => flag!.gt(0).select(yes!, no!),
  vjp: (g, { inputs: [flag] }) => {
    const open = gt(flag!, 0);
    return [undefined, where(open, g, 0), where(open, 0, g)];
  },
  tests: {
    samples: [
      {
        claim: "what is not chosen leaves no trace",
        inputs: [
          [1, 0, -1],
          [2, Number.NaN, 4],
          [Infinity, 6, 7],
        ],
        call: (flag, yes, no) => selectPositive(flag!, yes!, no!),
        outputs: [[2, 6, 7]],
      },
    ],
    cases: [
      {
        claim: "a column of flags opens rows",
        inputs: [{ shape: [9, 1] }, { shape: [9, 7] }, { shape: [7] }],
        call: (flag, yes, no) => selectPositive(flag!, add(yes!, no!), no!),
        smooth: true,
      },
    ],
  },
});

/** All three are f32 and broadcast; either side may be a number. Throws E101. */
export const selectPositive = (
  flag: Tensor,
  yes: Tensor | number,
  no: Tensor | number,
): Tensor<"f32"> => applyElementwise(op, [flag, yes, no]) as Tensor<"f32">;
