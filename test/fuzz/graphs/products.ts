/** Products of matrices. */
import type { Arithmetic } from "./arithmetic.ts";
import { broadcast, count, type Dense, make, read } from "./dense.ts";
import { type Drawing, type Known, known, type Ref } from "./known.ts";
import { total } from "./lines.ts";

const transposed = (x: Dense): Dense => {
  const [m, n] = x.shape.slice(-2) as [number, number];
  return make(x.dtype, [...x.shape.slice(0, -2), n, m], (at) =>
    read(x, [...at.slice(0, -2), at.at(-1)!, at.at(-2)!]),
  );
};

/** An element of a batch that is broadcast. */
const inBatch = (x: Dense, batch: readonly number[], i: number, j: number) => {
  const own = x.shape.slice(0, -2);
  const lead = batch.length - own.length;
  return read(x, [...own.map((n, axis) => (n === 1 ? 0 : batch[lead + axis]!)), i, j]);
};

function products(segments: readonly (readonly [Dense, Dense])[], f: Arithmetic): Dense {
  const batch = broadcast(...segments.flat().map((x) => x.shape.slice(0, -2)))!;
  const shape = [...batch, segments[0]![0].shape.at(-2)!, segments[0]![1].shape.at(-1)!];
  return make("f32", shape, (at) => {
    const terms: number[] = [];
    for (const [a, b] of segments)
      for (let k = 0; k < a.shape.at(-1)!; k++)
        terms.push(
          inBatch(a, at.slice(0, -2), at.at(-2)!, k) * inBatch(b, at.slice(0, -2), k, at.at(-1)!),
        );
    return total(terms, "f32", f);
  });
}

/** Another operand [.., k, n] for the product with a tensor [.., m, k], or its transpose. */
function right(d: Drawing, left: Ref, isTurned: boolean, depth = d.kind(left).shape.at(-1)!): Ref {
  const fits = (s: readonly number[]) => s.at(isTurned ? -1 : -2) === depth;
  const batch = d.kind(left).shape.slice(0, -2);
  if (d.random.chance(0.5))
    return d.some(
      ({ dtype, shape }) =>
        dtype === "f32" &&
        shape.length >= 2 &&
        shape.length <= 4 &&
        fits(shape) &&
        broadcast(shape.slice(0, -2), batch) !== undefined,
    );
  const n = d.size(9);
  const own = d.random.chance(0.6) ? [] : batch.map((m) => (d.random.chance(0.3) ? 1 : m));
  return d.fresh("f32", [...own, ...(isTurned ? [n, depth] : [depth, n])]);
}

const sizeOfProduct = (d: Drawing, a: Ref, b: Ref, n: number) => {
  const batch = broadcast(d.kind(a).shape.slice(0, -2), d.kind(b).shape.slice(0, -2));
  return batch === undefined ? Infinity : count(batch) * d.kind(a).shape.at(-2)! * n;
};

type Turn = "left" | "right" | "both" | "none";

export const productOps: Readonly<Record<string, Known>> = {
  matmul: known(
    (d) => {
      const a = d.floats(2, 4);
      const turn: Turn = d.random.pick(["none", "none", "none", "right", "left", "both"]);
      const isLeft = turn === "left" || turn === "both";
      const isRight = turn === "right" || turn === "both";
      const b = right(d, a, isRight, d.kind(a).shape.at(isLeft ? -2 : -1)!);
      if (sizeOfProduct(d, a, b, d.kind(b).shape.at(isRight ? -2 : -1)!) > d.most) return undefined;
      return turn === "none" ? [a, b] : [a, b, { transpose: turn }];
    },
    (f, a: Dense, b: Dense, { transpose = "none" }: { transpose?: Turn } = {}) => {
      const [l, r] = [
        transpose === "left" || transpose === "both",
        transpose === "right" || transpose === "both",
      ];
      return products([[l ? transposed(a) : a, r ? transposed(b) : b]], f);
    },
  ),
  matmulSegments: known(
    (d) => {
      const [m, n] = [d.size(9), d.size(9)];
      const batch = d.random.chance(0.3) ? [d.size(3)] : [];
      const pairs = Array.from({ length: d.random.between(1, 3) }, () => {
        const depth = d.size(9);
        return [d.fresh("f32", [...batch, m, depth]), d.fresh("f32", [...batch, depth, n])];
      });
      return [pairs];
    },
    (f, pairs: readonly (readonly [Dense, Dense])[]) => products(pairs, f),
  ),
};
