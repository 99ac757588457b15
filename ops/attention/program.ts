/**
 * Attention as a tile program: rows are queries, and softmax is kept up to date as tiles of keys go by
 * (online softmax, Milakov and Gimelshein, arXiv 1805.02867), so that no score is ever stored.
 */
import {
  type KernelSite,
  literal,
  single,
  span,
  type TileProgram,
  type Tiles,
} from "../../compiler/op-kit.ts";
import { type AttentionAttrs, leastLevel, operands } from "./definition.ts";
import { read, relativeShare, sightOf } from "./scores.ts";
import { seenBy } from "./visible.ts";

/**
 * The channels of queries and keys, and of values: as a depth that products sum over (`inner`, `outer`) and
 * as columns of a sum (`channels`, `results`).
 */
export const spansOf = (t: Pick<Tiles, "whole">, depth: number, out: number) => ({
  inner: span(depth, t.whole(depth, "depth")),
  outer: span(out, t.whole(out, "depth")),
  channels: span(depth, t.whole(depth, "columns")),
  results: span(out, t.whole(out, "columns")),
});

/** `m` queries of a workgroup, and at least `n` keys at a time. */
export function attentionProgram(
  { k, inputs, outputs, attrs }: KernelSite<AttentionAttrs>,
  m: number,
  n: number,
): TileProgram {
  const { q, k: key, v, bias, relative, ...hiding } = operands(inputs, attrs);
  const [batch, heads, queries, depth] = q.shape as [number, number, number, number];
  const [keys, out] = [v.shape[2]!, v.shape[3]!];
  const groups = [Math.ceil(queries / m), heads, batch] as const;
  const [result, statistics, kept] = outputs;
  return {
    name: "attention",
    groups,
    body(t) {
      const [b, head] = [k.group(2, batch), k.group(1, heads)];
      const rows = span(queries, m, k.group(0, groups[0]));
      const { inner, results: outer } = spansOf(t, depth, out);
      const size = t.whole(n, "columns");
      const share =
        relative && attrs.grid && relativeShare(k, relative, attrs.grid, q.shape, [b, head]);
      const seen = seenBy(hiding, attrs.causal, [b, head]);
      // With the scale in it a score is a sum and nothing more: no device computes it in two ways.
      const own = t.load(rows, inner, (r, d) => q.at(b, head, r, d).mul(attrs.scale));
      const first = [t.fill(m, 1, leastLevel), t.fill(m, 1, 0), t.fill(m, outer.size, 0)] as const;
      const [most, total, sum] = t.loop(
        Math.ceil(keys / size),
        first,
        (step, [most, total, sum]) => {
          const columns = span(keys, size, step);
          const turned = t.load(inner, columns, (d, c) => key.at(b, head, c, d));
          const product = t.dot(t.fill(m, size, 0), own, turned);
          const shares = [
            ...(bias ? [t.load(rows, columns, (r, c) => bias.at(b, head, r, c))] : []),
            ...(share ? [t.load(rows, columns, share)] : []),
          ];
          const isThere = t.load(...sightOf(seen, rows, columns));
          const score = t.map([isThere, product, ...shares], (there, s, ...more) =>
            there!.eq(0).select(
              Number.NEGATIVE_INFINITY,
              more.reduce((x, y) => x.add(y), s!),
            ),
          );
          const high = t.map([most, t.fold("maxnum", score, "columns")], (x, y) => x!.maxnum(y!));
          const shrink = t.map([most, high], (x, y) => x!.sub(y!).exp());
          const weight = t.map([score, high], (x, y) => x!.sub(y!).exp());
          const sums = t.map([total, shrink, t.fold("add", weight, "columns")], (x, s, w) =>
            x!.fma(s!, w!),
          );
          const values = t.load(columns, outer, (c, d) => read(seen, c, v.at(b, head, c, d)));
          const shrunk = t.map([sum, shrink], (x, s) => x!.mul(s!));
          return [high, sums, t.dot(shrunk, weight, values)] as const;
        },
        seen.any && ((step) => seen.any!(rows, span(keys, size, step))),
      );
      const inverse = t.map([total], (x) => literal(1, "f32").div(x!));
      const mean = t.map([sum, inverse], (x, y) => x!.mul(y!));
      t.store(mean, rows, outer, (x, r, d) => result!.put(x, b, head, r, d));
      if (!statistics && !kept) return;
      const logSum = t.map([total], (x) => x!.log());
      const both = t.map([most, logSum], (x, y) => x!.add(y!));
      t.store(both, rows, single, (x, r) => statistics?.put(x, b, head, r));
      t.store(most, rows, single, (x, r) => kept?.put(x, b, head, r, literal(0, "u32")));
      t.store(logSum, rows, single, (x, r) => kept?.put(x, b, head, r, literal(1, "u32")));
    },
  };
}
