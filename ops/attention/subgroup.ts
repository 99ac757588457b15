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
  form,
  type In,
  type Kernel,
  type KernelSite,
  literal,
  subgroups,
  type Value,
  type Variable,
} from "../../compiler/op-kit.ts";
import { pairwise, range } from "../pairwise.ts";
import { type AttentionAttrs, levelOf, operands, putStatistics } from "./definition.ts";
import {
  type At,
  addRows,
  type Lanes,
  type Own,
  ownSums,
  products,
  putRows,
  tilesOf,
} from "./lanes.ts";
import { type SubgroupAttentionTile, subgroupAttentionTiles } from "./tiles.ts";

export const subgroupForm = form<AttentionAttrs, SubgroupAttentionTile>({
  ...subgroups,
  tiles: ({ inputs, profile }) => subgroupAttentionTiles(inputs[0]!.shape[2]!, profile.subgroup),
  reads(tile, input, { inputs, attrs, profile }) {
    // A subgroup reads its own rows again for every tile of keys.
    if (input === 0) return Math.ceil(inputs[1]!.shape[2]! / 16);
    if (attrs.hasBias && input === 3) return 1;
    return Math.ceil(inputs[0]!.shape[2]! / (profile.subgroup * tile.perLane));
  },
  kernel: subgroupAttention,
});

function subgroupAttention(
  site: KernelSite<AttentionAttrs>,
  { perLane: count }: SubgroupAttentionTile,
): Kernel {
  const { k, inputs, outputs, attrs, profile } = site;
  const { q, k: key, v, bias, height, width: acrossTable } = operands(inputs, attrs);
  const [batch, heads, queries, depth] = q.shape as [number, number, number, number];
  const [keys, out] = [v.shape[2]!, v.shape[3]!];
  const [rows, columns] = attrs.grid ?? [1, keys];
  const width = profile.subgroup;
  const { steps, tile } = tilesOf(columns);
  const groups: Kernel["groups"] = [Math.ceil(queries / (width * count)), heads, batch];

  const [b, head] = [k.group(2, batch), k.group(1, heads)];
  const lane = k.lane(width);
  const stride = width * count;
  const first = k.let("first", k.group(0, groups[0]).mul(stride).add(lane));
  const own = range(count, (r) => k.let("query", first.add(r * width).min(queries - 1)));
  const lanes: Lanes = { k, width, lane, count };
  const query: Own = (r, d) => q.at(b, head, own[r]!, d);
  const terms = (table: In | undefined, size: number) =>
    table && tableTerms(lanes, depth, 2 * size - 1, query, (i, d) => table.at(i, d));
  const down = terms(height, rows);
  const relative: Relative = { down, across: terms(acrossTable, columns), rows, columns };
  const states = ownSums(lanes, out).map((sums) => runningSoftmax(k, sums));
  const weights = k.local("weights", tile * count);

  k.for("y", rows, (y) => {
    const rowTerms = own.map((query, r) => rowTerm(k, relative, query, r, y));
    k.for("step", steps, (step) => {
      const x0 = k.let("x0", step.mul(tile));
      const place = (j: Value | number) =>
        bounded(y.mul(columns).add(x0.add(j).min(columns - 1)), keys - 1);
      const scores = products(lanes, tile, depth, query, (j, d) => key.at(b, head, place(j), d));
      own.forEach((query, r) => {
        const final = scores.map((row, j) => {
          const terms = [
            row[r]!.get.mul(attrs.scale),
            rowTerms[r],
            columnTerm(k, relative, query, r, x0.add(j)),
            bias?.at(b, head, query, place(j)),
          ];
          const score = terms.filter((t) => t !== undefined).reduce((x, z) => x.add(z));
          return k.let("score", x0.add(j).lt(columns).select(score, Number.NEGATIVE_INFINITY));
        });
        weigh(k, states[r]!, final).forEach((weight, j) => {
          k.store(weights, j * count + r, weight);
        });
      });
      const sums = states.map((s) => s.sums);
      addRows(lanes, sums, weights, tile, (j, d) => v.at(b, head, k.let("key", place(j)), d));
    });
  });

  const isOwn = (at: Value, body: (at: Value) => void) =>
    k.if(at.lt(queries), () => body(bounded(at, queries - 1)));
  const results = states.map(({ total, sums }) => {
    const inverse = k.let("inverse", literal(1, "f32").div(total.get));
    return sums.map((sum) => sum.get.mul(inverse));
  });
  putRows(lanes, results, (offset, d, value) => {
    isOwn(k.let("query", first.add(offset)), (at) => outputs[0]!.put(value, b, head, at, d));
  });
  states.forEach(({ most, total }, r) => {
    isOwn(first.add(r * width), (at) => putStatistics(outputs, most.get, total.get, [b, head, at]));
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

const runningSoftmax = (k: Builder, sums: readonly Variable[]): Running => ({
  most: k.var("most", literal(Number.NEGATIVE_INFINITY, "f32")),
  total: k.var("total", literal(0, "f32")),
  sums,
});

/** Takes a tile's scores into the softmax; returns the weights of the tile's values. */
function weigh(k: Builder, { most, total, sums }: Running, scores: readonly Value[]): Value[] {
  const high = k.let("high", most.get.maxnum(pairwise(scores, (x, z) => x.maxnum(z))));
  const level = k.let("level", levelOf(high));
  const shrink = k.let("shrink", most.get.sub(level).exp());
  most.set(high);
  const weights = scores.map((score) => k.let("weight", score.sub(level).exp()));
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

/** <q_r, table_i> for every row of a table, kept in memory of the lane: [r * rows + i]. */
function tableTerms(lanes: Lanes, depth: number, rows: number, own: Own, at: At): Buffer {
  const { k, count } = lanes;
  const { steps, tile } = tilesOf(rows);
  const terms = k.local("terms", count * rows);
  k.for("step", steps, (step) => {
    const i0 = k.let("i0", step.mul(tile));
    const found = products(lanes, tile, depth, own, (i, d) => at(i0.add(i).min(rows - 1), d));
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
