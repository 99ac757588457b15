/**
 * The gradient kernels of attention for subgroup devices: as the forward kernel, a workgroup is one
 * subgroup, each lane owns a few rows (of queries, or of keys), and the rows of the other side go
 * from lane to lane. Weights are made again from scores and row statistics.
 */
import {
  type Buffer,
  type Builder,
  bounded,
  form,
  type Kernel,
  type KernelSite,
  literal,
  type Out,
  type Problem,
  type Profile,
  type Value,
  type Variable,
  wideSubgroups,
} from "../../compiler/op-kit.ts";
import { range } from "../pairwise.ts";
import {
  type BackwardAttrs,
  backwardOperands,
  keyValueReads,
  probability,
  queryReads,
  wantedPorts,
} from "./backward-definition.ts";
import { isOpen, termsOf } from "./definition.ts";
import { addRows, type Lanes, ownSums, products, putRows, tilesOf } from "./lanes.ts";
import { rowsPerLane, type SubgroupAttentionTile } from "./tiles.ts";

const zero = literal(0, "f32");

/** Each lane owns `perLane` rows. A subgroup reads them again for every tile of the walked ones. */
const rowReads = (own: number, walked: number, perLane: number, { subgroup }: Profile) => ({
  own: Math.ceil(walked / 16),
  walked: Math.ceil(own / (subgroup * perLane)),
});

/** For problems where every query sees every key. Lanes own the rows of an input. */
const tilesFor = ({ inputs, attrs, profile }: Problem<BackwardAttrs>, own: 0 | 1) =>
  isOpen(attrs) ? [{ perLane: rowsPerLane(inputs[own]!.shape[2]!, profile.subgroup) }] : [];

export const subgroupQueryForm = form<BackwardAttrs, SubgroupAttentionTile>({
  ...wideSubgroups,
  tiles: (problem) => tilesFor(problem, 0),
  reads(tile, input, problem) {
    const [queries, keys] = [problem.inputs[0]!.shape[2]!, problem.inputs[1]!.shape[2]!];
    return queryReads(input, problem, rowReads(queries, keys, tile.perLane, problem.profile));
  },
  kernel: subgroupQueryGradient,
});

export const subgroupKeyValueForm = form<BackwardAttrs, SubgroupAttentionTile>({
  ...wideSubgroups,
  tiles: (problem) => tilesFor(problem, 1),
  reads(tile, input, problem) {
    const [queries, keys] = [problem.inputs[0]!.shape[2]!, problem.inputs[1]!.shape[2]!];
    return keyValueReads(input, problem, rowReads(keys, queries, tile.perLane, problem.profile));
  },
  kernel: subgroupKeyValueGradient,
});

