/**
 * The attention kernel of subgroup devices: a workgroup is one subgroup, each lane owns a few query
 * rows, and no memory is shared.
 *
 * A tile of keys is read with one key per lane and broadcast from lane to lane; so are the tables of
 * relative positions, and the values with four channels per lane. Softmax is kept up to date from
 * tile to tile (online softmax), so that no score is ever stored.
 */
import {
  type Buffer,
  type Builder,
  bounded,
  index,
  type Kernel,
  type KernelSite,
  literal,
  type Value,
  type Variable,
} from "../compiler/op.ts";
import { type AttentionAttrs, operands } from "./attention-shared.ts";
import { pairwise, range } from "./pairwise.ts";

const least = -1e30;

/** Query rows per lane: more of them reuse a key more often, and take longer to compile. */
export const rowsPerLane = (queries: number, width: number): number =>
  queries <= 2 * width ? 1 : queries <= 12 * width ? 2 : 4;

/** Keys per tile: at most sixteen, in equal steps of a grid row. */
const keyTile = (columns: number): number => Math.ceil(columns / Math.ceil(columns / 16));

export function subgroupAttention(site: KernelSite<AttentionAttrs>): Kernel {
  const { k, inputs, outputs, attrs, profile } = site;
  const { q, k: key, v, bias, height, width: acrossTable } = operands(inputs, attrs);
  const [batch, heads, queries, depth] = q.shape as [number, number, number, number];
  const [keys, out] = [v.shape[2]!, v.shape[3]!];
  const [rows, columns] = attrs.grid ?? [1, keys];
  const width = profile.subgroup;
  const count = rowsPerLane(queries, width);
  const tile = keyTile(columns);
  const groups: Kernel["groups"] = [Math.ceil(queries / (width * count)), heads, batch];

  const [b, head] = [k.group(2, batch), k.group(1, heads)];
  const lane = k.lane(width);
  const stride = width * count;
  const first = k.let("first", k.group(0, groups[0]).mul(stride).add(lane));
  const own = range(count, (r) => k.let("query", first.add(r * width).min(queries - 1)));
  const lanes: Lanes = { k, width, lane, depth, query: (r, d) => q.at(b, head, own[r]!, d) };
  const relative: Relative = {
    down: height && tableTerms(lanes, count, 2 * rows - 1, (i, d) => height.at(i, d)),
    across:
      acrossTable && tableTerms(lanes, count, 2 * columns - 1, (i, d) => acrossTable.at(i, d)),
    rows,
    columns,
  };
  const states = own.map(() => runningSoftmax(k, out));
  const weights = k.local("weights", tile * count);

  k.for("y", rows, (y) => {
    const rowTerms = own.map((query, r) => rowTerm(k, relative, query, r, y));
    k.for("step", Math.ceil(columns / tile), (step) => {
      const x0 = k.let("x0", step.mul(tile));
      const place = (j: Value | number) =>
        bounded(y.mul(columns).add(x0.add(j).min(columns - 1)), keys - 1);
      const scores = products(lanes, count, tile, (j, d) => key.at(b, head, place(j), d));
      own.forEach((query, r) => {
        const final = scores.map((row, j) => {
          const terms = [
            row[r]!.get.mul(attrs.scale),
            rowTerms[r],
            columnTerm(k, relative, query, r, x0.add(j)),
            bias?.at(b, head, query, place(j)),
          ];
          const score = terms.filter((t) => t !== undefined).reduce((x, z) => x.add(z));
          return k.let("score", x0.add(j).lt(columns).select(score, literal(least, "f32")));
        });
        weigh(k, states[r]!, final).forEach((weight, j) => {
          k.store(weights, j * count + r, weight);
        });
      });
      const sums = states.map((s) => s.sums);
      addValues(lanes, sums, weights, tile, (j, d) => v.at(b, head, k.let("key", place(j)), d));
    });
  });

  const held = k.local("held", count * out);
  states.forEach(({ total, sums }, r) => {
    const inverse = k.let("inverse", literal(1, "f32").div(total.get));
    sums.forEach((sum, d) => {
      k.store(held, r * out + d, sum.get.mul(inverse));
    });
  });
  k.for("i", count * out, (i) => {
    const query = k.let("query", first.add(i.div(out).mul(width)));
    k.if(query.lt(queries), () => {
      outputs[0]!.put(k.load(held, i), b, head, bounded(query, queries - 1), i.mod(out));
    });
  });
  return k.finish("attention", [width, 1, 1], groups);
}

/** The softmax of one query row over the keys seen so far. */
interface Running {
  readonly most: Variable;
  readonly total: Variable;
  /** The weighted sum of values, one per channel. */
  readonly sums: readonly Variable[];
}

const runningSoftmax = (k: Builder, out: number): Running => ({
  most: k.var("most", literal(least, "f32")),
  total: k.var("total", literal(0, "f32")),
  sums: range(out, () => k.var("sum", literal(0, "f32"))),
});

