/** Losses of dense prediction with pixels that do not count: classes, depth and surface normals. */
import { refuse, show, type Tensor } from "../../compiler/op-kit.ts";
import { checkOptions } from "../../diagnostics/options.ts";
import {
  abs,
  add,
  cast,
  div,
  eq,
  exp,
  gt,
  iota,
  log,
  max,
  maximum,
  mul,
  ne,
  reshape,
  rsqrt,
  stopGradient,
  sub,
  sum,
  where,
} from "../../ops/index.ts";
import { labelsTarget } from "./targets.ts";

/**
 * Cross entropy: the mean over pixels whose label is not `ignore` (-1 unless given) of
 * -log softmax(logits)[label]; 0 where all are ignored.
 *
 * Logits are f32 `[n, classes, ...]`, labels i32 `[n, ...]`; gives f32 `[]`. A training step refuses labels
 * outside the classes (E340); where labels are computed it is vetoed.
 * Source: PyTorch's `cross_entropy` with `ignore_index`. Throws E101 for shapes that do not fit.
 */
export function crossEntropy(
  logits: Tensor,
  labels: Tensor,
  options: { readonly ignore?: number } = {},
): Tensor<"f32"> {
  checkOptions<{ readonly ignore?: number }>("crossEntropy", options, { ignore: true });
  const { ignore = -1 } = options;
  const counts = ne(labels, ignore) as Tensor<"bool">;
  const each = surprise(logits, labels);
  const wrong = labelsTarget(labels, logits.shape[1]!, ignore);
  return meanWhere(counts, wrong ? (add(each, wrong) as Tensor) : each);
}

/**
 * Depth: the mean of |prediction - target| over the pixels whose target is not 0; 0 without any.
 * Both are f32 `[n, 1, h, w]`; gives f32 `[]`.
 * Source: LibMTL and MTAN, as MTSAM uses it. Throws E101 for shapes that differ.
 */
export function l1Depth(prediction: Tensor, target: Tensor): Tensor<"f32"> {
  checkSame("l1Depth", prediction, target, 1);
  const counts = ne(target, 0) as Tensor<"bool">;
  return meanWhere(counts, abs(sub(prediction, target) as Tensor));
}

/**
 * Surface normals: the mean of 1 - <p / ||p||, target> over the pixels where the channels of the
 * target do not sum to 0; 0 without any. A prediction shorter than 1e-12 has no direction: its
 * cosine counts as 0 and it gets no gradient.
 *
 * Both are f32 `[n, 3, h, w]`, the target of unit length; gives f32 `[]`.
 * Source: LibMTL and MTAN, as MTSAM uses it. Throws E101 for shapes that differ.
 */
export function cosineNormals(prediction: Tensor, target: Tensor): Tensor<"f32"> {
  checkSame("cosineNormals", prediction, target, 3);
  const counts = ne(sum(target, 1), 0) as Tensor<"bool">;
  const square: Tensor = sum(mul(prediction, prediction) as Tensor, 1);
  const product: Tensor = sum(mul(prediction, target) as Tensor, 1);
  const hasDirection: Tensor<"bool"> = gt(square, 1e-24);
  const inverse: Tensor = rsqrt(where(hasDirection, square, 1) as Tensor);
  const cosine: Tensor = where(hasDirection, mul(product, inverse) as Tensor, 0);
  return meanWhere(counts, sub(1, cosine));
}

/**
 * -log softmax(logits)[label] of every place: logits f32 `[n, classes, ...]`, labels i32 `[n, ...]`,
 * gives f32 `[n, ...]`. The largest logit is subtracted first, so that nothing overflows.
 */
export function surprise(logits: Tensor, labels: Tensor): Tensor {
  const [n, classes = 0, ...places] = logits.shape;
  if (labels.dtype !== "i32" || labels.shape.join() !== [n, ...places].join())
    refuse(
      "crossEntropy",
      [logits, labels],
      `logits are ${show(logits.type)} and labels ${show(labels.type)}`,
      "logits are f32[n, classes, ...] and labels i32[n, ...]",
    );
  const along = [1, classes, ...places.map(() => 1)];
  const chosen: Tensor<"bool"> = eq(
    reshape(labels, [n!, 1, ...places]) as Tensor,
    iota(along, 1) as Tensor,
  );
  const shifted: Tensor = sub(logits, stopGradient(max(logits, 1, "keep")));
  const own: Tensor = sum(where(chosen, shifted, 0) as Tensor, 1);
  return sub(log(sum(exp(shifted), 1)), own);
}

/** The mean over the places that count; 0 if none does. Others send no gradient, whatever they hold. */
function meanWhere(counts: Tensor<"bool">, map: Tensor): Tensor<"f32"> {
  const total: Tensor = sum(where(counts, map, 0) as Tensor);
  return div(total, maximum(sum(cast(counts, "f32")) as Tensor, 1)) as Tensor<"f32">;
}

function checkSame(name: string, prediction: Tensor, target: Tensor, channels: number): void {
  const { shape } = prediction;
  if (shape.length !== 4 || shape[1] !== channels || shape.join() !== target.shape.join())
    refuse(
      name,
      [prediction, target],
      `the prediction is ${show(prediction.type)} and the target ${show(target.type)}`,
      `both are f32[n, ${channels}, height, width], of one shape`,
    );
}
