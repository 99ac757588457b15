/**
 * matmul: y[..., m, n] = sum over segments of sum_k a[..., m, k] * b[..., k, n].
 *
 * A segment is one (a, b) pair with its own depth k; all segments accumulate into the same
 * registers. A plain product has one segment; LoRA has two: (x, W) and (x A, s B). So fused LoRA is
 * not another kernel, it is a longer loop.
 */
import {
  apply,
  checkList,
  checkNames,
  checkOneOf,
  checkTensors,
  type Dense,
  type DType,
  elements,
  type Fail,
  index,
  innerDims,
  type KernelOp,
  type Product,
  refuse,
  type Shape,
  type ShapeOf,
  type Tensor,
  type Transposed,
  type Type,
  type Valid,
} from "../../compiler/op-kit.ts";
import { full } from "../elementwise/full.ts";
import { pairwise, range } from "../pairwise.ts";
import { smallForm } from "../small.ts";
import { broadcastTo, sumTo } from "../views/broadcast.ts";
import { permute } from "../views/permute.ts";
import { reshape } from "../views/reshape.ts";
import { slice } from "../views/slice.ts";
import { stackOfViews } from "../views/stack.ts";
import { productRules } from "./rules.ts";
import { subgroupProduct } from "./subgroup.ts";
import { productForms } from "./tiled.ts";

/** The deepest product that is written out. */
const mostSmall = 8;

export const op: KernelOp<null> = {
  name: "matmul",
  kind: "kernel",
  rules: productRules({ op: () => op, of: (segments) => matmulSegments(segments) }),
  type(inputs, _attrs, fail) {
    const shapes: number[][] = [];
    for (let i = 0; i < inputs.length; i += 2)
      shapes.push(segmentShape(inputs[i]!, inputs[i + 1]!, fail));
    if (shapes.some((s) => s.join() !== shapes[0]!.join()))
      fail(`segments make ${shapes.map((s) => `[${s.join(", ")}]`).join(" and ")}`);
    return [{ dtype: "f32", shape: shapes[0]! }];
  },
  forms: [subgroupProduct, ...productForms],
  // Four places along the depth, of four columns or rows.
  spelled: 16,
  oracle: (inputs, _attrs, types) => [product(inputs, types[0]!.shape)],
  work: (inputs) =>
    inputs.reduce(
      (sum, a, i) => (i % 2 ? sum : sum + elements(a.shape) * inputs[i + 1]!.shape.at(-1)!),
      0,
    ),
  batch: (products) => {
    const segments = products[0]!.flatMap((_, i) =>
      i % 2
        ? []
        : [[0, 1].map((j) => stackOfViews(products.map((p) => p[i + j]!))) as [Tensor, Tensor]],
    );
    const all = matmulSegments(segments);
    return products.map((_, i) => reshape(slice(all, [[i, i + 1]]), all.shape.slice(1)) as Tensor);
  },
  small: (inputs) => {
    const terms = inputs[0]!.shape.at(-1)!;
    if (inputs.length > 2 || terms > mostSmall) return undefined;
    return smallForm(op, 0, {
      cost: terms,
      reads: terms,
      element: ({ inputs: [a, b], at }) => {
        const [lead, m, n] = [at.slice(0, -2), at.at(-2)!, at.at(-1)!];
        const products = range(terms, (i) =>
          a!.at(...lead, m, index(i)).mul(b!.at(...lead, index(i), n)),
        );
        return pairwise(products);
      },
    });
  },
  vjp: ([g], { inputs }) =>
    inputs.map((_, i) =>
      i % 2 === 0
        ? longProduct(g!, transpose(inputs[i + 1]!))
        : longProduct(transpose(inputs[i - 1]!), g!),
    ),
  tests: {
    samples: [
      {
        inputs: [
          [
            [1, 2],
            [3, 4],
          ],
          [
            [5, 6, 7],
            [8, 9, 10],
          ],
        ],
        call: (a, b) => matmul(a!, b!),
        outputs: [
          [
            [21, 24, 27],
            [47, 54, 61],
          ],
        ],
      },
      {
        claim: "a transposed right operand is a view",
        inputs: [
          [[1, 2]],
          [
            [5, 8],
            [6, 9],
          ],
        ],
        call: (a, b) => matmul(a!, b!, { transpose: "right" }),
        outputs: [[[21, 24]]],
      },
    ],
    cases: [
      ...(
        [
          ["odd sizes", [37, 45], [45, 50]],
          ["a single row", [1, 33], [33, 65]],
          ["few columns", [70, 19], [19, 3]],
          ["several tiles both ways", [130, 20], [20, 140]],
          ["a batch", [3, 9, 17], [3, 17, 5]],
          ["a broadcast batch", [2, 3, 9, 7], [3, 7, 5]],
        ] as const
      ).map(([claim, a, b]) => ({
        claim,
        inputs: [{ shape: a }, { shape: b }],
        call: (x?: Tensor, y?: Tensor) => matmul(x!, y!),
        smooth: true,
      })),
      {
        claim: "a gradient that is a long sum, in parts",
        inputs: [{ shape: [1032, 2] }, { shape: [1032, 3] }],
        call: (x, g) => op.vjp!([g], { inputs: [x!, zeros(2, 3)], results: [], attrs: null })[1]!,
        smooth: true,
      },
      {
        claim: "both operands transposed",
        inputs: [{ shape: [21, 13] }, { shape: [18, 21] }],
        call: (a, b) => matmul(a!, b!, { transpose: "both" }),
        smooth: true,
      },
      {
        claim: "two segments of different depth share one sum",
        inputs: [{ shape: [19, 23] }, { shape: [23, 21] }, { shape: [19, 4] }, { shape: [4, 21] }],
        call: (x, w, z, b) =>
          matmulSegments([
            [x!, w!],
            [z!, b!],
          ]),
        smooth: true,
      },
    ],
  },
};

