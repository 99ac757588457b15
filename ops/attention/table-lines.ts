/**
 * tableLines(table, grid): the rows of two joined tables of relative positions that pairs of places in a
 * line have: those of differences along the rows' table, then along the columns'. What `gather` does with
 * numbers known beforehand, and so a view.
 */
import {
  apply,
  bounded,
  type ElementOp,
  gradient,
  show,
  type Tensor,
} from "../../compiler/op-kit.ts";
import { add } from "../elementwise/add.ts";
import { iota } from "../elementwise/iota.ts";
import { mul } from "../elementwise/mul.ts";
import { sub } from "../elementwise/sub.ts";
import { gather } from "../views/gather.ts";
import { type Grid, sizeOf } from "./definition.ts";

interface Attrs {
  readonly grid: Grid;
}

export const op: ElementOp<Attrs> = {
  name: "tableLines",
  kind: "element",
  cost: 0,
  type: ([table], { grid: [rows, columns] }, fail) => {
    const count = 2 * (rows + columns - 1);
    if (table!.dtype !== "f32" || table!.shape.length !== 2 || table!.shape[0] !== count)
      fail(`${show(table!)} is not f32[${count}, depth]`);
    const size = sizeOf([rows, columns]);
    return [{ dtype: "f32", shape: [2, size, size, table!.shape[1]!] }];
  },
  element: ({ k, inputs: [table], at: [which, from, to, d], attrs: { grid } }) => {
    const [rows, columns] = grid;
    const last = table!.shape[0]! - 1;
    const high = from!.add(which!.mul(rows + columns - 1)).add(rows - 1);
    // Places beyond the shorter side have rows of their own, which nobody asks for.
    const whole = rows === columns ? high.sub(to!) : high.max(to!).sub(to!).min(last);
    return table!.at(k.let("row", bounded(whole, last)), d!);
  },
  vjp: ([g], { inputs: [table], attrs: { grid } }) =>
    gradient([gather(table!, differences(grid))], [g!], [table!]),
  note: ({ grid }) => grid.join(" x "),
  tests: {
    samples: [
      {
        claim: "differences of two places, of both tables",
        inputs: [[[1], [2], [3], [4], [5], [6]]],
        call: (table) => tableLines(table!, [2, 2]),
        outputs: [
          [
            [
              [[2], [1]],
              [[3], [2]],
            ],
            [
              [[5], [4]],
              [[6], [5]],
            ],
          ],
        ],
      },
    ],
    cases: [
      {
        claim: "what gather gives, on a square",
        inputs: [{ shape: [10, 3] }],
        call: (table) => sub(tableLines(table!, [3, 3]), gather(table!, differences([3, 3]))),
        smooth: true,
      },
      {
        claim: "more columns than rows",
        inputs: [{ shape: [12, 2] }],
        call: (table) => tableLines(table!, [2, 5]),
        smooth: true,
      },
      {
        claim: "more rows than columns",
        inputs: [{ shape: [12, 2] }],
        call: (table) => tableLines(table!, [5, 2]),
        smooth: true,
      },
    ],
  },
};

/** table [2 (rows + columns - 1), depth] -> [2, size, size, depth], size the longer side. */
export const tableLines = (table: Tensor, grid: Grid): Tensor => apply(op, [table], { grid })[0]!;

/** [2, size, size]: of two places in a line the row of the joined tables that their difference has. */
export function differences([rows, columns]: Grid): Tensor {
  const size = sizeOf([rows, columns]);
  const along = (axis: number): Tensor => iota([2, size, size], axis);
  const difference: Tensor = sub(along(1), along(2));
  return add(add(difference, mul(along(0), rows + columns - 1)), rows - 1) as Tensor;
}
