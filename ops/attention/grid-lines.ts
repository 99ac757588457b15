/**
 * gridLines(x, grid): all rows of a grid, then all its columns, as lines of one length: the longer side.
 * What a line has not is 0. Queries in one line share what they are multiplied with (`relative.ts`).
 */
import {
  apply,
  bounded,
  type ElementOp,
  literal,
  show,
  type Tensor,
} from "../../compiler/op-kit.ts";
import { add } from "../elementwise/add.ts";
import { permute } from "../views/permute.ts";
import { reshape } from "../views/reshape.ts";
import { slice } from "../views/slice.ts";
import type { Grid } from "./definition.ts";

interface Attrs {
  readonly grid: Grid;
}

export const op: ElementOp<Attrs> = {
  name: "gridLines",
  kind: "element",
  cost: 0,
  type: ([x], { grid: [rows, columns] }, fail) => {
    if (x!.dtype !== "f32" || x!.shape.length !== 3 || x!.shape[1] !== rows * columns)
      fail(`${show(x!)} is not f32[images, ${rows} * ${columns}, depth]`);
    const size = Math.max(rows, columns);
    return [{ dtype: "f32", shape: [2, size, x!.shape[0]!, size, x!.shape[2]!] }];
  },
  element: ({ k, inputs: [x], at: [which, line, image, place, d], attrs: { grid } }) => {
    const [rows, columns] = grid;
    const isRow = k.let("isRow", which!.eq(0));
    const y = k.let("y", isRow.select(line!, place!));
    const column = k.let("x", isRow.select(place!, line!));
    const at = y
      .min(rows - 1)
      .mul(columns)
      .add(column.min(columns - 1));
    const value = x!.at(image!, k.let("at", bounded(at, rows * columns - 1)), d!);
    return y.lt(rows).and(column.lt(columns)).select(value, literal(0, "f32"));
  },
  vjp: ([g], { inputs: [x], attrs: { grid } }) => {
    const [rows, columns] = grid;
    const [images, , depth] = x!.shape as [number, number, number];
    const part = (which: number, [across, along]: Grid, turned: readonly number[]): Tensor => {
      const own = slice(g!, [[which, which + 1], [0, across], [], [0, along]]);
      const ordered = permute(reshape(own, [across, images, along, depth]) as Tensor, turned);
      return reshape(ordered, x!.shape) as Tensor;
    };
    const ofRows = part(0, [rows, columns], [1, 0, 2, 3]);
    return [add(ofRows, part(1, [columns, rows], [1, 2, 0, 3]))];
  },
  note: ({ grid }) => grid.join(" x "),
  tests: {
    samples: [
      {
        claim: "two rows and then three columns, filled up with zeros",
        inputs: [[[[1], [2], [3], [4], [5], [6]]]],
        call: (x) => gridLines(x!, [2, 3]),
        outputs: [
          [
            [[[[1], [2], [3]]], [[[4], [5], [6]]], [[[0], [0], [0]]]],
            [[[[1], [4], [0]]], [[[2], [5], [0]]], [[[3], [6], [0]]]],
          ],
        ],
      },
    ],
    cases: [
      {
        claim: "several images on a square",
        inputs: [{ shape: [2, 9, 4] }],
        call: (x) => gridLines(x!, [3, 3]),
        smooth: true,
      },
      {
        claim: "more rows than columns",
        inputs: [{ shape: [2, 10, 3] }],
        call: (x) => gridLines(x!, [5, 2]),
        smooth: true,
      },
    ],
  },
};

/** x [images, rows * columns, depth] -> [2, size, images, size, depth], size the larger of both sides. */
export const gridLines = (x: Tensor, grid: Grid): Tensor => apply(op, [x], { grid })[0]!;
