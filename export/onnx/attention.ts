/**
 * Attention as segment-anything writes it: products, a softmax, and the relative terms, which are added
 * along rows and columns of the grid.
 */
import { op as attention } from "../../ops/attention/attention.ts";
import { extraAt, type Grid, operands } from "../../ops/attention/definition.ts";
import { op as gridLines } from "../../ops/attention/grid-lines.ts";
import { op as tableLines } from "../../ops/attention/table-lines.ts";
import type { Causal, Hiding } from "../../ops/attention/visible.ts";
import { taken } from "./products.ts";
import { type Entry, entry } from "./spelling.ts";
import type { OnnxWriter, Value } from "./writer.ts";

export const attentions: readonly Entry[] = [
  entry(attention, ({ w, node, x, wide, attrs }) => {
    // The bias and the mask broadcast, all others are matrices.
    const isNarrow = (i: number) => ["bias", "mask"].includes(extraAt(attrs, i) ?? "");
    const {
      q,
      k,
      v,
      bias,
      relative: terms,
      ...hiding
    } = operands(
      x.map((value, i) => (isNarrow(i) ? value : wide(i))),
      attrs,
    );
    const scaled = attrs.scale === 1 ? q : w.map("Mul", [q, w.number(attrs.scale)]);
    const products = w.product(scaled, w.transpose(k, [0, 1, 3, 2]));
    const placed = attrs.grid && terms ? relative(w, products, terms, attrs.grid) : products;
    const biased = bias ? w.map("Add", [placed, bias]) : placed;
    const isOfKeys = node.inputs[attrs.extras.indexOf("mask") + 3]?.shape[2] === 1;
    const { key, pair } = seen(w, hiding, isOfKeys, attrs.causal, products.shape);
    const none = Number.NEGATIVE_INFINITY;
    const scores = pair ? w.map("Where", [pair, biased, w.number(none)], "f32") : biased;
    const shares = w.emit("Softmax", [scores], "f32", scores.shape, { axis: { int: -1 } });
    const turned = key && w.reshape(key, [...key.shape.slice(0, -2), key.shape.at(-1)!, 1]);
    const known = turned ? w.map("Where", [turned, v, w.number(0)], "f32") : v;
    return [w.product(shares, known), statistics(w, scores)];
  }),
  entry(gridLines, ({ w, wide, attrs: { grid }, types: [type] }) => {
    const x = wide(0);
    const [rows, columns] = grid;
    const [, size, images, , depth] = type!.shape as [number, number, number, number, number];
    const places = Array.from({ length: 2 * size * size }, (_, i) => {
      const [line, place] = [Math.floor(i / size) % size, i % size];
      const [y, column] = i < size * size ? [line, place] : [place, line];
      return y < rows && column < columns ? y * columns + column : rows * columns;
    });
    // What a line has not is the zero behind the last place.
    const longer = rows === columns ? x : padBehind(w, x);
    const lines = taken(w, longer, 1, places, [2, size, size]);
    return w.reshape(w.transpose(lines, [1, 2, 0, 3, 4]), [2, size, images, size, depth]);
  }),
  entry(tableLines, ({ w, wide, attrs: { grid }, types: [type] }) => {
    const table = wide(0);
    const [, size] = type!.shape as [number, number];
    const numbers = Array.from({ length: 2 * size * size }, (_, i) => {
      const [which, from, to] = [
        Math.floor(i / size / size),
        Math.floor(i / size) % size,
        i % size,
      ];
      const row = from - to + grid[0] - 1 + which * (grid[0] + grid[1] - 1);
      return Math.min(Math.max(row, 0), table.shape[0]! - 1);
    });
    return taken(w, table, 0, numbers, [2, size, size]);
  }),
];

/**
 * Conditions as in a kernel (`ops/attention/visible.ts`): of keys [batch, heads, 1, keys], and of rows and
 * keys. A mask may be narrower.
 */
function seen(
  w: OnnxWriter,
  { mask, lengths }: Hiding<Value>,
  isOfKeys: boolean,
  causal: Causal | undefined,
  scores: readonly number[],
): { readonly key: Value | undefined; readonly pair: Value | undefined } {
  const [rows, keys] = scores.slice(2) as [number, number];
  const both = (...given: readonly (Value | undefined)[]) => {
    const there = given.filter((x) => x !== undefined);
    return there.length === 0 ? undefined : there.reduce((x, y) => w.map("And", [x, y]));
  };
  const places = w.constant("i64", [1, 1, 1, keys], range(keys));
  const wide = mask && w.reshape(mask, [1, 1, 1, 1, ...mask.shape].slice(-4));
  const exist =
    lengths &&
    w.map(
      "Less",
      [places, w.reshape(w.cast(lengths, "i64"), [lengths.shape[0]!, 1, 1, 1])],
      "bool",
    );
  const key = both(exist, isOfKeys ? wide : undefined);
  const behind =
    causal &&
    w.constant(
      "i64",
      [rows, 1],
      range(rows).map((r) => (r % causal.queries) + causal.offset),
    );
  const before = behind && w.map("LessOrEqual", [places, behind], "bool");
  return { key, pair: both(key, isOfKeys ? undefined : wide, before) };
}

/** Scores [batch, heads, queries, keys] with the terms [2, size, batch * heads, size, size]. */
function relative(w: OnnxWriter, scores: Value, terms: Value, [rows, columns]: Grid): Value {
  const images = scores.shape[0]! * scores.shape[1]!;
  const upTo = (x: Value, axis: number, size: number) =>
    x.shape[axis] === size ? x : taken(w, x, axis, range(size), [size]);
  const part = (which: number, [across, along]: Grid) => {
    const own = taken(w, terms, 0, [which], [1]);
    const inside = upTo(upTo(upTo(own, 1, across), 3, along), 4, across);
    return w.reshape(inside, [across, images, along, across]);
  };
  const down = w.transpose(part(0, [rows, columns]), [1, 0, 2, 3]);
  const across = w.transpose(part(1, [columns, rows]), [1, 2, 0, 3]);
  const lead = [images, rows, columns];
  const byRow = w.map("Add", [
    w.reshape(scores, [...lead, rows, columns]),
    w.reshape(down, [...lead, rows, 1]),
  ]);
  const both = w.map("Add", [byRow, w.reshape(across, [...lead, 1, columns])]);
  return w.reshape(both, scores.shape);
}

const range = (size: number): number[] => Array.from({ length: size }, (_, i) => i);

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

/** [images, places + 1, depth]: one place of zeros more. */
function padBehind(w: OnnxWriter, x: Value): Value {
  const [images, places, depth] = x.shape as [number, number, number];
  const zeros = w.constant("f32", [images, 1, depth], new Array(images * depth).fill(0));
  return w.emit("Concat", [x, zeros], "f32", [images, places + 1, depth], { axis: { int: 1 } });
}
