/** Attention: scores, their softmax, the mean of the values. */
import type { Arithmetic } from "./arithmetic.ts";
import { type Dense, make, read } from "./dense.ts";
import { type Arg, type Drawing, type Known, known } from "./known.ts";
import { softmaxOf, total } from "./lines.ts";
import { lowest } from "./values.ts";

interface Attending {
  readonly scale?: number;
  readonly bias?: Dense;
  readonly relative?: {
    readonly height: Dense;
    readonly width: Dense;
    readonly grid: readonly [number, number];
  };
  readonly mask?: Dense;
  readonly lengths?: Dense;
  readonly causal?: boolean | number;
}

/** Which keys query i of a head sees, and which of them no query of the head may see: those are not read. */
function seenBy(o: Attending, { q, k }: { readonly q: Dense; readonly k: Dense }) {
  const [, heads, queries] = q.shape as [number, number, number];
  const [, shared, keys] = k.shape as [number, number, number];
  const offset = o.causal === true ? 0 : o.causal === false ? undefined : o.causal;
  const [ofHeads, ofQueries] = o.mask ? [1, 1, 1, 1, ...o.mask.shape].slice(-3) : [];
  const isOfKeys = ofQueries === 1 && (ofHeads === 1 || heads === shared);
  const last = Math.max(1, queries + (offset ?? keys));
  const masked = (at: readonly number[]) => o.mask !== undefined && spread(o.mask, at) === 0;
  const exists = ([b, h, i, j]: readonly [number, number, number, number]) =>
    j < (o.lengths ? read(o.lengths, [b]) : keys) &&
    (o.relative !== undefined || j < last) &&
    !(isOfKeys && masked([b, h, i, j]));
  const sees = (at: readonly [number, number, number, number]) =>
    exists(at) && !masked(at) && (offset === undefined || at[3] <= at[2] + offset);
  return { exists, sees };
}

/**
 * A score is computed again after the largest of its row is known, and may be rounded otherwise. Of numbers
 * beyond this the difference alone is more than exponentials take. Numbers of a mask are not computed.
 */
const isVast = (part: number) => Number.isFinite(part) && Math.abs(part) > 1e8;

/** Scores, their softmax, the mean of the values; and the logarithm of the sum of the exponentials. */
function attended(f: Arithmetic, q: Dense, k: Dense, v: Dense, o: Attending = {}): Dense[] {
  const [batch, heads, queries, depth] = q.shape as [number, number, number, number];
  const [, shared, keys, out] = v.shape as [number, number, number, number];
  const { exists, sees } = seenBy(o, { q, k });
  const scale = o.scale ?? 1 / Math.sqrt(depth);
  const y = make("f32", [batch, heads, queries, out], () => 0);
  const statistics = make("f32", [batch, heads, queries], () => 0);
  const dot = (a: number[], t: Dense, at: readonly number[]) =>
    total(
      a.map((x, d) => x * read(t, [...at, d])),
      "f32",
      f,
    );
  for (let n = 0; n < batch * heads * queries; n++) {
    const [b, h, i] = [
      Math.floor(n / queries / heads),
      Math.floor(n / queries) % heads,
      n % queries,
    ];
    const other = Math.floor((h * shared) / heads);
    const query = Array.from({ length: depth }, (_, d) => read(q, [b, h, i, d]));
    const parts = Array.from({ length: keys }, (_, j) => {
      const own = f(scale * dot(query, k, [b, other, j]), 2);
      if (!o.relative) return [own];
      const [rows, columns] = o.relative.grid;
      const down = Math.floor(i / columns) - Math.floor(j / columns) + rows - 1;
      const across = (i % columns) - (j % columns) + columns - 1;
      return [own, dot(query, o.relative.height, [down]), dot(query, o.relative.width, [across])];
    });
    const scores = parts.map(([own, ...others], j) => {
      if (!sees([b, h, i, j])) return -Infinity;
      const biased = o.bias ? f(own! + spread(o.bias, [b, h, i, j])) : own!;
      return others.length > 0
        ? f(
            others.reduce((x, y) => x + y, biased),
            2,
          )
        : biased;
    });
    if (f.side && parts.some((own, j) => sees([b, h, i, j]) && own.some(isVast))) {
      statistics.data[n] = Number.NaN;
      y.data.fill(Number.NaN, n * out, (n + 1) * out);
      continue;
    }
    const shares = softmaxOf(scores, f);
    const peak = Math.max(...scores);
    const sum = scores.reduce((s, x) => s + Math.exp(x - peak), 0);
    // Of rows without a finite score some devices give the peak; of those without a key all do.
    const isNone = peak === -Infinity;
    statistics.data[n] =
      isNone || (!Number.isFinite(peak) && f.side) ? peak : f(peak + Math.log(sum), 16, 2e-6);
    for (let d = 0; d < out; d++) {
      const value = (j: number) => (exists([b, h, i, j]) ? read(v, [b, other, j, d]) : 0);
      const terms = shares.map((share, j) => share * value(j));
      // Some devices divide by the sum of the exponentials last, when what they divide is infinite. Before
      // they have seen the largest score, exponentials are of the largest one so far: up to 1 for any key.
      const seen = scores.map((score, j) => (score > -Infinity ? value(j) : 0));
      const undivided = seen.filter(Number.isFinite).reduce((size, x) => size + Math.abs(x), 0);
      const isOpen = f.side && undivided > -lowest;
      y.data[n * out + d] = isOpen ? Number.NaN : total(terms, "f32", f);
    }
  }
  return [y, statistics];
}