/** Each lane owns queries; keys are walked along the grid, row by row. */
function subgroupQueryGradient(
  site: KernelSite<BackwardAttrs>,
  { perLane }: SubgroupAttentionTile,
): Kernel {
  const { k, inputs, outputs, attrs, profile } = site;
  const { q, k: key, v, g, saved, bias, relative } = backwardOperands(inputs, attrs);
  const [queries, depth] = [q.shape[2]!, q.shape[3]!];
  const [keys, out] = [v.shape[2]!, v.shape[3]!];
  const [rows, columns] = attrs.grid ?? [1, keys];
  const { lanes, first, own, groups, b, head } = ownership(k, profile.subgroup, perLane, q.shape);
  const { count, width } = lanes;
  const { steps, tile } = tilesOf(columns);
  const wanted = wantedPorts(attrs, outputs);
  const statistics = own.map((query) =>
    range(3, (i) => k.let("saved", saved.at(b, head, query, literal(i, "u32")))),
  );
  const sums = wanted.query && ownSums(lanes, depth);
  const across = wanted.relative && k.local("across", columns * count);
  if (across) k.for("x", columns * count, (x) => k.store(across, x, zero));
  const [weights, slopes] = [k.local("weights", tile * count), k.local("slopes", tile * count)];
  const terms = own.map((at) => termsOf(relative, attrs.grid, q.shape, [b, head, at]));

  k.for("y", rows, (y) => {
    const down = range(wanted.relative ? count : 0, () => k.var("down", zero));
    const rowTerms = terms.map((own) => own?.row(y));
    k.for("step", steps, (step) => {
      const x0 = k.let("x0", step.mul(tile));
      const column = (j: Value | number) => x0.add(j).min(columns - 1);
      const place = (j: Value | number) => bounded(y.mul(columns).add(column(j)), keys - 1);
      const scores = products(
        lanes,
        tile,
        depth,
        (r, d) => q.at(b, head, own[r]!, d),
        (j, d) => key.at(b, head, place(j), d),
      );
      keepTile(k, slopes, scores);
      k.for("j", tile, (j) => {
        const inside = x0.add(j).lt(columns);
        own.forEach((query, r) => {
          const at = j.mul(count).add(r);
          const score = added([
            k.load(slopes, at).mul(attrs.scale),
            rowTerms[r],
            terms[r]?.column(column(j)),
            bias?.at(b, head, query, place(j)),
          ]);
          const [most, logSum] = statistics[r]!;
          const weight = probability(score, most!, logSum!);
          k.store(weights, at, inside.select(weight, zero));
        });
      });
      const changes = products(
        lanes,
        tile,
        out,
        (r, d) => g.at(b, head, own[r]!, d),
        (j, d) => v.at(b, head, place(j), d),
      );
      keepTile(k, slopes, changes);
      k.for("j", tile, (j) => {
        own.forEach((_, r) => {
          const at = j.mul(count).add(r);
          const change = k.load(slopes, at).sub(statistics[r]![2]!);
          const slope = k.let("slope", k.load(weights, at).mul(change));
          k.store(slopes, at, slope);
          if (!across) return;
          down[r]!.set(down[r]!.get.add(slope));
          const to = k.let("column", column(j).mul(count).add(r));
          k.store(across, to, k.load(across, to).add(slope));
        });
      });
      if (sums)
        addRows(lanes, sums, slopes, tile, (j, d) => key.at(b, head, k.let("key", place(j)), d));
    });
    down.forEach((sum, r) => {
      within(k, first.add(r * width), queries, (at) => {
        wanted.relative?.put(sum.get, b, head, at, y);
      });
    });
  });

  if (sums && wanted.query) putSums(lanes, sums, attrs.scale, first, wanted.query, [b, head]);
  if (across)
    k.for("i", columns * count, (i) => {
      within(k, k.let("query", first.add(i.mod(count).mul(width))), queries, (at) => {
        wanted.relative?.put(k.load(across, i), b, head, at, i.div(count).add(rows));
      });
    });
  return k.finish("attentionQueryGradient", [width, 1, 1], groups);
}

