/**
 * gather(table, ids): rows of a table by number: an embedding. Ids outside the table are clamped
 * to it, so that no read leaves it.
 */
import {
  apply,
  bounded,
  type DType,
  type ElementOp,
  elements,
  gradient,
  type Tensor,
  type Value,
} from "../../compiler/op-kit.ts";
import { cast } from "../elementwise/cast.ts";
import { eq } from "../elementwise/eq.ts";
import { full } from "../elementwise/full.ts";
import { iota } from "../elementwise/iota.ts";
import { maximum } from "../elementwise/maximum.ts";
import { minimum } from "../elementwise/minimum.ts";
import { matmul } from "../matmul/matmul.ts";
import { reshape } from "./reshape.ts";

export const op: ElementOp<null> = {
  name: "gather",
  kind: "element",
  cost: 2,
  type: ([table, ids], _attrs, fail) => {
    if (table!.shape.length === 0) fail("the table has rank 0", "its first axis is what ids count");
    if (ids!.dtype !== "i32" && ids!.dtype !== "u32")
      fail(`ids are ${ids!.dtype}`, 'they are whole numbers: cast(ids, "i32")');
    return [{ dtype: table!.dtype, shape: [...ids!.shape, ...table!.shape.slice(1)] }];
  },
  element: ({ k, inputs: [table, ids], at }) => {
    const rank = ids!.shape.length;
    const id = ids!.at(...at.slice(0, rank));
    const row = k.let("row", clamped(id, table!.shape[0]!));
    return table!.at(row, ...at.slice(rank));
  },
  vjp: ([g], { inputs: [table, ids] }) => {
    const [rows, count] = [table!.shape[0]!, elements(ids!.shape)];
    const width = elements(table!.shape.slice(1));
    // [count, rows]: 1 where that row was read. Its transpose times g adds up what each row gets.
    const all: Tensor = reshape(ids!, [count, 1]);
    const natural = all.dtype === "u32" ? all : maximum(all, 0);
    const inside = cast(minimum(natural, rows - 1), "i32");
    const chosen = cast(eq(inside, iota([1, rows], 1)), "f32");
    const flat = matmul(chosen, reshape(g!, [count, width]) as Tensor<"f32">, {
      transpose: "left",
    });
    return [reshape(flat as Tensor, table!.shape), undefined];
  },
  tests: {
    samples: [
      {
        inputs: [
          [
            [1, 2],
            [3, 4],
            [5, 6],
          ],
          { dtype: "i32", data: [2, 0, 2] },
        ],
        call: (table, ids) => gather(table!, ids!),
        outputs: [
          [
            [5, 6],
            [1, 2],
            [5, 6],
          ],
        ],
      },
      {
        claim: "ids outside the table are clamped",
        inputs: [[[1], [2], [3]], { dtype: "i32", data: [-5, 3, 1000] }],
        call: (table, ids) => gather(table!, ids!),
        outputs: [[[1], [3], [3]]],
      },
      {
        claim: "a table of numbers, and unsigned ids in a matrix",
        inputs: [
          [10, 20, 30],
          {
            dtype: "u32",
            data: [
              [1, 1],
              [0, 2],
            ],
          },
        ],
        call: (table, ids) => gather(table!, ids!),
        outputs: [
          [
            [20, 20],
            [10, 30],
          ],
        ],
      },
      {
        claim: "the last row has the gradients of all ids beyond it, unsigned ones too",
        inputs: [[1, 2, 3], { dtype: "u32", data: [0, 4294967295, 2147483648] }],
        call: (table, ids) =>
          gradient([gather(table!, ids!)], [full(1, [3]) as unknown as Tensor], [table!])[0]!,
        outputs: [[1, 0, 2]],
      },
    ],
    cases: [
      {
        claim: "ids in two axes, some of them outside",
        inputs: [{ shape: [9, 5] }, { shape: [3, 7], dtype: "i32", range: [-2, 10] }],
        call: (table, ids) => gather(table!, ids!),
        smooth: true,
      },
      {
        claim: "rows of rank two",
        inputs: [{ shape: [4, 3, 5] }, { shape: [11], dtype: "i32", range: [0, 3] }],
        call: (table, ids) => gather(table!, ids!),
        smooth: true,
      },
    ],
  },
};

/** Rows `ids` (any shape, i32 or u32) of a table [rows, ...]: [...ids, ...]. Throws E101. */
export function gather<D extends DType>(table: Tensor<D>, ids: Tensor): Tensor<D> {
  return apply(op, [table, ids], null)[0] as Tensor<D>;
}

function clamped(id: Value, rows: number): Value {
  const natural = id.type === "u32" ? id : id.max(0).cast("u32");
  return bounded(natural.min(rows - 1), rows - 1);
}