const spread = (x: Dense, at: readonly number[]) =>
  read(
    x,
    x.shape.map((n, i) => (n === 1 ? 0 : at[at.length - x.shape.length + i]!)),
  );

function attending(d: Drawing): readonly Arg[] {
  const { random } = d;
  const [batch, heads, depth, out] = [
    random.between(1, 2),
    random.pick([1, 2, 5]),
    d.size(6),
    d.size(6),
  ];
  const onGrid = random.chance(0.3);
  const [rows, columns] = [random.between(1, 3), random.between(1, 4)];
  const queries = onGrid ? rows * columns : d.size(9);
  const keys = onGrid ? queries : d.size(11);
  const shared = random.chance(0.3) ? random.pick([2, 3]) : 1;
  const as = (n: number, size: number, of = heads) => d.shaped([batch, of, n, size]);
  const options: Record<string, Arg> = {};
  if (random.chance(0.3)) options.scale = random.pick([1, 0.25, -0.5]);
  const narrow = () =>
    [batch, heads * shared, queries, keys].map((n) => (random.chance(0.3) ? 1 : n));
  if (random.chance(0.5)) {
    options.bias = d.fresh("f32", narrow(), random.pick(["ordinary", "masked"]));
  }
  if (random.chance(0.25)) options.mask = d.fresh("bool", narrow());
  if (random.chance(0.2)) options.lengths = d.fresh(random.pick(["i32", "u32"]), [batch], "index");
  if (random.chance(0.25)) options.causal = random.pick([true, 0, 1, -1, keys - queries]);
  if (onGrid)
    options.relative = {
      height: d.fresh("f32", [2 * rows - 1, depth]),
      width: d.fresh("f32", [2 * columns - 1, depth]),
      grid: [rows, columns],
    };
  const all = [as(queries, depth, heads * shared), as(keys, depth), as(keys, out)];
  return Object.keys(options).length > 0 ? [...all, options] : all;
}

export const attentionOps: Readonly<Record<string, Known>> = {
  attention: known(
    attending,
    (f, q: Dense, k: Dense, v: Dense, o?: Attending) => attended(f, q, k, v, o)[0]!,
  ),
  attentionWithStatistics: known(attending, (f, q: Dense, k: Dense, v: Dense, o?: Attending) =>
    attended(f, q, k, v, o),
  ),
};
