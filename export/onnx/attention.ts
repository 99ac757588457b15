/**
 * Attention as segment-anything writes it: products, a softmax, and the decomposed relative
 * positions as two more products whose results are added along rows and columns of the grid.
 */
import { op as attention } from "../../ops/attention/attention.ts";
import { type Grid, operands } from "../../ops/attention/definition.ts";
import { taken } from "./products.ts";
import { type Entry, entry } from "./spelling.ts";
import type { OnnxWriter, Value } from "./writer.ts";

export const attentions: readonly Entry[] = [
  entry(attention, ({ w, x, wide, attrs }) => {
    const { q, k, v, bias, height, width } = operands(
      // The bias broadcasts, all others are matrices.
      x.map((value, i) => (attrs.hasBias && i === 3 ? value : wide(i))),
      attrs,
    );
    const scaled = attrs.scale === 1 ? q : w.map("Mul", [q, w.number(attrs.scale)]);
    const products = w.product(scaled, w.transpose(k, [0, 1, 3, 2]));
    const placed =
      attrs.grid && height && width
        ? relative(w, products, { q, height, width, grid: attrs.grid })
        : products;
    const scores = bias ? w.map("Add", [placed, bias]) : placed;
    const shares = w.emit("Softmax", [scores], "f32", scores.shape, { axis: { int: -1 } });
    return [w.product(shares, v), statistics(w, scores)];
  }),
];

interface Relative {
  readonly q: Value;
  readonly height: Value;
  readonly width: Value;
  readonly grid: Grid;
}

/** Scores [batch, heads, queries, keys] with the relative terms. */
function relative(w: OnnxWriter, scores: Value, { q, height, width, grid }: Relative): Value {
  const [rows, columns] = grid;
  const [batch, heads, , depth] = q.shape as [number, number, number, number];
  const onGrid = w.reshape(q, [batch * heads, rows, columns, depth]);
  // [heads of all images, query row, query column, key row]
  const down = w.product(onGrid, tableOf(w, height, rows));
  const turned = w.product(w.transpose(onGrid, [0, 2, 1, 3]), tableOf(w, width, columns));
  // [heads of all images, query row, query column, key column]
  const across = w.transpose(turned, [0, 2, 1, 3]);
  const lead = [batch * heads, rows, columns];
  const byRow = w.map("Add", [
    w.reshape(scores, [...lead, rows, columns]),
    w.reshape(down, [...lead, rows, 1]),
  ]);
  const both = w.map("Add", [byRow, w.reshape(across, [...lead, 1, columns])]);
  return w.reshape(both, scores.shape);
}

/** [size, depth, size]: of query i and key j the row i - j + size - 1 of the table. */
function tableOf(w: OnnxWriter, table: Value, size: number): Value {
  const differences = Array.from(
    { length: size * size },
    (_, i) => Math.floor(i / size) - (i % size) + size - 1,
  );
  return w.transpose(taken(w, table, 0, differences, [size, size]), [0, 2, 1]);
}

/** The logarithm of the summed exponentials of each row, relative to the largest. */
function statistics(w: OnnxWriter, scores: Value): Value {
  const lead = scores.shape.slice(0, -1);
  const row = [...lead, 1];
  const axes = w.list([-1]);
  const most = w.emit("ReduceMax", [scores, axes], "f32", row, { keepdims: { int: 1 } });
  const exponentials = w.map("Exp", [w.map("Sub", [scores, most])]);
  const sum = w.emit("ReduceSum", [exponentials, axes], "f32", row, { keepdims: { int: 1 } });
  return w.reshape(w.map("Add", [w.map("Log", [sum]), most]), lead);
}