/** Takes a tile's scores into the softmax; returns the weights of the tile's values. */
function weigh(k: Builder, { most, total, sums }: Running, scores: readonly Value[]): Value[] {
  const high = k.let("high", most.get.max(pairwise(scores, (x, z) => x.max(z))));
  const shrink = k.let("shrink", most.get.sub(high).exp());
  most.set(high);
  const weights = scores.map((score) => k.let("weight", score.sub(high).exp()));
  total.set(total.get.mul(shrink).add(pairwise(weights)));
  for (const sum of sums) sum.set(sum.get.mul(shrink));
  return weights;
}

/** <q, table row> for all rows of both tables, per own query; undefined without them. */
interface Relative {
  readonly down: Buffer | undefined;
  readonly across: Buffer | undefined;
  readonly rows: number;
  readonly columns: number;
}

function rowTerm(k: Builder, { down, rows, columns }: Relative, query: Value, r: number, y: Value) {
  if (!down) return undefined;
  const top = k.let("top", query.div(columns).add(rows - 1));
  return k.let("down", k.load(down, top.sub(y).add(r * (2 * rows - 1))));
}

function columnTerm(k: Builder, { across, columns }: Relative, query: Value, r: number, x: Value) {
  if (!across) return undefined;
  const right = k.let("right", query.mod(columns).add(columns - 1));
  return k.load(across, right.sub(x.min(columns - 1)).add(r * (2 * columns - 1)));
}

/** What the steps below share. */
interface Lanes {
  readonly k: Builder;
  readonly width: number;
  readonly lane: Value;
  readonly depth: number;
  /** Channel d of this lane's query row r. */
  query(r: number, d: Value): Value;
}

type At = (row: Value, d: Value) => Value;

/**
 * <q_r, row_j> for every own query r and `tile` rows that all lanes share: row j is read by lane
 * j % width and broadcast.
 */
function products(lanes: Lanes, count: number, tile: number, at: At): Variable[][] {
  const { k, width, lane, depth } = lanes;
  const sums = range(tile, () => range(count, () => k.var("product", literal(0, "f32"))));
  const mine = range(Math.ceil(tile / width), (a) => lane.add(a * width).min(tile - 1));
  const step = (first: Value, size: number) => {
    const along = (read: (d: Value) => Value, name: string) =>
      range(size, (c) => k.let(name, read(first.add(c))));
    const queries = range(count, (r) => along((d) => lanes.query(r, d), "q"));
    const rows = mine.map((row) => along((d) => at(row, d), "row"));
    sums.forEach((row, j) => {
      const own = rows[Math.floor(j / width)]!;
      const shared = own.map((x) => k.let("shared", k.broadcast(x, j % width)));
      row.forEach((sum, r) => {
        const terms = shared.map((x, c) => x.mul(queries[r]![c]!));
        sum.set(sum.get.add(pairwise(terms)));
      });
    });
  };
  k.for("d", Math.floor(depth / 4), (d) => step(d.mul(4), 4));
  if (depth % 4 > 0) step(index(depth - (depth % 4)), depth % 4);
  return sums;
}

/** <q_r, table_i> for every row of a table, kept in memory of the lane: [r * rows + i]. */
function tableTerms(lanes: Lanes, count: number, rows: number, at: At): Buffer {
  const { k } = lanes;
  const tile = Math.ceil(rows / Math.ceil(rows / 16));
  const steps = Math.ceil(rows / tile);
  const terms = k.local("terms", count * rows);
  k.for("step", steps, (step) => {
    const i0 = k.let("i0", step.mul(tile));
    const found = products(lanes, count, tile, (i, d) => at(i0.add(i).min(rows - 1), d));
    found.forEach((row, j) => {
      k.if(i0.add(j).lt(rows), () => {
        row.forEach((term, r) => {
          k.store(terms, i0.add(j).add(r * rows), term.get);
        });
      });
    });
  });
  return terms;
}

/** sums_r += sum over j of weight_{r, j} value_j; a value's channels are spread over the lanes. */
function addValues(
  { k, width, lane }: Lanes,
  sums: readonly (readonly Variable[])[],
  weights: Buffer,
  tile: number,
  at: At,
): void {
  const [count, out] = [sums.length, sums[0]!.length];
  const unit = out % 4 === 0 ? 4 : 1;
  const blocks = out / unit;
  const pair = tile % 2 === 0 ? 2 : 1;
  k.for("j", tile / pair, (half) => {
    const keys = range(pair, (u) => k.let("j", half.mul(pair).add(u)));
    const spread = keys.map((j) =>
      range(Math.ceil(blocks / width), (h) => {
        const block = lane
          .add(h * width)
          .min(blocks - 1)
          .mul(unit);
        return range(unit, (c) => k.let("v", at(j, block.add(c))));
      }),
    );
    const weight = keys.map((j) =>
      range(count, (r) => k.let("weight", k.load(weights, j.mul(count).add(r)))),
    );
    for (let d = 0; d < out; d++) {
      const [block, c] = [Math.floor(d / unit), d % unit];
      const shared = spread.map((own) => {
        const held = own[Math.floor(block / width)]![c]!;
        return k.let("shared", k.broadcast(held, block % width));
      });
      sums.forEach((row, r) => {
        const terms = shared.map((x, u) => x.mul(weight[u]![r]!));
        row[d]!.set(row[d]!.get.add(pairwise(terms)));
      });
    }
  });
}
