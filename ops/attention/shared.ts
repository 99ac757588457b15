/**
 * The kernel of attention: one thread per query row, keys and values staged in workgroup memory,
 * softmax kept up to date as tiles go by (online softmax), so that no score is ever stored.
 *
 * Keys are walked along the grid. The relative term of a grid row is then one number per query and
 * row, and that of the columns one small array per query: no table of scores for them either.
 */
import {
  type Buffer,
  type Builder,
  bounded,
  form,
  type In,
  type Kernel,
  type KernelSite,
  literal,
  type Value,
  workgroups,
} from "../../compiler/op-kit.ts";
import { type AttentionAttrs, levelOf, operands, putStatistics } from "./definition.ts";
import { type SharedAttentionTile, shapeOf, sharedAttentionTiles } from "./tiles.ts";

export const sharedForm = form<AttentionAttrs, SharedAttentionTile>({
  ...workgroups,
  tiles: ({ inputs, attrs, profile }) => sharedAttentionTiles(shapeOf(inputs, attrs), profile),
  reads(tile, input, { inputs, attrs }) {
    if (input === 0 || (attrs.hasBias && input === 3)) return 1;
    return Math.ceil(inputs[0]!.shape[2]! / tile.rows);
  },
  kernel: sharedAttention,
});

function sharedAttention(
  site: KernelSite<AttentionAttrs>,
  { rows: threads, keys: tile }: SharedAttentionTile,
): Kernel {
  const { k, inputs, outputs, attrs } = site;
  const { q, k: key, v, bias, height, width } = operands(inputs, attrs);
  const [batch, heads, queries, depth] = q.shape as [number, number, number, number];
  const [keys, out] = [v.shape[2]!, v.shape[3]!];
  const [rows, columns] = attrs.grid ?? [1, keys];
  const groups: Kernel["groups"] = [Math.ceil(queries / threads), heads, batch];

  const t = k.thread(0, threads);
  const [b, head] = [k.group(2, batch), k.group(1, heads)];
  const row = k.let("row", k.group(0, groups[0]).mul(threads).add(t));
  const query = k.let("query", row.min(queries - 1));
  const own = k.local("own", depth);
  const sums = k.local("sums", out);
  k.for("d", depth, (d) => k.store(own, d, q.at(b, head, query, d)));
  k.for("d", out, (d) => k.store(sums, d, literal(0, "f32")));
  const dot = (at: (d: Value) => Value): Value => {
    const sum = k.var("dot", literal(0, "f32"));
    k.for("d", depth, (d) => sum.set(k.load(own, d).fma(at(d), sum.get)));
    return sum.get;
  };
  const across = width && columnTerms(k, width, query, columns, dot);
  const most = k.var("most", literal(Number.NEGATIVE_INFINITY, "f32"));
  const total = k.var("total", literal(0, "f32"));
  const [ks, vs] = [k.shared("keys", tile * depth), k.shared("values", tile * out)];
  const scores = k.local("scores", tile);
  const steps = Math.ceil(columns / tile);

  k.for("y", rows, (y) => {
    const down = height && rowTerm(k, height, query, y, rows, columns, dot);
    k.for("step", steps, (step) => {
      const x0 = k.let("x0", step.mul(tile));
      const place = (j: Value) => bounded(y.mul(columns).add(x0.add(j).min(columns - 1)), keys - 1);
      stage(k, ks, tile, depth, threads, (j, d) => key.at(b, head, k.let("key", place(j)), d));
      stage(k, vs, tile, out, threads, (j, d) => v.at(b, head, k.let("key", place(j)), d));
      k.barrier();
      const high = k.var("high", most.get);
      k.for("j", tile, (j) => {
        let score = dot((d) => k.load(ks, j.mul(depth).add(d))).mul(attrs.scale);
        if (down) score = score.add(down);
        if (across) score = score.add(k.load(across, x0.add(j).min(columns - 1)));
        if (bias) score = score.add(bias.at(b, head, query, k.let("key", place(j))));
        const inside = x0.add(j).lt(columns);
        k.store(scores, j, inside.select(score, Number.NEGATIVE_INFINITY));
        // The largest of what is stored, not of what was computed: weights are at most 1 however large scores are.
        high.set(high.get.maxnum(k.load(scores, j)));
      });
      const level = k.let("level", levelOf(high.get));
      const shrink = k.let("shrink", most.get.sub(level).exp());
      total.set(total.get.mul(shrink));
      k.for("d", out, (d) => k.store(sums, d, k.load(sums, d).mul(shrink)));
      k.for("j", tile, (j) => {
        const weight = k.let("weight", k.load(scores, j).sub(level).exp());
        total.set(total.get.add(weight));
        addScaled(k, sums, vs, j.mul(out), weight);
      });
      most.set(high.get);
      // Nothing overwrites the last tile of all.
      if (rows * steps > 1) k.barrier();
    });
  });

  k.if(row.lt(queries), () => {
    const inverse = k.let("inverse", literal(1, "f32").div(total.get));
    k.for("d", out, (d) => {
      outputs[0]!.put(k.load(sums, d).mul(inverse), b, head, bounded(row, queries - 1), d);
    });
    putStatistics(outputs, most.get, total.get, [b, head, bounded(row, queries - 1)]);
  });
  return k.finish("attention", [threads, 1, 1], groups);
}

/** sums += weight * values[offset...] */
export function addScaled(
  k: Builder,
  sums: Buffer,
  values: Buffer,
  offset: Value,
  weight: Value,
): void {
  k.for("d", sums.size, (d) => {
    k.store(sums, d, weight.fma(k.load(values, offset.add(d)), k.load(sums, d)));
  });
}

type Dot = (at: (d: Value) => Value) => Value;

/** <q, width[x_q - x + W - 1]> for every column x. */
function columnTerms(k: Builder, table: In, query: Value, columns: number, dot: Dot): Buffer {
  const terms = k.local("columns", columns);
  const x = k.let("column", query.mod(columns));
  k.for("x", columns, (other) => {
    const at = k.let("at", x.add(columns - 1).sub(other));
    k.store(
      terms,
      other,
      dot((d) => table.at(bounded(at, 2 * columns - 2), d)),
    );
  });
  return terms;
}

/** <q, height[y_q - y + H - 1]> for one grid row y. */
function rowTerm(
  k: Builder,
  table: In,
  query: Value,
  y: Value,
  rows: number,
  columns: number,
  dot: Dot,
): Value {
  const at = k.let(
    "at",
    query
      .div(columns)
      .add(rows - 1)
      .sub(y),
  );
  return k.let(
    "down",
    dot((d) => table.at(bounded(at, 2 * rows - 2), d)),
  );
}

/** All threads copy `count` rows of `size` numbers into workgroup memory. */
export function stage(
  k: Builder,
  to: Buffer,
  count: number,
  size: number,
  threads: number,
  at: (row: Value, d: Value) => Value,
): void {
  k.for("part", Math.ceil((count * size) / threads), (part) => {
    const e = k.let("e", part.mul(threads).add(k.thread(0, threads)));
    k.if(e.lt(count * size), () => {
      const inside = bounded(e, count * size - 1);
      k.store(to, e, at(inside.div(size), inside.mod(size)));
    });
  });
}
