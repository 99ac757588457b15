/**
 * The attention kernel of subgroup devices: a workgroup is one subgroup, each lane owns a few query
 * rows, and no memory is shared.
 *
 * A tile of keys is read with one key per lane and broadcast from lane to lane; so are the values, with
 * four channels per lane. Softmax is kept up to date from
 * tile to tile (online softmax), so that no score is ever stored.
 */
import {
  type Builder,
  bounded,
  form,
  type Kernel,
  type KernelSite,
  literal,
  type Value,
  type Variable,
  wideSubgroups,
} from "../../compiler/op-kit.ts";
import { pairwise, range } from "../pairwise.ts";
import {
  type AttentionAttrs,
  extraAt,
  isOpen,
  leastLevel,
  operands,
  putStatistics,
  termsOf,
} from "./definition.ts";
import { addRows, type Lanes, type Own, ownSums, products, putRows, tilesOf } from "./lanes.ts";
import { type SubgroupAttentionTile, subgroupAttentionTiles } from "./tiles.ts";

export const subgroupForm = form<AttentionAttrs, SubgroupAttentionTile>({
  ...wideSubgroups,
  tiles: ({ inputs, attrs, profile }) =>
    isOpen(attrs) ? subgroupAttentionTiles(inputs[0]!.shape[2]!, profile.subgroup) : [],
  reads(tile, input, { inputs, attrs, profile }) {
    // A subgroup reads its own rows again for every tile of keys.
    if (input === 0) return Math.ceil(inputs[1]!.shape[2]! / 16);
    if (extraAt(attrs, input)) return 1;
    return Math.ceil(inputs[0]!.shape[2]! / (profile.subgroup * tile.perLane));
  },
  kernel: subgroupAttention,
});

function subgroupAttention(
  site: KernelSite<AttentionAttrs>,
  { perLane: count }: SubgroupAttentionTile,
): Kernel {
  const { k, inputs, outputs, attrs, profile } = site;
  const { q, k: key, v, bias, relative } = operands(inputs, attrs);
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
  const terms = own.map((at) => termsOf(relative, attrs.grid, q.shape, [b, head, at]));
  // A lane's queries have one term for each column, whatever the row.
  const across = relative && k.local("across", columns * count);
  if (across)
    k.for("x", columns, (x) => {
      terms.forEach((own, r) => {
        k.store(across, x.mul(count).add(r), own!.column(x));
      });
    });
  const states = ownSums(lanes, out).map((sums) => runningSoftmax(k, sums));
  const weights = k.local("weights", tile * count);

  k.for("y", rows, (y) => {
    const rowTerms = terms.map((own) => own?.row(y));
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
            across &&
              k.load(
                across,
                x0
                  .add(j)
                  .min(columns - 1)
                  .mul(count)
                  .add(r),
              ),
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
  most: k.var("most", literal(leastLevel, "f32")),
  total: k.var("total", literal(0, "f32")),
  sums,
});

/** Takes a tile's scores into the softmax; returns the weights of the tile's values. */
function weigh(k: Builder, { most, total, sums }: Running, scores: readonly Value[]): Value[] {
  const high = k.let("high", most.get.maxnum(pairwise(scores, (x, z) => x.maxnum(z))));
  const shrink = k.let("shrink", most.get.sub(high).exp());
  most.set(high);
  const weights = scores.map((score) => k.let("weight", score.sub(high).exp()));
  total.set(total.get.mul(shrink).add(pairwise(weights)));
  for (const sum of sums) sum.set(sum.get.mul(shrink));
  return weights;
}
