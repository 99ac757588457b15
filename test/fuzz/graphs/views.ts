/** Ops that move elements: nothing is computed, but where they add up what was repeated. */
import type { Arithmetic } from "./arithmetic.ts";
import { count, type Dense, eachPlace, flat, make, read, spread } from "./dense.ts";
import * as fn from "./functions.ts";
import { type Drawing, type Known, known } from "./known.ts";
import { axesOf, total } from "./lines.ts";

/** Another shape of as many elements. */
function reshaped(d: Drawing, shape: readonly number[]): number[] {
  let rest = count(shape);
  const out: number[] = [];
  for (let i = d.random.below(4); i > 0; i--) {
    const divisors = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13].filter((n) => rest % n === 0);
    const n = d.random.pick(divisors);
    out.push(n);
    rest /= n;
  }
  out.splice(d.random.below(out.length + 1), 0, rest);
  return out;
}

const narrower = (d: Drawing, shape: readonly number[]): number[] =>
  shape.slice(d.random.below(shape.length + 1)).map((n) => (d.random.chance(0.5) ? 1 : n));

/** Sums over what `shape` does not have. */
export function summedTo(x: Dense, shape: readonly number[], f: Arithmetic): Dense {
  const lead = x.shape.length - shape.length;
  const terms: number[][] = Array.from({ length: count(shape) }, () => []);
  eachPlace(x.shape, (at, i) => {
    terms[
      flat(
        shape,
        shape.map((n, j) => (n === 1 ? 0 : at[lead + j]!)),
      )
    ]!.push(x.data[i]!);
  });
  const data = Float64Array.from(terms, (line) =>
    line.length === 1 ? line[0]! : total(line, x.dtype, f),
  );
  return { dtype: x.dtype, shape, data };
}

type Cut = readonly [number?, number?, number?];

const cutOf = (n: number, [from = 0, to = n, step = 1]: Cut = []) => {
  const [start, stop] = [from, to].map((i) => (i < 0 ? i + n : i)) as [number, number];
  return { start, step, size: Math.ceil((stop - start) / step) };
};

function joined(tensors: readonly Dense[], axis: number): Dense {
  const first = tensors[0]!;
  const along = axesOf(first, axis)[0]!;
  const shape = first.shape.map((n, i) =>
    i === along ? tensors.reduce((s, t) => s + t.shape[along]!, 0) : n,
  );
  return make(first.dtype, shape, (at) => {
    let place = at[along]!;
    for (const t of tensors) {
      if (place < t.shape[along]!)
        return read(
          t,
          at.map((c, i) => (i === along ? place : c)),
        );
      place -= t.shape[along]!;
    }
    return Number.NaN;
  });
}

const transposed = (x: Dense): Dense => {
  const [m, n] = x.shape.slice(-2) as [number, number];
  return make(x.dtype, [...x.shape.slice(0, -2), n, m], (at) =>
    read(x, [...at.slice(0, -2), at.at(-1)!, at.at(-2)!]),
  );
};

