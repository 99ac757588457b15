/** The tiled kernel of matmul: tiles of both operands in workgroup memory, sums in registers. */
import {
  type Buffer,
  type Builder,
  bounded,
  elements,
  type In,
  type Kernel,
  type KernelSite,
  literal,
  type Profile,
  unflatten,
  type Value,
} from "../compiler/op.ts";

/** Rows, columns and depth of a workgroup's tile; rows and columns of one thread's. */
export interface Tile {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly rm: number;
  readonly rn: number;
}

export function sharedTile(m: number, n: number, _k: number, _profile: Profile): Tile {
  if (m <= 16) return { m: 16, n: 32, k: 16, rm: 2, rn: 4 };
  if (n <= 16) return { m: 32, n: 16, k: 16, rm: 4, rn: 2 };
  return { m: 32, n: 32, k: 16, rm: 4, rn: 4 };
}

export function sharedMatmul({ k, inputs, outputs, profile }: KernelSite<null>): Kernel {
  const out = outputs[0]!;
  const [M, N] = [out.shape.at(-2)!, out.shape.at(-1)!];
  const batch = out.shape.slice(0, -2);
  const depth = inputs.reduce((sum, x, i) => (i % 2 ? sum : sum + x.shape.at(-1)!), 0);
  const tile = sharedTile(M, N, depth, profile);
  const [across, down] = [tile.n / tile.rn, tile.m / tile.rm];
  const threads = across * down;
  const groups: Kernel["groups"] = [Math.ceil(N / tile.n), Math.ceil(M / tile.m), elements(batch)];
  const id = k.thread(0, threads);
  const [row, col] = [k.let("row", id.div(across)), k.let("col", id.mod(across))];
  const m0 = k.let("m0", k.group(1, groups[1]).mul(tile.m));
  const n0 = k.let("n0", k.group(0, groups[0]).mul(tile.n));
  const lead = unflatten(batch, k.group(2, groups[2]));
  const left = k.shared("left", tile.m * tile.k);
  const right = k.shared("right", tile.k * tile.n);
  const sums = Array.from({ length: tile.rm }, () =>
    Array.from({ length: tile.rn }, () => k.var("sum", literal(0, "f32"))),
  );

  for (let s = 0; s < inputs.length; s += 2) {
    const [a, b] = [inputs[s]!, inputs[s + 1]!];
    const K = a.shape.at(-1)!;
    const steps = Math.ceil(K / tile.k);
    k.for("step", steps, (step) => {
      const k0 = k.let("k0", step.mul(tile.k));
      stage(k, left, tile.m, tile.k, threads, (r, c) => guarded(k, a, lead, m0.add(r), k0.add(c)));
      stage(k, right, tile.k, tile.n, threads, (r, c) => guarded(k, b, lead, k0.add(r), n0.add(c)));
      k.barrier();
      k.for("quarter", tile.k / 4, (quarter) => {
        for (let part = 0; part < 4; part++) {
          const kk = quarter.mul(4).add(part);
          const av = sums.map((_, i) =>
            k.let("a", k.load(left, row.mul(tile.rm).add(i).mul(tile.k).add(kk))),
          );
          const bv = sums[0]!.map((_, j) =>
            k.let("b", k.load(right, kk.mul(tile.n).add(col.mul(tile.rn)).add(j))),
          );
          sums.forEach((r, i) => {
            r.forEach((sum, j) => {
              sum.set(av[i]!.fma(bv[j]!, sum.get));
            });
          });
        }
      });
      // Nothing overwrites the last tile of all.
      if (steps > 1 || s + 2 < inputs.length) k.barrier();
    });
  }

  // What melted behind is written once, in a loop, not once per sum.
  const held = k.local("held", tile.rm * tile.rn);
  sums.flat().forEach((sum, i) => {
    k.store(held, i, sum.get);
  });
  k.for("i", tile.rm * tile.rn, (i) => {
    const m = k.let("m", m0.add(row.mul(tile.rm)).add(i.div(tile.rn)));
    const n = k.let("n", n0.add(col.mul(tile.rn)).add(i.mod(tile.rn)));
    k.if(m.lt(M).and(n.lt(N)), () => {
      out.put(k.load(held, i), ...lead, bounded(m, M - 1), bounded(n, N - 1));
    });
  });
  return k.finish("matmul", [threads, 1, 1], groups);
}

/** All threads copy one tile into workgroup memory. */
function stage(
  k: Builder,
  to: Buffer,
  rows: number,
  cols: number,
  threads: number,
  at: (r: Value, c: Value) => Value,
): void {
  for (let i = 0; i < rows * cols; i += threads) {
    const e = k.let("e", k.thread(0, threads).add(i));
    k.if(e.lt(rows * cols), () => {
      k.store(to, e, at(e.div(cols), e.mod(cols)));
    });
  }
}

/** Reads zero outside the matrix. The load itself must stay inside: coordinates are clamped. */
function guarded(k: Builder, x: In, lead: readonly Value[], r: Value, c: Value): Value {
  const [rows, cols] = [x.shape.at(-2)!, x.shape.at(-1)!];
  const [rr, cc] = [k.let("r", r), k.let("c", c)];
  const inside = rr.lt(rows).and(cc.lt(cols));
  const value = x.at(...lead, rr.min(rows - 1), cc.min(cols - 1));
  return inside.select(value, literal(0, "f32"));
}
