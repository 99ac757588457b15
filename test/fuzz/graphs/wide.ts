/** Tensors that are worth keeping, and what reads them in other shapes: compiled, too large to be run here. */
import { type Graph, trace } from "../../../compiler/graph/graph.ts";
import { input } from "../../../compiler/graph/sources.ts";
import type { Tensor } from "../../../compiler/graph/tensor.ts";
import * as ops from "../../../ops/index.ts";
import type { Random } from "../random.ts";
import { copied } from "./twice.ts";

type F = Tensor<"f32">;

const f32 = (name: string, shape: readonly number[]) => input(name, "f32", shape) as unknown as F;

const steps = {
  norm: (x: F): F => {
    const size = ops.mean(ops.mul(x, x) as F, -1, "keep") as unknown as F;
    return ops.mul(x, ops.rsqrt(ops.add(size, 1e-6) as F) as F) as F;
  },
  scale: (x: F, i: number): F => ops.mul(x, f32(`g${i}`, x.shape.slice(-1) as number[])) as F,
  gelu: (x: F): F => ops.gelu(x) as F,
  sigmoid: (x: F): F => ops.sigmoid(x) as F,
  softplus: (x: F): F => ops.softplus(x) as F,
};

/** A batch of rows as one, in some ways. */
const views = {
  reshape: (x: F, flat: readonly number[]): F => ops.reshape(x, flat) as unknown as F,
  "two reshapes": (x: F, flat: readonly number[]): F => {
    const [rows, width] = flat as [number, number];
    return ops.reshape(ops.reshape(x, [2, rows, width / 2]), flat) as unknown as F;
  },
  "still reshape": (x: F, flat: readonly number[]): F =>
    ops.reshape(ops.stopGradient(x), flat) as unknown as F,
};

export interface Wide {
  readonly batch: number;
  readonly rows: number;
  readonly width: number;
  readonly columns: number;
  readonly steps: readonly (keyof typeof steps)[];
  readonly readers: readonly (keyof typeof views)[];
  /** Whether something reads it as it is, too. */
  readonly isRead: boolean;
}

export function drawWide(random: Random): Wide {
  const some = <T>(least: number, most: number, of: readonly T[]) =>
    Array.from({ length: random.between(least, most) }, () => random.pick(of));
  return {
    batch: random.pick([1, 1, 2]),
    rows: random.pick([128, 256]),
    width: random.pick([128, 256]),
    columns: random.pick([512, 1024]),
    steps: some(1, 4, Object.keys(steps) as (keyof typeof steps)[]),
    readers: some(2, 4, Object.keys(views) as (keyof typeof views)[]),
    isRead: random.chance(0.5),
  };
}

export const wideFault = (wide: Wide): string | undefined => copied(wideGraph(wide));

export function wideGraph({ batch, rows, width, columns, ...drawn }: Wide): Graph {
  return trace(() => {
    const x = f32("x", [batch, rows, width]);
    const held = drawn.steps.reduce((y, step, i) => steps[step](y, i), x);
    const products = drawn.readers.map(
      (view, i) =>
        ops.matmul(
          views[view](held, [batch * rows, width]),
          f32(`w${i}`, [width, columns]),
        ) as unknown as F,
    );
    // Each is returned after something of its own: sums of products may be one product.
    const named = products.map((y, i) => [`y${i}`, ops.mul(y, ops.sigmoid(y) as F)] as const);
    const skip = drawn.isRead ? { skip: ops.add(held, x) } : {};
    return { ...Object.fromEntries(named), ...skip } as unknown as Record<string, Tensor>;
  }, {});
}