export const views: Readonly<Record<string, Known>> = {
  reshape: known(
    (d) => {
      const x = d.some();
      return [x, reshaped(d, d.kind(x).shape)];
    },
    (_f, x: Dense, shape: readonly number[]) => ({ ...x, shape }),
  ),
  permute: known(
    (d) => {
      const x = d.some();
      const axes = d.kind(x).shape.map((_, i) => i);
      for (let i = axes.length - 1; i > 0; i--) {
        const j = d.random.below(i + 1);
        [axes[i], axes[j]] = [axes[j]!, axes[i]!];
      }
      return [x, axes];
    },
    (_f, x: Dense, axes: readonly number[]) =>
      make(
        x.dtype,
        axes.map((a) => x.shape[a]!),
        (at) =>
          read(
            x,
            axes.map((_, i) => at[axes.indexOf(i)]!),
          ),
      ),
  ),
  transpose: known(
    (d) => [d.some(({ shape }) => shape.length >= 2)],
    (_f, x: Dense) => transposed(x),
  ),
  broadcastTo: known(
    (d) => {
      const x = d.some(({ shape }) => shape.length < 4);
      const { shape } = d.kind(x);
      const wide = shape.map((n) => (n === 1 && d.random.chance(0.6) ? d.size(5) : n));
      const to = [...d.shape(d.random.below(2)), ...wide];
      return count(to) > d.most ? undefined : [x, to];
    },
    (_f, x: Dense, shape: readonly number[]) => make(x.dtype, shape, (at) => spread(x, at)),
  ),
  sumTo: known(
    (d) => {
      const x = d.some(({ dtype }) => dtype !== "bool");
      return [x, narrower(d, d.kind(x).shape)];
    },
    (f, x: Dense, shape: readonly number[]) => summedTo(x, shape, f),
  ),
  slice: known(
    (d) => {
      const x = d.some(({ shape }) => shape.length > 0);
      const { shape } = d.kind(x);
      const cuts = shape.slice(0, d.random.between(1, shape.length)).map((n): Cut => {
        if (d.random.chance(0.3)) return [];
        const start = d.random.below(n);
        const stop = d.random.between(start + 1, n);
        const from = d.random.chance(0.3) && start > 0 ? start - n : start;
        return d.random.chance(0.5) ? [from, stop] : [from, stop, d.random.between(1, 3)];
      });
      return [x, cuts];
    },
    (_f, x: Dense, cuts: readonly Cut[]) => {
      const parts = x.shape.map((n, i) => cutOf(n, cuts[i]));
      return make(
        x.dtype,
        parts.map((p) => p.size),
        (at) =>
          read(
            x,
            at.map((c, i) => parts[i]!.start + c * parts[i]!.step),
          ),
      );
    },
  ),
  pad: known(
    (d) => {
      const x = d.some(({ shape }) => shape.length > 0);
      const { shape, dtype } = d.kind(x);
      const widths = shape.map(() =>
        d.random.chance(0.5) ? [] : [d.random.below(3), d.random.below(3)],
      );
      const size = shape.map((n, i) => n + (widths[i]![0] ?? 0) + (widths[i]![1] ?? 0));
      if (count(size) > d.most) return undefined;
      const floats = [0.5, -2, Number.NEGATIVE_INFINITY, -3.4028234663852886e38];
      if (d.random.chance(0.5)) return [x, widths];
      return [x, widths, dtype === "f32" ? d.random.pick(floats) : 1];
    },
    (_f, x: Dense, widths: readonly (readonly number[])[], value: number = 0) => {
      const start = x.shape.map((_, i) => widths[i]?.[0] ?? 0);
      const shape = x.shape.map((n, i) => n + start[i]! + (widths[i]?.[1] ?? 0));
      return make(x.dtype, shape, (at) => {
        const from = at.map((c, i) => c - start[i]!);
        return from.every((c, i) => c >= 0 && c < x.shape[i]!) ? read(x, from) : value;
      });
    },
  ),
  concat: known(
    (d) => {
      const x = d.some(({ shape }) => shape.length > 0);
      const axis = d.axis(x);
      const { shape, dtype } = d.kind(x);
      const along = axis < 0 ? axis + shape.length : axis;
      const fits = (k: { dtype: string; shape: readonly number[] }) =>
        k.dtype === dtype &&
        k.shape.length === shape.length &&
        k.shape.every((n, i) => i === along || n === shape[i]);
      const all = [
        x,
        ...Array.from({ length: d.random.pick([0, 1, 1, 2, 7]) }, () => d.some(fits)),
      ];
      const size = all.reduce((sum, t) => sum + count(d.kind(t).shape), 0);
      return size > d.most ? undefined : [all, axis];
    },
    (_f, tensors: readonly Dense[], axis: number = 0) => joined(tensors, axis),
  ),
  stack: known(
    (d) => {
      const x = d.floats(0, 3);
      const { shape } = d.kind(x);
      const more = Array.from({ length: d.random.pick([0, 1, 2, 6]) }, () => d.shaped(shape));
      return count(shape) * (more.length + 1) > d.most ? undefined : [[x, ...more]];
    },
    (_f, tensors: readonly Dense[]) =>
      joined(
        tensors.map((t) => ({ ...t, shape: [1, ...t.shape] })),
        0,
      ),
  ),
  gather: known(
    (d) => {
      const table = d.some(({ shape }) => shape.length > 0);
      const ids = d.random.chance(0.5)
        ? d.fresh(d.random.pick(["i32", "u32"]), d.shape(d.random.below(3)), "index")
        : d.some(({ dtype, shape }) => (dtype === "i32" || dtype === "u32") && shape.length < 3);
      const size = count(d.kind(ids).shape) * count(d.kind(table).shape.slice(1));
      return size > d.most ? undefined : [table, ids];
    },
    (_f, table: Dense, ids: Dense) => {
      const rank = ids.shape.length;
      return make(table.dtype, [...ids.shape, ...table.shape.slice(1)], (at) => {
        const id = Math.min(Math.max(read(ids, at.slice(0, rank)), 0), table.shape[0]! - 1);
        return read(table, [id, ...at.slice(rank)]);
      });
    },
  ),
  bytes: known(
    (d) => {
      const shape = d.shape(d.random.below(4));
      const words = Math.ceil(count(shape) / 4);
      return [d.fresh("u32", [words], "wide"), shape];
    },
    (_f, words: Dense, shape: readonly number[]) =>
      make("u32", shape, (at) => {
        const place = flat(shape, at);
        return Math.floor(read(words, [place >> 2]) / 2 ** (8 * (place & 3))) % 256;
      }),
  ),
  computeTogether: known(
    (d) => [Array.from({ length: d.random.between(1, 4) }, () => d.some())],
    (_f, tensors: readonly Dense[]) => [...tensors],
  ),
};

