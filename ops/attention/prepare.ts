/** What the op is given for what attention is asked: views, and what would be too much for one kernel. */
import { sameShape, type Tensor } from "../../compiler/op-kit.ts";
import { add } from "../elementwise/add.ts";
import { and } from "../elementwise/and.ts";
import { where } from "../elementwise/where.ts";
import { transpose } from "../matmul/matmul.ts";
import { broadcastTo } from "../views/broadcast.ts";
import { reshape } from "../views/reshape.ts";
import { slice } from "../views/slice.ts";
import type { AttentionAttrs, Extra, Grid } from "./definition.ts";
import { type AttentionOptions, checked } from "./options.ts";
import { relativeShares, relativeTerms } from "./relative.ts";
import { existing } from "./visible.ts";

/** What the op takes. */
export interface Prepared {
  readonly inputs: readonly Tensor[];
  readonly attrs: AttentionAttrs;
}

/** Of arguments as users write them. Throws E101 for what does not fit. */
export function prepared(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions): Prepared {
  const { scale, offset, bias, mask, lengths, relative } = checked(q, k, v, options);
  const [batch, heads, queries, depth] = q.shape as [number, number, number, number];
  const [, shared, all] = k.shape as [number, number, number];
  // Heads that share keys and values are rows of one head: nothing is repeated.
  const rows = [batch, shared, (heads / shared) * queries];
  // Keys behind the last query are cut off, but for those of a grid, which is whole.
  const keys =
    relative || offset === undefined ? all : Math.min(all, Math.max(1, queries + offset));
  const cut = (x: Tensor, axis: number): Tensor =>
    slice(x, [...new Array(axis).fill([]), [0, keys]]);
  const spread = (x: Tensor): Tensor =>
    shaped(cut(broadcastTo(x, [batch, heads, queries, all]), 3), [...rows, keys]);
  const ofKeys = (x: Tensor): Tensor => cut(broadcastTo(x, [batch, shared, 1, all]), 3);
  const isOfKeys = ({ shape }: Tensor) =>
    (shape.at(-2) ?? 1) === 1 && (heads === shared || (shape.at(-3) ?? 1) === 1);
  const given: Given = {
    ...{ k: cut(k, 2), v: cut(v, 2), grid: relative?.grid },
    extras: {
      ...(bias && { bias: spread(bias) }),
      ...(relative && {
        relative: relativeTerms(q, relative.height, relative.width, relative.grid),
      }),
      ...(mask && { mask: isOfKeys(mask) ? ofKeys(mask) : spread(mask) }),
      ...(lengths && { lengths }),
    },
  };
  const final = narrowed(given, [...rows, keys]);
  const isCausal = offset !== undefined && offset < keys - 1;
  return {
    inputs: [shaped(q, [...rows, depth]), final.k, final.v, ...Object.values(final.extras)],
    attrs: {
      ...{ scale, grid: final.grid, extras: Object.keys(final.extras) as Extra[] },
      causal: isCausal ? { offset: Math.max(offset, -queries), queries } : undefined,
    },
  };
}

interface Given {
  readonly k: Tensor;
  readonly v: Tensor;
  readonly grid: Grid | undefined;
  readonly extras: { readonly [E in Extra]?: Tensor };
}

/**
 * A kernel binds eight buffers, and a gradient's has six without extras: what makes more than two of these is
 * computed in front of the kernel.
 */
function narrowed(given: Given, scores: readonly number[]): Given {
  const { k, v, grid, extras } = given;
  const { bias, relative, mask, lengths } = extras;
  if (Object.keys(extras).length <= 2) return given;
  if (mask && lengths) {
    const exist = existing(lengths, scores[3]!);
    const known = (x: Tensor): Tensor => where(transpose(exist), x, 0);
    const both: Tensor = and(mask, exist);
    const left = { ...(bias && { bias }), ...(relative && { relative }), mask: both };
    return narrowed({ k: known(k), v: known(v), grid, extras: left }, scores);
  }
  const sum: Tensor = add(bias!, relativeShares(relative!, grid!, scores));
  return {
    ...{ k, v, grid: undefined },
    extras: { bias: sum, ...(mask && { mask }), ...(lengths && { lengths }) },
  };
}

export const shaped = (x: Tensor, shape: readonly number[]): Tensor =>
  sameShape(x.shape, shape) ? x : (reshape(x, shape) as Tensor);
