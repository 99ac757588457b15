/**
 * The algebra of products: laws that compute the same matrices with less work, fewer kernels or fewer
 * bytes. What makes adapters cheap follows from them: LoRA's low-rank product becomes a second segment
 * of the product that it is added to, forwards and backwards, and no dense update is ever formed.
 *
 * A product here is a matmul that is read once; views of it (reshape, a swap of its axes) count as it.
 */
import {
  apply,
  elements,
  type KernelOp,
  type Rule,
  sameShape,
  type Tensor,
} from "../../compiler/op-kit.ts";
import { full, op as fullOp } from "../elementwise/full.ts";
import { mul, op as mulOp } from "../elementwise/mul.ts";
import { op as broadcastOp } from "../views/broadcast.ts";
import { concat, op as concatOp } from "../views/concat.ts";
import { permute, op as permuteOp } from "../views/permute.ts";
import { reshape, op as reshapeOp } from "../views/reshape.ts";

type Segments = readonly (readonly [Tensor, Tensor])[];

/** What the laws need of matmul, which cannot be imported here: it has these laws. */
export interface Products {
  readonly op: () => KernelOp<null>;
  readonly of: (segments: Segments) => Tensor;
}

type ReadOnce = (tensor: Tensor) => boolean;

interface Found {
  readonly product: Tensor;
  readonly factor: number;
}

interface Chain {
  readonly factors: readonly Tensor[];
  readonly cost: number;
}

interface Term extends Found {
  readonly rebuilt: (next: Tensor) => Tensor;
}

/** How many ops a law looks through: so that a longer graph takes no longer at each of its nodes. */
const farthest = 64;

/** The most factors of a chain whose order is looked for, and how deep its products are nested. */
const mostFactors = 16;

/** A kernel binds few buffers: two for each segment, the result, and what melts behind. */
const mostSegments = 3;

