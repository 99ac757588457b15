/** Small programs in tiles, by which lowerings are tested. */
import { type KernelSite, literal, single, span, type TileProgram } from "../../compiler/op-kit.ts";

type Site = Pick<KernelSite<null>, "k" | "inputs" | "outputs">;
/** `m` rows and `n` columns of a workgroup. */
export type Made = (site: Site, m: number, n: number) => TileProgram;

export const [rows, deep, columns] = [13, 10, 21] as const;
export const shapes = { a: [rows, deep], b: [deep, columns], c: [columns, deep] } as const;

/** Tiles over all of a result of `height` x `width`: a workgroup for each. */
export const tiled =
  (height: number, width: number, body: (site: Site, at: Places) => TileProgram["body"]): Made =>
  (site, m, n) => {
    const groups = [Math.ceil(width / n), Math.ceil(height / m), 1] as const;
    const at = {
      ...{ m, n },
      rows: span(height, m, site.k.group(1, groups[1])),
      columns: span(width, n, site.k.group(0, groups[0])),
    };
    return { name: "small", groups, body: body(site, at) };
  };

interface Places {
  readonly m: number;
  readonly n: number;
  readonly rows: ReturnType<typeof span>;
  readonly columns: ReturnType<typeof span>;
}

export const programs: Readonly<
  Record<string, { readonly shape: readonly number[]; readonly of: Made }>
