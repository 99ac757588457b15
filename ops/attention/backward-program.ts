/**
 * The gradients of attention as tile programs. Weights are made again from scores and row statistics, so no
 * score is ever stored, and no two workgroups add to one place.
 */
import {
  type KernelSite,
  literal,
  single,
  span,
  type TileProgram,
  type Value,
} from "../../compiler/op-kit.ts";
import { type BackwardAttrs, backwardOperands, wantedPorts } from "./backward-definition.ts";
import { isOpen } from "./definition.ts";
import { spansOf } from "./program.ts";
import { addedTo, isOn, read, sightOf, sightOfKeys, slopeOf, weightOf } from "./scores.ts";
import { seenBy } from "./visible.ts";

/** `m` queries of a workgroup; keys and values go by, at least `n` at a time. */
export function queryGradientProgram(
  site: KernelSite<BackwardAttrs>,
  m: number,
  n: number,
): TileProgram {
  const { k, inputs, outputs, attrs } = site;
  const { q, k: key, v, g, saved, ...hiding } = backwardOperands(inputs, attrs);
  const [batch, heads, queries, depth] = q.shape as [number, number, number, number];
  const [keys, out] = [v.shape[2]!, v.shape[3]!];
  const { query, relative } = wantedPorts(attrs, outputs);
  const grid = attrs.grid ?? ([1, 1] as const);
  const groups = [Math.ceil(queries / m), heads, batch] as const;
  return {
    name: "attentionQueryGradient",
    groups,
    body(t) {
      const lead = [k.group(2, batch), k.group(1, heads)] as const;
      const rows = span(queries, m, k.group(0, groups[0]));
      const { inner, outer, channels } = spansOf(t, depth, out);
      const terms = span(grid[0] + grid[1], t.whole(grid[0] + grid[1], "columns"));
      const size = t.whole(n, "columns");
      const seen = seenBy(hiding, attrs.causal, lead);
      const own = t.load(rows, inner, (r, d) => q.at(...lead, r, d).mul(attrs.scale));
      const arrived = t.load(rows, outer, (r, d) => g.at(...lead, r, d));
      const saving = (i: number) => (r: Value) => saved.at(...lead, r, literal(i, "u32"));
      const [most, logSum, delta] = [0, 1, 2].map((i) => t.load(rows, single, saving(i)));
      const first = [
        ...(query ? [t.fill(m, channels.size, 0)] : []),
        ...(relative ? [t.fill(m, terms.size, 0)] : []),
      ];
      const sums = t.loop(
        Math.ceil(keys / size),
        first,
        (step, sums) => {
          const columns = span(keys, size, step);
          const turned = t.load(inner, columns, (d, c) => key.at(...lead, c, d));
          const scores = t.dot(t.fill(m, size, 0), own, turned);
          // Beyond the last key there is no weight.
          const added = t.load(rows, columns, addedTo(site, lead), Number.NEGATIVE_INFINITY);
          const sight = isOpen(attrs) ? [] : [t.load(...sightOf(seen, rows, columns))];
          const weight = t.map([scores, added, most!, logSum!, ...sight], weightOf);
          const values = t.load(outer, columns, (d, c) => v.at(...lead, c, d));
          const change = t.dot(t.fill(m, size, 0), arrived, values);
          const slope = t.map([weight, change, delta!, ...sight], slopeOf);
          const by = [
            ...(query
              ? [() => t.load(columns, channels, (c, d) => read(seen, c, key.at(...lead, c, d)))]
              : []),
            ...(relative ? [() => t.load(columns, terms, (c, i) => isOn(c, i, grid))] : []),
          ];
          return sums.map((sum, i) => t.dot(sum, slope, by[i]!()));
        },
        seen.any && ((step) => seen.any!(rows, span(keys, size, step))),
      );
      if (query) {
        const scaled = t.map([sums[0]!], (x) => x!.mul(attrs.scale));
        t.store(scaled, rows, channels, (x, r, d) => query.put(x, ...lead, r, d));
      }
      if (relative) t.store(sums.at(-1)!, rows, terms, (x, r, i) => relative.put(x, ...lead, r, i));
    },
  };
}

/** `m` keys of a workgroup; queries and their cotangents go by, at least `n` at a time. */
export function keyValueGradientProgram(
  site: KernelSite<BackwardAttrs>,
  m: number,
  n: number,
): TileProgram {
  const { k, inputs, outputs, attrs } = site;
  const { q, k: key, v, g, saved, ...hiding } = backwardOperands(inputs, attrs);
  const [batch, heads, queries, depth] = q.shape as [number, number, number, number];
  const [keys, out] = [v.shape[2]!, v.shape[3]!];
  const wanted = wantedPorts(attrs, outputs);
  const groups = [Math.ceil(keys / m), heads, batch] as const;
  return {
    name: "attentionKeyValueGradient",
    groups,
    body(t) {
      const lead = [k.group(2, batch), k.group(1, heads)] as const;
      const rows = span(keys, m, k.group(0, groups[0]));
      const { inner, outer, channels, results } = spansOf(t, depth, out);
      const size = t.whole(n, "columns");
      const seen = seenBy(hiding, attrs.causal, lead);
      const own = t.load(rows, inner, (r, d) => key.at(...lead, r, d).mul(attrs.scale));
      const values = wanted.key ? [t.load(rows, outer, (r, d) => v.at(...lead, r, d))] : [];
      const first = [
        ...(wanted.key ? [t.fill(m, channels.size, 0)] : []),
        ...(wanted.value ? [t.fill(m, results.size, 0)] : []),
      ];
      const sums = t.loop(
        Math.ceil(queries / size),
        first,
        (step, sums) => {
          const columns = span(queries, size, step);
          const saving = (i: number) => (_: Value, c: Value) =>
            saved.at(...lead, c, literal(i, "u32"));
          const statistic = (i: number) => t.load(single, columns, saving(i));
          const turned = t.load(inner, columns, (d, c) => q.at(...lead, c, d));
          const scores = t.dot(t.fill(m, size, 0), own, turned);
          const shares = addedTo(site, lead);
          const added = t.load(rows, columns, (r, c) => shares(c, r), Number.NEGATIVE_INFINITY);
          const sight = isOpen(attrs) ? [] : [t.load(...sightOfKeys(seen, rows, columns))];
          const weight = t.map([scores, added, statistic(0), statistic(1), ...sight], weightOf);
          const slopes = values.map((value) => {
            const arrived = t.load(outer, columns, (d, c) => g.at(...lead, c, d));
            const change = t.dot(t.fill(m, size, 0), value, arrived);
            return t.map([weight, change, statistic(2), ...sight], slopeOf);
          });
          const ofKeys = slopes.map((slope) =>
            t.dot(
              sums[0]!,
              slope,
              t.load(columns, channels, (c, d) => q.at(...lead, c, d)),
            ),
          );
          if (!wanted.value) return ofKeys;
          const cotangents = t.load(columns, results, (c, d) => g.at(...lead, c, d));
          return [...ofKeys, t.dot(sums.at(-1)!, weight, cotangents)];
        },
        seen.any && ((step) => seen.any!(span(queries, size, step), rows)),
      );
      if (wanted.key) {
        const scaled = t.map([sums[0]!], (x) => x!.mul(attrs.scale));
        t.store(scaled, rows, channels, (x, r, d) => wanted.key!.put(x, ...lead, r, d));
      }
      if (wanted.value)
        t.store(sums.at(-1)!, rows, results, (x, r, d) => wanted.value!.put(x, ...lead, r, d));
    },
  };
}