const zeros = (...shape: readonly number[]): Tensor => full(0, shape);

type Right<S extends Shape, T> = T extends "right" | "both" ? Transposed<S> : S;
type Left<S extends Shape, T> = T extends "left" | "both" ? Transposed<S> : S;

/**
 * The product of `a` [..., M, K] and `b` [..., K, N], batches broadcast; `transpose` names operands
 * whose last two axes are swapped first. Throws E101 if the inner sizes differ.
 */
export function matmul<
  D extends DType,
  A extends Shape,
  B extends Shape,
  T extends "left" | "right" | "both" | "none" = "none",
>(
  a: Tensor<D, A>,
  b: Tensor<NoInfer<D>, B> & Valid<Product<Left<A, T>, Right<B, T>>>,
  options: { readonly transpose?: T } = {},
): Tensor<D, ShapeOf<Product<Left<A, T>, Right<B, T>>>> {
  checkTensors("matmul", { a, b });
  checkNames("matmul", options, { transpose: true });
  const which = options.transpose ?? "none";
  checkOneOf("matmul", [a, b], "transpose", which, ["left", "right", "both", "none"]);
  return traced(a, b, which) as Tensor<D, ShapeOf<Product<Left<A, T>, Right<B, T>>>>;
}

function traced(a: Tensor, b: Tensor, which: "left" | "right" | "both" | "none"): Tensor {
  const left = which === "left" || which === "both" ? transpose(a) : a;
  const right = which === "right" || which === "both" ? transpose(b) : b;
  // Rows of all batches that share one right operand are one longer product.
  if (right.shape.length === 2 && left.shape.length > 2) {
    const rows = elements(left.shape.slice(0, -1));
    const flat = reshape(left, [rows, left.shape.at(-1)!]);
    const y = apply(op, [flat, right], null)[0]!;
    return reshape(y, [...left.shape.slice(0, -1), right.shape.at(-1)!]);
  }
  return matmulSegments([[left, right]]);
}

