/**
 * The gradient kernels of attention in workgroup memory. A thread owns one row, of queries or of
 * keys, and keeps its sums; the rows of the other side are staged in tiles. Weights are made again
 * from scores and row statistics, so no score is ever stored, and no two threads add to one place.
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
  type Out,
  type Value,
  workgroups,
} from "../../compiler/op-kit.ts";
import {
  type BackwardAttrs,
  backwardOperands,
  keyValueReads,
  probability,
  queryReads,
  type Wanted,
} from "./backward-definition.ts";
import { addScaled, stage } from "./shared.ts";
import { shapeOf, sharedRows, stagedRows } from "./tiles.ts";

const zero = literal(0, "f32");

/** Rows of a workgroup, one per thread, and rows of the other side staged at a time. */
type GradientTile = {
  readonly rows: number;
  readonly staged: number;
};

export const sharedQueryForm = form<BackwardAttrs, GradientTile>({
  ...workgroups,
  tiles({ inputs, attrs, profile }) {
    const { queries, grid, depth, out } = shapeOf(inputs, attrs);
    const staged = stagedRows(grid[1], depth + out, profile);
    return [{ rows: sharedRows(queries, profile), staged }];
  },
  reads: ({ rows }, input, problem) =>
    queryReads(input, problem, {
      own: 1,
      walked: Math.ceil(problem.inputs[0]!.shape[2]! / rows),
    }),
  kernel: sharedQueryGradient,
});

export const sharedKeyValueForm = form<BackwardAttrs, GradientTile>({
  ...workgroups,
  tiles({ inputs, attrs, profile }) {
    const { queries, depth, out } = shapeOf(inputs, attrs);
    const staged = stagedRows(queries, depth + out, profile);
    return [{ rows: sharedRows(inputs[1]!.shape[2]!, profile), staged }];
  },
  reads: ({ rows }, input, problem) =>
    keyValueReads(input, problem, {
      own: 1,
      walked: Math.ceil(problem.inputs[1]!.shape[2]! / rows),
    }),
  kernel: sharedKeyValueGradient,
});

/** The port of each wanted result; nothing is computed for the others. */
export function wantedPorts(
  { wanted }: BackwardAttrs,
  outputs: readonly Out[],
): Partial<Record<Wanted, Out>> {
  return Object.fromEntries(wanted.map((name, i) => [name, outputs[i]!]));
}

/** One thread per query; keys and values are staged along the grid, row by row. */
function sharedQueryGradient(
  site: KernelSite<BackwardAttrs>,
  { rows: threads, staged: tile }: GradientTile,
): Kernel {
  const { k, inputs, outputs, attrs } = site;
  const { q, k: key, v, g, saved, bias, relative } = backwardOperands(inputs, attrs);
  const [batch, heads, queries, depth] = q.shape as [number, number, number, number];
  const [keys, out] = [v.shape[2]!, v.shape[3]!];
  const [rows, columns] = attrs.grid ?? [1, keys];
  const steps = Math.ceil(columns / tile);
  const groups: Kernel["groups"] = [Math.ceil(queries / threads), heads, batch];
  const wanted = wantedPorts(attrs, outputs);

  const [b, head] = [k.group(2, batch), k.group(1, heads)];
  const row = k.let("row", k.group(0, groups[0]).mul(threads).add(k.thread(0, threads)));
  const query = k.let("query", row.min(queries - 1));
  const own = hold(k, q, [b, head, query]);
  const cotangent = hold(k, g, [b, head, query]);
  const [most, logSum, delta] = [0, 1, 2].map((i) =>
    k.let("saved", saved.at(b, head, query, literal(i, "u32"))),
  );
  const sums = wanted.query && zeros(k, depth);
  const across = wanted.relative && zeros(k, columns);
  const [ks, vs] = [k.shared("keys", tile * depth), k.shared("values", tile * out)];

  k.for("y", rows, (y) => {
    const down = k.var("down", zero);
    k.for("step", steps, (step) => {
      const x0 = k.let("x0", step.mul(tile));
      const column = (j: Value) => x0.add(j).min(columns - 1);
      const place = (j: Value) => k.let("key", bounded(y.mul(columns).add(column(j)), keys - 1));
      stage(k, ks, tile, depth, threads, (j, d) => key.at(b, head, place(j), d));
      stage(k, vs, tile, out, threads, (j, d) => v.at(b, head, place(j), d));
      k.barrier();
      k.for("j", tile, (j) => {
        let score = product(k, own, ks, j).mul(attrs.scale);
        if (relative) {
          score = score.add(relative.at(b, head, query, y));
          score = score.add(relative.at(b, head, query, column(j).add(rows)));
        }
        if (bias) score = score.add(bias.at(b, head, query, place(j)));
        const weight = x0
          .add(j)
          .lt(columns)
          .select(probability(score, most!, logSum!), zero);
        const change = product(k, cotangent, vs, j).sub(delta!);
        const slope = k.let("slope", k.let("weight", weight).mul(change));
        if (sums) addScaled(k, sums, ks, j.mul(depth), slope);
        if (!across) return;
        down.set(down.get.add(slope));
        const at = k.let("column", column(j));
        k.store(across, at, k.load(across, at).add(slope));
      });
      // Nothing overwrites the last tile of all.
      if (rows * steps > 1) k.barrier();
    });
    k.if(row.lt(queries), () => {
      wanted.relative?.put(down.get, b, head, bounded(row, queries - 1), y);
    });
  });

  k.if(row.lt(queries), () => {
    const at = bounded(row, queries - 1);
    if (sums)
      k.for("d", depth, (d) => {
        wanted.query?.put(k.load(sums, d).mul(attrs.scale), b, head, at, d);
      });
    if (across)
      k.for("x", columns, (x) => {
        wanted.relative?.put(k.load(across, x), b, head, at, x.add(rows));
      });
  });
  return k.finish("attentionQueryGradient", [threads, 1, 1], groups);
}