export function productRules({ op, of }: Products): readonly Rule[] {
  const isProduct = (t: Tensor) => t.node.op === op();
  const segmentsOf = ({ node: { inputs } }: Tensor): Segments =>
    inputs.flatMap((a, i) => (i % 2 ? [] : [[a, inputs[i + 1]!] as const]));

  /** The product that `t` is, seen through reshapes and factors. */
  const productIn = (t: Tensor, once: ReadOnce): Found | undefined => {
    let [inner, factor] = [t, 1];
    for (let around = 0; around < farthest && once(inner); around++) {
      if (isProduct(inner)) return { product: inner, factor };
      const { op: outer, inputs } = inner.node;
      if (outer !== reshapeOp && (outer !== mulOp || inner.dtype !== "f32")) return undefined;
      const [left, right] = outer === reshapeOp ? [undefined, 1] : inputs.map(constantIn);
      const times = right ?? left;
      if (times === undefined) return undefined;
      inner = inputs[right === undefined ? 1 : 0]!;
      factor *= times;
    }
    return undefined;
  };

  /** Segments with a factor in them: behind another product it costs nothing. */
  const scaled = ({ product, factor }: Found, once: ReadOnce): Segments =>
    factor === 1
      ? segmentsOf(product)
      : segmentsOf(product).map(([l, r]) =>
          productIn(l, once) || elements(l.shape) < elements(r.shape)
            ? [mul(l, factor), r]
            : [l, mul(r, factor)],
        );

  /** A product among the terms of a sum, and the sum with another in its place. */
  const termIn = (t: Tensor, like: Tensor, once: ReadOnce, depth = 0): Term | undefined => {
    const found = productIn(t, once);
    if (found && sameShape(found.product.shape, like.shape))
      return { ...found, rebuilt: (next) => reshape(next, t.shape) as Tensor };
    const { op: sum, inputs, attrs } = t.node;
    if (sum.kind !== "element" || !("sums" in sum) || !once(t) || depth === farthest)
      return undefined;
    for (const [i, x] of inputs.entries()) {
      const term = termIn(x, like, once, depth + 1);
      if (!term) continue;
      const others = (next: Tensor) =>
        inputs.map((other, j) => (j === i ? term.rebuilt(next) : other));
      return { ...term, rebuilt: (next) => apply(sum, others(next), attrs)[0]! };
    }
    return undefined;
  };

  const sumsShare: Rule = {
    name: "products that are added share one sum",
    apply({ results: [y], isReadOnce }) {
      const { op: sum, inputs } = y!.node;
      if (sum.kind !== "element" || !("sums" in sum) || inputs.length !== 2) return undefined;
      for (const [i, x] of inputs.entries()) {
        const found = productIn(x, isReadOnce);
        const term = found && termIn(inputs[1 - i]!, found.product, isReadOnce);
        if (!found || !term) continue;
        // What was there first stays first: its sum is the long one.
        const segments = [...scaled(term, isReadOnce), ...scaled(found, isReadOnce)];
        if (segments.length <= mostSegments) return [term.rebuilt(of(segments))];
      }
      return undefined;
    },
  };

  /** The factors of a chain of plain products, with what multiplying them as it stands costs. */
  const chainOf = (t: Tensor, once: ReadOnce, most = mostFactors): Chain => {
    const leaf = { factors: [t], cost: 0 };
    if (t.shape.length !== 2 || most < 2) return leaf;
    if (isProduct(t) && once(t) && t.node.inputs.length === 2) return chainBelow(t, once, most);
    if (!isSwap(t) || !once(t)) return leaf;
    const inner = chainOf(t.node.inputs[0]!, once, most - 1);
    if (inner.factors.length === 1) return leaf;
    return { factors: inner.factors.map(swapped).reverse(), cost: inner.cost };
  };
  const chainBelow = (t: Tensor, once: ReadOnce, most = mostFactors): Chain => {
    const [a, b] = t.node.inputs as [Tensor, Tensor];
    const left = chainOf(a, once, most - 1);
    const right = chainOf(b, once, most - left.factors.length);
    const own = a.shape[0]! * a.shape[1]! * b.shape[1]!;
    return {
      factors: [...left.factors, ...right.factors],
      cost: left.cost + right.cost + own,
    };
  };

  const cheapestOrder: Rule = {
    name: "a chain of products in its cheapest order",
    apply({ results: [y], isReadOnce }) {
      if (!isProduct(y!) || y!.shape.length !== 2 || y!.node.inputs.length !== 2) return undefined;
      const { factors, cost } = chainBelow(y!, isReadOnce);
      if (factors.length < 3) return undefined;
      const best = cheapest(factors.map((f) => f.shape as readonly [number, number]));
      if (best.cost >= cost) return undefined;
      return [inOrder(factors, best.split, 0, factors.length - 1, of)];
    },
  };

  const expanded: Rule = {
    name: "a product with a sum of which one term is thin",
    apply({ results: [y], isReadOnce }) {
      if (!isProduct(y!) || y!.shape.length !== 2 || y!.node.inputs.length !== 2) return undefined;
      const [x, w] = y!.node.inputs as [Tensor, Tensor];
      const isSwapped = isSwap(w) && isReadOnce(w);
      const sum = isSwapped ? w.node.inputs[0]! : w;
      if (sum.node.op.kind !== "element" || !("sums" in sum.node.op) || !isReadOnce(sum))
        return undefined;
      for (const [i, term] of sum.node.inputs.entries()) {
        const { factors, cost } = chainOf(term, isReadOnce);
        if (factors.length < 2) continue;
        const rest = sum.node.inputs[1 - i]!;
        const thin = isSwapped ? factors.map(swapped).reverse() : factors;
        const chain = [x, ...thin];
        const best = cheapest(chain.map((f) => f.shape as readonly [number, number]));
        // The terms' own product is saved, and their sum.
        if (best.cost >= cost + elements(sum.shape)) continue;
        const last = best.split(0, chain.length - 1);
        const left = inOrder(chain, best.split, 0, last, of);
        const right = inOrder(chain, best.split, last + 1, chain.length - 1, of);
        const base = isSwapped ? swapped(rest) : rest;
        return [
          of([
            [x, base],
            [left, right],
          ]),
        ];
      }
      return undefined;
    },
  };

  const sideBySide: Rule = {
    name: "products side by side are one",
    apply({ results: [y], isReadOnce }) {
      const { op: join, attrs, inputs } = y!.node;
      if (join !== concatOp || y!.shape.length !== 2) return undefined;
      if ((attrs as { axis: number }).axis !== 1) return undefined;
      const pieces = inputs.map((t) =>
        constantIn(t) === 0 ? ("zeros" as const) : productIn(t, isReadOnce),
      );
      if (pieces.includes(undefined)) return undefined;
      const found = pieces.filter((p) => p !== "zeros") as Found[];
      const { factor } = found[0] ?? { factor: Number.NaN };
      const products = found.map((f) => f.product);
      const isPlain = (p: Tensor) => p.shape.length === 2 && p.node.inputs.length === 2;
      if (found.some((f) => f.factor !== factor) || !products.every(isPlain)) return undefined;
      if (products.length === 0) return undefined;
      const lefts = [...new Set(products.map((p) => p.node.inputs[0]!))];
      const depth = lefts.reduce((sum, x) => sum + x.shape[1]!, 0);
      if (lefts.length > 1 && depth > thinDepth) return undefined;
      // Each left operand meets the columns of its own products, and zeros elsewhere.
      const rows = lefts.map((left) => {
        const columns = inputs.map((t, i) => {
          const piece = pieces[i] as Found | "zeros";
          const [own, right] = piece === "zeros" ? [] : piece.product.node.inputs;
          return own === left && right ? right : full(0, [left.shape[1]!, t.shape[1]!]);
        });
        return concat(columns as readonly Tensor<"f32">[], 1);
      });
      const joined = of([[concat(lefts, 1), concat(rows, 0)]]);
      return [factor === 1 ? joined : mul(joined, factor)];
    },
  };

  return [sumsShare, cheapestOrder, expanded, sideBySide];
}