/** Each lane owns keys; queries and cotangents are walked. */
function subgroupKeyValueGradient(
  site: KernelSite<BackwardAttrs>,
  { perLane }: SubgroupAttentionTile,
): Kernel {
  const { k, inputs, outputs, attrs, profile } = site;
  const { q, k: key, v, g, saved, bias, relative } = backwardOperands(inputs, attrs);
  const [depth, out] = [q.shape[3]!, v.shape[3]!];
  const [queries, keys] = [q.shape[2]!, v.shape[2]!];
  const columns = attrs.grid?.[1] ?? keys;
  const { lanes, first, own, groups, b, head } = ownership(k, profile.subgroup, perLane, key.shape);
  const { count } = lanes;
  const { steps, tile } = tilesOf(queries);
  const wanted = wantedPorts(attrs, outputs);
  const keySums = wanted.key && ownSums(lanes, depth);
  const valueSums = wanted.value && ownSums(lanes, out);
  const [weights, slopes] = [k.local("weights", tile * count), k.local("slopes", tile * count)];

  k.for("step", steps, (step) => {
    const i0 = k.let("i0", step.mul(tile));
    const place = (i: Value | number) => i0.add(i).min(queries - 1);
    const scores = products(
      lanes,
      tile,
      depth,
      (r, d) => key.at(b, head, own[r]!, d),
      (i, d) => q.at(b, head, place(i), d),
    );
    keepTile(k, slopes, scores);
    k.for("i", tile, (i) => {
      const query = k.let("query", place(i));
      const [most, logSum] = [0, 1].map((n) =>
        k.let("saved", saved.at(b, head, query, literal(n, "u32"))),
      );
      const inside = i0.add(i).lt(queries);
      const terms = termsOf(relative, attrs.grid, q.shape, [b, head, query]);
      own.forEach((row, r) => {
        const at = i.mul(count).add(r);
        const score = added([
          k.load(slopes, at).mul(attrs.scale),
          terms?.row(k.let("y", row.div(columns))),
          terms?.column(k.let("x", row.mod(columns))),
          bias?.at(b, head, query, row),
        ]);
        k.store(weights, at, inside.select(probability(score, most!, logSum!), zero));
      });
    });
    const gAt = (i: Value | number, d: Value) => g.at(b, head, k.let("query", place(i)), d);
    if (valueSums) addRows(lanes, valueSums, weights, tile, gAt);
    if (!keySums) return;
    const changes = products(lanes, tile, out, (r, d) => v.at(b, head, own[r]!, d), gAt);
    keepTile(k, slopes, changes);
    k.for("i", tile, (i) => {
      const delta = k.let("saved", saved.at(b, head, place(i), literal(2, "u32")));
      own.forEach((_, r) => {
        const at = i.mul(count).add(r);
        k.store(slopes, at, k.load(weights, at).mul(k.load(slopes, at).sub(delta)));
      });
    });
    addRows(lanes, keySums, slopes, tile, (i, d) => q.at(b, head, k.let("query", place(i)), d));
  });

  if (keySums && wanted.key) putSums(lanes, keySums, attrs.scale, first, wanted.key, [b, head]);
  if (valueSums && wanted.value) putSums(lanes, valueSums, 1, first, wanted.value, [b, head]);
  return k.finish("attentionKeyValueGradient", [lanes.width, 1, 1], groups);
}

/** Which of the rows of `shape` [batch, heads, rows, depth] a lane owns; the last one where too many. */
function ownership(k: Builder, width: number, count: number, shape: readonly number[]) {
  const [batch, heads, rows] = shape as [number, number, number];
  const lanes: Lanes = { k, width, lane: k.lane(width), count };
  const groups: Kernel["groups"] = [Math.ceil(rows / (width * count)), heads, batch];
  const start = k.group(0, groups[0]).mul(width * count);
  const first = k.let("first", start.add(lanes.lane));
  const own = range(count, (r) => k.let("row", first.add(r * width).min(rows - 1)));
  return { lanes, first, own, groups, b: k.group(2, batch), head: k.group(1, heads) };
}

/** Products of a tile, where loops over its rows find them: [row * count + own row]. */
function keepTile(k: Builder, to: Buffer, tile: readonly (readonly Variable[])[]): void {
  tile.forEach((row, j) => {
    row.forEach((value, r) => {
      k.store(to, j * row.length + r, value.get);
    });
  });
}

const added = (terms: readonly (Value | undefined)[]): Value =>
  terms.filter((t) => t !== undefined).reduce((a, b) => a.add(b));

const within = (k: Builder, at: Value, rows: number, body: (at: Value) => void) =>
  k.if(at.lt(rows), () => body(bounded(at, rows - 1)));

function putSums(
  lanes: Lanes,
  sums: readonly (readonly Variable[])[],
  scale: number,
  first: Value,
  port: Out,
  lead: readonly Value[],
): void {
  const { k } = lanes;
  const values = sums.map((row) => row.map((sum) => sum.get.mul(scale)));
  putRows(lanes, values, (offset, d, value) => {
    within(k, k.let("row", first.add(offset)), port.shape[2]!, (at) =>
      port.put(value, ...lead, at, d),
    );
  });
}
