/** Ops along axes: sums and extremes, softmax, normalisation, ranks. */
import type { Arithmetic } from "./arithmetic.ts";
import { type Dense, flat, lines, make, read, without } from "./dense.ts";
import * as fn from "./functions.ts";
import { type Drawing, type Known, known, type Ref } from "./known.ts";
import { lowest } from "./values.ts";

type Reduced = "drop" | "keep";

export const axesOf = (x: Dense, axes?: number | readonly number[]): number[] => {
  const list =
    axes === undefined ? x.shape.map((_, i) => i) : typeof axes === "number" ? [axes] : axes;
  return list.map((a) => (a < 0 ? a + x.shape.length : a));
};

/** The sum of floats, each term with an error of its own; whole numbers wrap. */
export function total(terms: readonly number[], dtype: Dense["dtype"], f: Arithmetic): number {
  if (dtype !== "f32") return terms.reduce((a, b) => fn.wrapped[dtype as fn.Whole](a + b), 0);
  let sum = 0;
  for (const x of terms) sum += f(x, 2 + Math.log2(1 + terms.length));
  return !f.exact && f.side && mayOverflow(terms) ? Number.NaN : f(sum);
}

/**
 * Whether a sum depends on the order in which a device adds: a part of it is beyond the largest number, and
 * the whole is not, or parts are on both sides.
 */
function mayOverflow(terms: readonly number[]): boolean {
  let [above, below] = [0, 0];
  for (const x of terms)
    if (x > 0) above += x;
    else below -= x;
  const isBoth = above > -lowest && below > -lowest;
  return isBoth || (Math.max(above, below) > -lowest && Math.abs(above - below) <= -lowest);
}

function reduced(
  x: Dense,
  axes: number | readonly number[] | undefined,
  keep: Reduced | undefined,
  of: (line: number[]) => number,
): Dense {
  const over = axesOf(x, axes);
  const shape = x.shape.map((n, i) => (over.includes(i) ? 1 : n));
  const y = make(x.dtype, shape, () => 0);
  lines(x, over, (line, at) => {
    y.data[flat(shape, at)] = of(line);
  });
  return { ...y, shape: keep === "keep" ? shape : without(x.shape, over) };
}

function reduction(
  dtypes: readonly Dense["dtype"][],
  of: (line: number[], f: Arithmetic, dtype: Dense["dtype"]) => number,
  drawn = (d: Drawing): Ref => d.some(({ dtype }) => dtypes.includes(dtype)),
): Known {
  return known(
    (d) => {
      const x = drawn(d);
      const { shape } = d.kind(x);
      const every = shape.map((_, i) => i);
      const axes = d.random.chance(0.3)
        ? every.slice(-1)
        : every.filter(() => d.random.chance(0.5));
      const some = d.random.chance(0.2) ? undefined : axes.length === 1 ? axes[0]! : axes;
      return d.random.chance(0.5) ? [x, some] : [x, some, d.random.pick(["keep", "drop"])];
    },
    (f, x: Dense, axes?: number | readonly number[], keep?: Reduced) =>
      reduced(x, axes, keep, (line) => of(line, f, x.dtype)),
  );
}

/** Rows of a mask. Rather long ones: short ones are written out, without a kernel. */
const masked = (d: Drawing) =>
  d.fresh("f32", [d.size(6), d.random.pick([3, 17, 31, 37])], "masked");

const ordered = (d: Drawing) =>
  d.random.chance(0.4) ? masked(d) : d.some(({ dtype }) => dtype !== "bool");

const most = (line: readonly number[]) => line.reduce((a, b) => Math.max(a, b), -Infinity);

/** Exponentials over their sum; a line of -inf alone is NaN, as 0 / 0 is. */
export function softmaxOf(line: readonly number[], f: Arithmetic): number[] {
  const peak = most(line);
  const parts = line.map((v) =>
    f(Math.exp(v - peak), 8 + 4 * Math.min(Math.abs(v) + Math.abs(v - peak), 1e6) || 0),
  );
  const sum = parts.reduce((a, b) => a + b, 0);
  return parts.map((v) => f(v / sum, 8));
}