/** The key's words and the stream say all: nothing is drawn. */
function drawn(
  key: Dense,
  stream: number,
  shape: readonly number[],
  of: (words: readonly [number, number]) => number,
) {
  return make("f32", shape, (at) =>
    of(fn.threefry([flat(shape, at), stream >>> 0], [key.data[0]!, key.data[1]!])),
  );
}

const part = (word: number) => (word >>> 8) * 2 ** -24;
const keyed = (d: Drawing) => d.fresh("u32", [2], "wide");

export const random: Readonly<Record<string, Known>> = {
  randomBits: known(
    (d) => [keyed(d), d.random.below(2 ** 32), d.shape(d.random.below(4))],
    (_f, key: Dense, stream: number, shape: readonly number[]) => ({
      ...drawn(key, stream, shape, ([a]) => a),
      dtype: "u32",
    }),
  ),
  randomUniform: known(
    (d) => [keyed(d), d.random.below(99), d.shape(d.random.below(4))],
    (f, key: Dense, stream: number, shape: readonly number[]) =>
      drawn(key, stream, shape, ([a]) => f.stored(part(a))),
  ),
  randomNormal: known(
    (d) => [keyed(d), d.random.below(99), d.shape(d.random.below(4))],
    (f, key: Dense, stream: number, shape: readonly number[]) =>
      drawn(key, stream, shape, ([a, b]) => {
        // The logarithm of a number near 1 has lost its digits.
        const size = Math.sqrt(Math.max(f(-2 * Math.log(1 - part(a)), 8, 2 ** -20), 0));
        return f(size * Math.cos(2 * Math.PI * part(b)), 8, 4e-6);
      }),
  ),
  dropout: known(
    (d) => [
      d.floats(),
      d.random.pick([0, 0.25, 0.5, 0.9]),
      { key: keyed(d), stream: d.random.below(9) },
    ],
    (f, x: Dense, rate: number, { key, stream }: { key: Dense; stream: number }) =>
      rate === 0
        ? x
        : make("f32", x.shape, (at) => {
            const i = flat(x.shape, at);
            const [word] = fn.threefry([i, stream], [key.data[0]!, key.data[1]!]);
            return part(word) >= rate ? f(x.data[i]! / (1 - rate)) : 0;
          }),
  ),
};