/** One thread per key; queries and cotangents are staged. */
function sharedKeyValueGradient(
  site: KernelSite<BackwardAttrs>,
  { rows: threads, staged: tile }: GradientTile,
): Kernel {
  const { k, inputs, outputs, attrs } = site;
  const { q, k: key, v, g, saved, bias, relative } = backwardOperands(inputs, attrs);
  const [batch, heads, queries, depth] = q.shape as [number, number, number, number];
  const [keys, out] = [v.shape[2]!, v.shape[3]!];
  const [rows, columns] = attrs.grid ?? [1, keys];
  const steps = Math.ceil(queries / tile);
  const groups: Kernel["groups"] = [Math.ceil(keys / threads), heads, batch];
  const wanted = wantedPorts(attrs, outputs);

  const [b, head] = [k.group(2, batch), k.group(1, heads)];
  const row = k.let("row", k.group(0, groups[0]).mul(threads).add(k.thread(0, threads)));
  const place = k.let("key", row.min(keys - 1));
  const own = hold(k, key, [b, head, place]);
  const value = hold(k, v, [b, head, place]);
  const keySums = wanted.key && zeros(k, depth);
  const valueSums = wanted.value && zeros(k, out);
  const [qs, gs] = [k.shared("queries", tile * depth), k.shared("cotangents", tile * out)];

  k.for("step", steps, (step) => {
    const i0 = k.let("i0", step.mul(tile));
    const query = (i: Value) => k.let("query", i0.add(i).min(queries - 1));
    stage(k, qs, tile, depth, threads, (i, d) => q.at(b, head, query(i), d));
    stage(k, gs, tile, out, threads, (i, d) => g.at(b, head, query(i), d));
    k.barrier();
    k.for("i", tile, (i) => {
      const term = (at: Value) => relative!.at(b, head, query(i), at);
      let score = product(k, own, qs, i).mul(attrs.scale);
      if (relative) {
        score = score.add(term(k.let("y", place.div(columns))));
        score = score.add(term(k.let("x", place.mod(columns).add(rows))));
      }
      if (bias) score = score.add(bias.at(b, head, query(i), place));
      const [most, logSum, delta] = [0, 1, 2].map((n) =>
        saved.at(b, head, query(i), literal(n, "u32")),
      );
      const inside = i0.add(i).lt(queries);
      const weight = k.let("weight", inside.select(probability(score, most!, logSum!), zero));
      if (valueSums) addScaled(k, valueSums, gs, i.mul(out), weight);
      if (!keySums) return;
      const change = product(k, value, gs, i).sub(delta!);
      addScaled(k, keySums, qs, i.mul(depth), k.let("slope", weight.mul(change)));
    });
    // Nothing overwrites the last tile of all.
    if (steps > 1) k.barrier();
  });

  k.if(row.lt(keys), () => {
    const put = (port: Out | undefined, sums: Buffer | undefined, scale: number) => {
      if (!port || !sums) return;
      k.for("d", sums.size, (d) => {
        port.put(k.load(sums, d).mul(scale), b, head, bounded(row, keys - 1), d);
      });
    };
    put(wanted.key, keySums, attrs.scale);
    put(wanted.value, valueSums, 1);
  });
  return k.finish("attentionKeyValueGradient", [threads, 1, 1], groups);
}

/** One row of `x`, in an array of the thread's own. */
function hold(k: Builder, x: In, at: readonly Value[]): Buffer {
  const own = k.local("own", x.shape.at(-1)!);
  k.for("d", own.size, (d) => k.store(own, d, x.at(...at, d)));
  return own;
}

function zeros(k: Builder, size: number): Buffer {
  const sums = k.local("sums", size);
  k.for("d", size, (d) => k.store(sums, d, zero));
  return sums;
}

/** The product of an own row and row j of a tile. */
function product(k: Builder, own: Buffer, tile: Buffer, j: Value): Value {
  const sum = k.var("product", zero);
  const from = j.mul(own.size);
  k.for("d", own.size, (d) => sum.set(k.load(own, d).fma(k.load(tile, from.add(d)), sum.get)));
  return sum.get;
}