/** Every line along an axis, as another line of the same length. */
function mapped(x: Dense, axis: number, of: (line: number[]) => number[]): Dense {
  const along = axesOf(x, axis)[0]!;
  const y = make("f32", x.shape, () => 0);
  lines(x, [along], (line, at) => {
    of(line).forEach((v, i) => {
      y.data[
        flat(
          x.shape,
          at.map((c, j) => (j === along ? i : c)),
        )
      ] = v;
    });
  });
  return y;
}

export function normalized(x: Dense, axis: number, epsilon: number, f: Arithmetic): Dense {
  return mapped(x, axis, (line) => {
    const center = f(line.reduce((a, b) => a + b, 0) / line.length, 4);
    const from = line.map((v) => f(v - center, 2));
    const variance = from.reduce((a, b) => a + f(b * b, 4), 0) / line.length;
    // Of squares beyond the largest number some devices give 0, and some NaN.
    const isOpen = !f.exact && f.side && Number.isFinite(variance) && variance > -lowest;
    return from.map((v) => (isOpen ? Number.NaN : f(v / Math.sqrt(variance + epsilon), 8)));
  });
}

function scaled(
  x: Dense,
  axis: number,
  gamma: Dense,
  beta: Dense,
  epsilon: number,
  f: Arithmetic,
): Dense {
  const y = normalized(x, axis, epsilon, f);
  const along = axesOf(x, axis)[0]!;
  return make("f32", x.shape, (at) =>
    f(f(read(y, at) * gamma.data[at[along]!]!) + beta.data[at[along]!]!),
  );
}

const affine = (d: Drawing, x: Ref, size: number) =>
  d.random.chance(0.3)
    ? [x, d.fresh("f32", [size]), d.fresh("f32", [size]), d.random.pick([1e-5, 1e-3, 0.5])]
    : [x, d.fresh("f32", [size]), d.fresh("f32", [size])];

/** The largest first; NaN is larger than every number; of equals the first. */
export function ranked(line: readonly number[]): number[] {
  const before = (a: number, b: number) =>
    Number.isNaN(a) ? (Number.isNaN(b) ? 0 : -1) : Number.isNaN(b) ? 1 : b > a ? 1 : b < a ? -1 : 0;
  return line.map((_, i) => i).sort((i, j) => before(line[i]!, line[j]!) || i - j);
}

function topK(x: Dense, k: number, axis: number = -1): Dense[] {
  const along = axesOf(x, axis)[0]!;
  const shape = x.shape.map((n, i) => (i === along ? k : n));
  const [values, indices] = [make("f32", shape, () => 0), make("i32", shape, () => 0)];
  lines(x, [along], (line, at) => {
    ranked(line)
      .slice(0, k)
      .forEach((from, rank) => {
        const place = flat(
          shape,
          at.map((c, j) => (j === along ? rank : c)),
        );
        values.data[place] = line[from]!;
        indices.data[place] = from;
      });
  });
  return [values, indices];
}