/** Products of different inputs are joined, with zeros between them, up to this depth in all. */
const thinDepth = 64;

/** The one number that a tensor holds everywhere. */
function constantIn(t: Tensor): number | undefined {
  let { node } = t;
  for (let views = 0; views < farthest && isViewOfAll(node); views++) ({ node } = node.inputs[0]!);
  return node.op === fullOp ? (node.attrs as { value: number }).value : undefined;
}

const isViewOfAll = ({ op }: Tensor["node"]) => op === broadcastOp || op === reshapeOp;

/** A swap of the two axes of a matrix. */
const isSwap = (t: Tensor): boolean =>
  t.node.op === permuteOp && t.shape.length === 2 && String(axesOf(t)) === "1,0";

const axesOf = (t: Tensor) => (t.node.attrs as { readonly axes: readonly number[] }).axes;

const swapped = (t: Tensor): Tensor => (isSwap(t) ? t.node.inputs[0]! : permute(t, [1, 0]));

interface Cheapest {
  readonly cost: number;
  /** The last factor of the left part of the product of factors `i` to `j`. */
  readonly split: (i: number, j: number) => number;
}

/** The order of a chain with the fewest multiplications, by the textbook's dynamic programme. */
function cheapest(shapes: readonly (readonly [number, number])[]): Cheapest {
  const count = shapes.length;
  const cost = shapes.map(() => new Array<number>(count).fill(0));
  const splits = shapes.map(() => new Array<number>(count).fill(0));
  for (let length = 1; length < count; length++)
    for (let i = 0; i + length < count; i++) {
      const j = i + length;
      cost[i]![j] = Number.POSITIVE_INFINITY;
      for (let s = i; s < j; s++) {
        const own = shapes[i]![0] * shapes[s]![1] * shapes[j]![1];
        const total = cost[i]![s]! + cost[s + 1]![j]! + own;
        if (total >= cost[i]![j]!) continue;
        cost[i]![j] = total;
        splits[i]![j] = s;
      }
    }
  return { cost: cost[0]![count - 1]!, split: (i, j) => splits[i]![j]! };
}

function inOrder(
  factors: readonly Tensor[],
  split: Cheapest["split"],
  i: number,
  j: number,
  of: Products["of"],
): Tensor {
  if (i === j) return factors[i]!;
  const s = split(i, j);
  return of([[inOrder(factors, split, i, s, of), inOrder(factors, split, s + 1, j, of)]]);
}