/** The sum of several products of one shape, in one accumulator. Batches broadcast. */
export function matmulSegments(segments: readonly (readonly [Tensor, Tensor])[]): Tensor {
  checkList("matmulSegments", [], "the products", segments);
  for (const segment of segments) checkList("matmulSegments", [], "a product", segment, 2);
  const inputs = segments.flat();
  checkTensors("matmulSegments", inputs);
  if (inputs.length === 0)
    refuse("matmulSegments", [], "there is nothing to add", "give [[a, b], ...]");
  const batch = inputs.map((x): readonly number[] => x.shape.slice(0, -2)).reduce(widest);
  const fit = (x: Tensor) =>
    x.shape.length < 2 || x.shape.length - 2 > batch.length
      ? x
      : broadcastTo(x, [...batch, ...x.shape.slice(-2)]);
  return apply(op, inputs.map(fit), null)[0]!;
}

/**
 * The product of two operands of one batch, split along its depth where that alone makes enough work
 * for all workgroups: the gradient of a small weight is a sum over every row of its input. The
 * parts are added in a fixed order.
 */
function longProduct(a: Tensor, b: Tensor): Tensor {
  const [m, n, depth] = [a.shape.at(-2)!, b.shape.at(-1)!, a.shape.at(-1)!];
  const parts = a.shape.length === 2 ? partsOf(m, n, depth) : 1;
  if (parts === 1) return matmulSegments([[a, b]]);
  const left = permute(reshape(a, [m, parts, depth / parts]), [1, 0, 2]);
  const right = reshape(b, [parts, depth / parts, n]) as Tensor;
  return reshape(sumTo(matmulSegments([[left, right]]), [1, m, n]), [m, n]);
}

/** Into how many equal parts a product is split: enough for some 256 tiles, each 256 deep or more. */
function partsOf(m: number, n: number, depth: number): number {
  const tiles = Math.ceil(m / 32) * Math.ceil(n / 32);
  if (tiles > 64) return 1;
  let parts = Math.min(Math.floor(256 / tiles), Math.floor(depth / 256));
  while (parts > 1 && depth % parts !== 0) parts--;
  return Math.max(1, parts);
}

/** The batch axes that two operands broadcast to; the shape rule reports what does not fit. */
function widest(a: readonly number[], b: readonly number[]): readonly number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) =>
    Math.max(a[a.length - rank + i] ?? 1, b[b.length - rank + i] ?? 1),
  );
}

/** Swaps the last two axes. */
export function transpose(x: Tensor): Tensor {
  checkTensors("transpose", { x });
  const axes = x.shape.map((_, i) => i);
  const rank = axes.length;
  if (rank < 2) return x;
  return permute(x, [...axes.slice(0, -2), rank - 1, rank - 2]);
}

function segmentShape(a: Type, b: Type, fail: Fail): number[] {
  if (a.dtype !== "f32" || b.dtype !== "f32")
    fail(`operands are ${a.dtype} and ${b.dtype}`, 'convert them: cast(x, "f32")');
  if (a.shape.length < 2 || b.shape.length < 2)
    fail(`operands have rank ${a.shape.length} and ${b.shape.length}`, "both need rank 2 or more");
  const [k, j] = [a.shape.at(-1)!, b.shape.at(-2)!];
  if (k !== j)
    fail(
      innerDims(k, j),
      k === b.shape.at(-1)
        ? 'to use a transpose write matmul(a, b, { transpose: "right" })'
        : "the last axis of the left operand and the second last of the right must be equal",
    );
  const [left, right] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  if (left.join() !== right.join())
    fail(`batches [${left.join(", ")}] and [${right.join(", ")}] do not broadcast`);
  return [...left, a.shape.at(-2)!, b.shape.at(-1)!];
}

function product(inputs: readonly Dense[], shape: readonly number[]): Float64Array {
  const [m, n] = [shape.at(-2)!, shape.at(-1)!];
  const out = new Float64Array(elements(shape));
  const batches = elements(shape.slice(0, -2));
  for (let s = 0; s < inputs.length; s += 2) {
    const [a, b] = [inputs[s]!.data, inputs[s + 1]!.data];
    const depth = inputs[s]!.shape.at(-1)!;
    for (let batch = 0; batch < batches; batch++)
      for (let i = 0; i < m; i++)
        for (let k = 0; k < depth; k++) {
          const x = a[(batch * m + i) * depth + k]!;
          for (let j = 0; j < n; j++)
            out[(batch * m + i) * n + j]! += x * b[(batch * depth + k) * n + j]!;
        }
  }
  return out;
}