export const alongLines: Readonly<Record<string, Known>> = {
  sum: reduction(["f32", "i32", "u32"], (line, f, dtype) => total(line, dtype, f)),
  mean: reduction(["f32"], (line, f) => f(total(line, "f32", f) / line.length)),
  max: reduction(["f32", "i32", "u32"], (line) => most(line), ordered),
  min: reduction(["f32", "i32", "u32"], (line) => -most(line.map((v) => -v)), ordered),
  softmax: known(
    (d) => {
      const x = d.random.chance(0.4) ? masked(d) : d.floats(1);
      return d.random.chance(0.4) ? [x] : [x, d.axis(x)];
    },
    (f, x: Dense, axis: number = -1) => mapped(x, axis, (line) => softmaxOf(line, f)),
  ),
  normalize: known(
    (d) => {
      const x = d.floats(1);
      return [x, d.axis(x), d.random.pick([1e-5, 1e-2, 1])];
    },
    (f, x: Dense, axis: number, epsilon: number) => normalized(x, axis, epsilon, f),
  ),
  layerNorm: known(
    (d) => {
      const x = d.floats(1);
      return affine(d, x, d.kind(x).shape.at(-1)!);
    },
    (f, x: Dense, gamma: Dense, beta: Dense, epsilon: number = 1e-5) =>
      scaled(x, -1, gamma, beta, epsilon, f),
  ),
  layerNorm2d: known(
    (d) => {
      const x = d.floats(4, 4);
      return affine(d, x, d.kind(x).shape[1]!);
    },
    (f, x: Dense, gamma: Dense, beta: Dense, epsilon: number = 1e-6) =>
      scaled(x, 1, gamma, beta, epsilon, f),
  ),
  topK: known(
    (d) => {
      const x = d.random.chance(0.5)
        ? d.fresh("f32", d.shape(1 + d.random.below(3)), "tied")
        : d.floats(1);
      const axis = d.axis(x);
      const { shape } = d.kind(x);
      return [x, d.random.between(1, shape.at(axis)!), axis];
    },
    (_f, x: Dense, k: number, axis?: number) => topK(x, k, axis),
  ),
  argmax: known(
    (d) => {
      const x = d.random.chance(0.5)
        ? d.fresh("f32", d.shape(1 + d.random.below(3)), "tied")
        : d.floats(1);
      return [x, d.axis(x)];
    },
    (_f, x: Dense, axis: number = -1) => {
      const [, indices] = topK(x, 1, axis);
      return { ...indices!, shape: without(x.shape, axesOf(x, axis)) };
    },
  ),
  assignment: known(
    (d) => {
      const [batch, rows, columns] = [
        d.random.between(1, 2),
        d.random.between(1, 5),
        d.random.between(1, 4),
      ];
      const cost = d.fresh("f32", [batch, rows, columns]);
      return d.random.chance(0.5) ? [cost] : [cost, d.fresh("bool", [batch, columns])];
    },
    (f, cost: Dense, present?: Dense) => matched(cost, present, f),
    { still: true },
  ),
};

/** The cheapest of all matchings, by trying each. */
function matched(cost: Dense, present: Dense | undefined, f: Arithmetic): Dense[] {
  const [batch, rows, columns] = cost.shape as [number, number, number];
  const ofRow = make("i32", [batch, rows], () => -1);
  const ofColumn = make("i32", [batch, columns], () => -1);
  for (let b = 0; b < batch; b++) {
    const price = (r: number, c: number) => {
      const v = cost.data[(b * rows + r) * columns + c]!;
      return f(Number.isNaN(v) ? 1e10 : Math.min(Math.max(v, -1e10), 1e10), 64, 1e-6);
    };
    const prices = Array.from({ length: rows }, (_, r) =>
      Array.from({ length: columns }, (_, c) => price(r, c)),
    );
    const there = Array.from({ length: columns }, (_, c) => c).filter(
      (c) => !present || present.data[b * columns + c],
    );
    let best: { sum: number; pairs: readonly (readonly [number, number])[] } | undefined;
    const walk = (
      n: number,
      used: Set<number>,
      pairs: readonly (readonly [number, number])[],
      sum: number,
    ) => {
      if (n === there.length) {
        if (pairs.length === Math.min(rows, there.length) && (!best || sum < best.sum))
          best = { sum, pairs };
        return;
      }
      for (let r = 0; r < rows; r++) {
        if (used.has(r)) continue;
        walk(
          n + 1,
          new Set([...used, r]),
          [...pairs, [r, there[n]!]],
          sum + prices[r]![there[n]!]!,
        );
      }
      if (there.length > rows) walk(n + 1, used, pairs, sum);
    };
    walk(0, new Set(), [], 0);
    for (const [r, c] of best?.pairs ?? []) {
      ofRow.data[b * rows + r] = c;
      ofColumn.data[b * columns + c] = r;
    }
  }
  return [ofRow, ofColumn];
}
