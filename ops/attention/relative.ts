/**
 * SAM's decomposed relative positions (segment-anything, `image_encoder.py`, `add_decomposed_rel_pos`):
 * queries and keys lie on one grid, and the score of a query at (y, x) and a key at (y', x') gains
 * <q, height[y - y' + rows - 1]> + <q, width[x - x' + columns - 1]>, with the unscaled q. These terms are
 * computed in front of attention, by one product.
 */
import type { Tensor } from "../../compiler/op-kit.ts";
import { add } from "../elementwise/add.ts";
import { matmul, transpose } from "../matmul/matmul.ts";
import { concat } from "../views/concat.ts";
import { permute } from "../views/permute.ts";
import { reshape } from "../views/reshape.ts";
import { slice } from "../views/slice.ts";
import { stack } from "../views/stack.ts";
import { type Grid, sizeOf } from "./definition.ts";
import { gridLines } from "./grid-lines.ts";
import { tableLines } from "./table-lines.ts";

/**
 * q [batch, heads, rows * columns, depth], height [2 rows - 1, depth], width [2 columns - 1, depth] ->
 * [2, size, batch * heads, size, size], size the longer side: of the queries in every row, then in every
 * column, the terms of the rows, then of the columns. A key's two terms add up to its share of the score.
 */
export function relativeTerms(q: Tensor, height: Tensor, width: Tensor, grid: Grid): Tensor {
  const [batch, heads, queries, depth] = q.shape as [number, number, number, number];
  const [images, size] = [batch * heads, sizeOf(grid)];
  // Queries of one line share the same rows of the table, whatever their image, head and place in it.
  const lines = gridLines(reshape(q, [images, queries, depth]), grid);
  const tables = transpose(tableLines(joined(height, width), grid));
  const products = matmul(reshape(lines, [2, size, images * size, depth]) as Tensor, tables);
  return reshape(products, [2, size, images, size, size]) as Tensor;
}

/** Both tables, one after the other. Parameters of one shape lie so in memory. */
const joined = (height: Tensor, width: Tensor): Tensor =>
  height.shape[0] === width.shape[0]
    ? (reshape(stack([height, width]), [2 * height.shape[0]!, height.shape[1]!]) as Tensor)
    : concat([height, width], 0);

/** What the scores [batch, heads, rows, keys] gain from the terms. */
export function relativeShares(terms: Tensor, grid: Grid, scores: readonly number[]): Tensor {
  const [rows, columns] = grid;
  const lead = scores.slice(0, 3);
  const byQuery = termsByQuery(terms, grid);
  const down = slice(byQuery, [[], [], [0, rows]]);
  const across = slice(byQuery, [[], [], [rows, rows + columns]]);
  const sums = add(
    reshape(down, [...lead, rows, 1]) as Tensor,
    reshape(across, [...lead, 1, columns]) as Tensor,
  );
  return reshape(sums as Tensor, scores) as Tensor;
}

/** The terms by query: [images, queries, rows + columns]. */
export function termsByQuery(terms: Tensor, [rows, columns]: Grid): Tensor {
  const images = terms.shape[2]!;
  const part = (which: number, [across, along]: Grid, turned: readonly number[]): Tensor => {
    const own = slice(terms, [[which, which + 1], [0, across], [], [0, along], [0, across]]);
    const ordered = permute(reshape(own, [across, images, along, across]) as Tensor, turned);
    return reshape(ordered, [images, rows * columns, across]) as Tensor;
  };
  return concat(
    [part(0, [rows, columns], [1, 0, 2, 3]), part(1, [columns, rows], [1, 2, 0, 3])],
    -1,
  );
}