> = {
  "a product, its depth in steps": {
    shape: [rows, columns],
    of: tiled(rows, columns, ({ inputs: [a, b], outputs: [y] }, { m, n, rows, columns }) => (t) => {
      const size = t.whole(3, "depth");
      const [sum] = t.loop(Math.ceil(deep / size), [t.fill(m, n, 0)], (step, [sum]) => {
        const depth = span(deep, size, step);
        const left = t.load(rows, depth, (r, d) => a!.at(r, d));
        return [
          t.dot(
            sum,
            left,
            t.load(depth, columns, (d, c) => b!.at(d, c)),
          ),
        ];
      });
      t.store(sum, rows, columns, (x, r, c) => y!.put(x, r, c));
    }),
  },
  "a chain of products: what is computed is multiplied": {
    shape: [rows, deep],
    of: tiled(
      rows,
      deep,
      ({ inputs: [a, b, c], outputs: [y] }, { m, n, rows, columns: out }) =>
        (t) => {
          const inner = span(deep, t.whole(deep, "depth"));
          const middle = span(columns, t.whole(columns, "columns"));
          const first = t.dot(
            t.fill(m, middle.size, 0),
            t.load(rows, inner, (r, d) => a!.at(r, d)),
            t.load(inner, middle, (d, j) => b!.at(d, j)),
          );
          const bent = t.map([first], (x) => x!.mul(x!));
          const right = t.load(middle, out, (j, d) => c!.at(j, d));
          t.store(t.dot(t.fill(m, n, 1), bent, right), rows, out, (x, r, d) => y!.put(x, r, d));
        },
    ),
  },
  "folds both ways, and vectors that stand for all": {
    shape: [rows, deep],
    of: tiled(rows, deep, ({ inputs: [a], outputs: [y] }, { rows, columns }) => (t) => {
      const x = t.load(rows, columns, (r, c) => a!.at(r, c), -2);
      const high = t.fold("maxnum", x, "columns");
      const sums = t.fold("add", x, "rows");
      const all = t.fold("add", high, "rows");
      const mixed = t.map([x, high, sums, all], (p, q, r, s) => p!.sub(q!).add(r!.mul(s!)));
      t.store(mixed, rows, columns, (v, r, c) => y!.put(v, r, c));
    }),
  },
  "loops in loops, and carried tiles of several shapes that change places": {
    shape: [rows, columns],
    of: tiled(rows, columns, ({ inputs: [a, b], outputs: [y] }, { m, n, rows, columns }) => (t) => {
      // In every lowering: what is done in each step depends on how many there are.
      const size = t.whole(8, "depth");
      // It is read in the loop further in, and stays as it is.
      const kept = t.load(rows, span(deep, t.whole(deep, "depth")), (r, d) => a!.at(r, d));
      const whole = t.load(span(deep, t.whole(deep, "depth")), columns, (d, c) => b!.at(d, c));
      const first = [t.fill(m, n, 0), t.fill(m, 1, 1), t.fill(m, n, 2)] as const;
      const [x, level, z] = t.loop(3, first, (i, [x, level, z]) => {
        const [next] = t.loop(Math.ceil(deep / size), [x], (step, [sum]) => {
          const depth = span(deep, size, step);
          const left = t.load(rows, depth, (r, d) => a!.at(r, d).add(i.cast("f32")));
          const right = t.load(depth, columns, (d, c) => b!.at(d, c));
          const twice = t.dot(
            t.map([sum], (v) => v!.mul(0.5)),
            left,
            right,
          );
          return [t.dot(twice, kept, whole)];
        });
        const high = t.map([level, t.fold("maxnum", next, "columns")], (p, q) => p!.maxnum(q!));
        return [z, high, next] as const;
      });
      const out = t.map([x, level, z], (p, q, r) => p!.add(q!).sub(r!.mul(0.25)));
      t.store(out, rows, columns, (v, r, c) => y!.put(v, r, c));
    }),
  },
  "a sum that others read is not written over": {
    shape: [rows, columns],
    of: tiled(rows, columns, ({ inputs: [a, b], outputs: [y] }, { m, n, rows, columns }) => (t) => {
      const depth = span(deep, t.whole(deep, "depth"));
      const left = t.load(rows, depth, (r, d) => a!.at(r, d));
      const right = t.load(depth, columns, (d, c) => b!.at(d, c));
      const start = t.dot(t.fill(m, n, 0), left, right);
      const [end] = t.loop(2, [start], (_, [x]) => [t.map([x], (v) => v!.add(1))]);
      const [more] = t.loop(2, [t.fill(m, 1, 0)], (_, [x]) => {
        const again = t.dot(
          t.map([start], (v) => v!),
          left,
          right,
        );
        return [t.map([x, t.fold("add", again, "columns")], (p, q) => p!.add(q!))];
      });
      t.store(
        t.map([start, end, more], (p, q, r) => p!.sub(q!.mul(3)).add(r!)),
        rows,
        columns,
        (v, r, c) => y!.put(v, r, c),
      );
    }),
  },
  "a sum that is read a round later": {
    shape: [rows, columns],
    of: tiled(rows, columns, ({ inputs: [a, b], outputs: [y] }, { m, n, rows, columns }) => (t) => {
      const depth = span(deep, t.whole(deep, "depth"));
      const left = t.load(rows, depth, (r, d) => a!.at(r, d));
      const right = t.load(depth, columns, (d, c) => b!.at(d, c));
      const first = [t.fill(m, n, 1), t.fill(m, n, 2)] as const;
      const [last] = t.loop(3, first, (_, [x, before]) => {
        const half = t.map([before], (v) => v!.mul(0.5));
        return [t.dot(half, left, right), x] as const;
      });
      t.store(last, rows, columns, (v, r, c) => y!.put(v, r, c));
    }),
  },
  "a product whose left side is lower triangular: rounds that change nothing": {
    shape: [rows, columns],
    of: tiled(rows, columns, ({ inputs: [a, b], outputs: [y] }, { m, n, rows, columns }) => (t) => {
      const size = t.whole(2, "depth");
      const start = t.fill(m, n, 0);
      const [sum] = t.loop(
        Math.ceil(deep / size),
        [start],
        (step, [sum]) => {
          const depth = span(deep, size, step);
          const left = t.load(rows, depth, (r, d) => d.le(r).select(a!.at(r, d), 0));
          return [
            t.dot(
              sum,
              left,
              t.load(depth, columns, (d, c) => b!.at(d, c)),
            ),
          ];
        },
        (step) => step.mul(size).lt(rows.block.add(1).mul(m)),
      );
      t.store(sum, rows, columns, (x, r, c) => y!.put(x, r, c));
    }),
  },
  "a sum from outside of a loop begins anew in each round": {
    shape: [rows, columns],
    of: tiled(rows, columns, ({ inputs: [a, b], outputs: [y] }, { m, n, rows, columns }) => (t) => {
      const depth = span(deep, t.whole(deep, "depth"));
      const left = t.load(rows, depth, (r, d) => a!.at(r, d));
      const right = t.load(depth, columns, (d, c) => b!.at(d, c));
      const start = t.dot(t.fill(m, n, 0), left, right);
      const [total] = t.loop(3, [t.fill(m, n, 0)], (_, [total]) => [
        t.map([total, t.dot(start, left, right)], (p, q) => p!.add(q!)),
      ]);
      t.store(total, rows, columns, (v, r, c) => y!.put(v, r, c));
    }),
  },
  "vectors are stored once, from loops that carry nothing": {
    shape: [rows + deep],
    of: ({ inputs: [a], outputs: [y] }, m, n) => ({
      name: "vectors",
      groups: [1, 1, 1],
      body(t) {
        const across = span(deep, n * Math.ceil(deep / n));
        t.loop(Math.ceil(rows / m), [], (step) => {
          const down = span(rows, m, step);
          const x = t.load(down, across, (r, c) => a!.at(r, c));
          t.store(t.fold("add", x, "columns"), down, single, (v, r) => y!.put(v, r));
          return [];
        });
        const first = t.load(single, across, (_, c) => a!.at(literal(0, "u32"), c));
        const twice = t.map([first], (v) => v!.mul(2));
        t.store(twice, single, across, (v, _, c) => y!.put(v, c.add(rows)));
      },
    }),
  },
};
