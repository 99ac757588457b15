/**
 * Losses of dense prediction with pixels that do not count: classes, depth and surface normals. `weight` says
 * how much each of the others counts; means are weighted ones.
 */
import { refuse, show, type Tensor } from "../../compiler/op-kit.ts";
import { checkOptions } from "../../diagnostics/options.ts";
import {
  abs,
  add,
  and,
  cast,
  div,
  eq,
  exp,
  gt,
  iota,
  log,
  max,
  mean,
  mul,
  ne,
  reshape,
  rsqrt,
  softmax,
  stopGradient,
  sub,
  sum,
  where,
} from "../../ops/index.ts";
import { wholeBatch, wholeTotal } from "../whole-batch.ts";
import { labelsTarget } from "./targets.ts";
import { type Counting, countingOf, type PixelWeights, perWeight } from "./weights.ts";

export interface LabelOptions extends PixelWeights {
  /** The label of pixels that do not count, -1 unless given. */
  readonly ignore?: number;
}

/**
 * Cross entropy: the mean over pixels whose label is not `ignore` (-1 unless given) of
 * -log softmax(logits)[label]; 0 where all are ignored.
 *
 * Logits are f32 `[n, classes, ...]`, labels i32 `[n, ...]`, or u32 such as `bytes` gives, of which `ignore: 255` is
 * usual; gives f32 `[]`. A training step refuses labels
 * outside the classes (E340); where labels are computed it is vetoed.
 * Source: PyTorch's `cross_entropy` with `ignore_index`. Throws E101 for shapes that do not fit.
 */
export function crossEntropy(
  logits: Tensor,
  labels: Tensor,
  options: LabelOptions = {},
): Tensor<"f32"> {
  checkOptions<LabelOptions>("crossEntropy", options, { ignore: true, weight: true });
  const { ignore = -1, weight } = options;
  const known = labelsFor("crossEntropy", logits, labels);
  const counting = countingOf("crossEntropy", known.shape, { weight });
  const counts = both(ne(known, ignore) as Tensor<"bool">, counting);
  const [n = 0, ...places] = known.shape;
  const each = surprise(where(reshape(counts, [n, 1, ...places]), logits, 0) as Tensor, known);
  const wrong = labelsTarget(known, logits.shape[1]!, ignore);
  return meanWhere(counts, wrong ? (add(each, wrong) as Tensor) : each, counting);
}

/**
 * Dice of classes: the mean over classes of 1 - (2 sum(p t) + 1e-5) / (sum(p^2) + sum(t) + 1e-5), over all pixels of the
 * batch whose label is not `ignore` (-1 unless given); p = softmax(logits), t is 1 where the label is the class.
 *
 * Logits are f32 `[n, classes, ...]`, labels i32 `[n, ...]`; gives f32 `[]`. Labels are checked as those of
 * `crossEntropy`. Source: SAMed's `DiceLoss`. Throws E101 for shapes that do not fit.
 */
export function classDice(
  logits: Tensor,
  labels: Tensor,
  options: LabelOptions = {},
): Tensor<"f32"> {
  checkOptions<LabelOptions>("classDice", options, { ignore: true, weight: true });
  const { ignore = -1, weight } = options;
  const known = labelsFor("classDice", logits, labels);
  const counting = countingOf("classDice", known.shape, { weight });
  const counts = both(ne(known, ignore) as Tensor<"bool">, counting);
  const [n = 0, classes = 0, ...places] = logits.shape;
  const along = [n, 1, ...places];
  const seen = reshape(counts, along) as Tensor<"bool">;
  const isOwn = eq(reshape(known, along) as Tensor, iota([1, classes, ...places.map(() => 1)], 1));
  const own = cast(and(isOwn as Tensor<"bool">, seen) as Tensor, "f32") as Tensor;
  const p: Tensor = softmax(where(seen, logits, 0) as Tensor, 1);
  const size = reshape(counting.each(cast(counts, "f32") as Tensor), along) as Tensor;
  const others = logits.shape.map((_, axis) => axis).filter((axis) => axis !== 1);
  const whole = (map: Tensor): Tensor => wholeTotal(sum(mul(map, size) as Tensor, others));
  const common = add(mul(whole(mul(p, own) as Tensor), 2), 1e-5) as Tensor;
  const all = add(whole(add(mul(p, p), own) as Tensor), 1e-5) as Tensor;
  const loss = mean(sub(1, div(common, all)) as Tensor) as Tensor;
  const wrong = labelsTarget(known, classes, ignore);
  return (wrong ? add(loss, sum(wrong)) : loss) as Tensor<"f32">;
}

/**
 * Depth: the mean of |prediction - target| over the pixels whose target is not 0; 0 without any.
 * Both are f32 `[n, 1, h, w]`; gives f32 `[]`.
 * Source: LibMTL and MTAN, as MTSAM uses it. Throws E101 for shapes that differ.
 */
export function l1Depth(
  prediction: Tensor,
  target: Tensor,
  options: PixelWeights = {},
): Tensor<"f32"> {
  checkSame("l1Depth", prediction, target, 1);
  const counting = countingOf("l1Depth", target.shape, options);
  const counts = both(ne(target, 0) as Tensor<"bool">, counting);
  const own = where(counts, prediction, 0) as Tensor;
  return meanWhere(counts, abs(sub(own, target) as Tensor), counting);
}

/**
 * Surface normals: the mean of 1 - <p / ||p||, target> over the pixels where the channels of the
 * target do not sum to 0; 0 without any. A prediction shorter than 1e-12 has no direction: its
 * cosine counts as 0 and it gets no gradient.
 *
 * Both are f32 `[n, 3, h, w]`, the target of unit length; weights have one channel; gives f32 `[]`.
 * Source: LibMTL and MTAN, as MTSAM uses it. Throws E101 for shapes that differ.
 */
export function cosineNormals(
  prediction: Tensor,
  target: Tensor,
  options: PixelWeights = {},
): Tensor<"f32"> {
  checkSame("cosineNormals", prediction, target, 3);
  const known = ne(sum(target, 1, "keep"), 0) as Tensor<"bool">;
  const counting = countingOf("cosineNormals", known.shape, options);
  const counts = both(known, counting);
  const own = where(counts, prediction, 0) as Tensor;
  const square: Tensor = sum(mul(own, own) as Tensor, 1, "keep");
  const product: Tensor = sum(mul(own, target) as Tensor, 1, "keep");
  const hasDirection: Tensor<"bool"> = gt(square, 1e-24);
  const inverse: Tensor = rsqrt(where(hasDirection, square, 1) as Tensor);
  const cosine: Tensor = where(hasDirection, mul(product, inverse) as Tensor, 0);
  return meanWhere(counts, sub(1, cosine), counting);
}

/**
 * -log softmax(logits)[label] of every place: logits f32 `[n, classes, ...]`, labels i32 `[n, ...]`,
 * gives f32 `[n, ...]`. The largest logit is subtracted first, so that nothing overflows.
 */
export function surprise(logits: Tensor, given: Tensor): Tensor {
  const [n, classes = 0, ...places] = logits.shape;
  const labels = labelsFor("crossEntropy", logits, given);
  const along = [1, classes, ...places.map(() => 1)];
  const chosen: Tensor<"bool"> = eq(
    reshape(labels, [n!, 1, ...places]) as Tensor,
    iota(along, 1) as Tensor,
  );
  const shifted: Tensor = sub(logits, stopGradient(max(logits, 1, "keep")));
  const own: Tensor = sum(where(chosen, shifted, 0) as Tensor, 1);
  return sub(log(sum(exp(shifted), 1)), own);
}

/** Labels as i32. @throws E101 for those that do not fit. */
function labelsFor(name: string, logits: Tensor, labels: Tensor): Tensor {
  const [n, , ...places] = logits.shape;
  const isWhole = labels.dtype === "i32" || labels.dtype === "u32";
  if (!isWhole || labels.shape.join() !== [n, ...places].join())
    refuse(
      name,
      [logits, labels],
      `logits are ${show(logits.type)} and labels ${show(labels.type)}`,
      "logits are f32[n, classes, ...] and labels i32[n, ...], or u32 as bytes(…) gives them",
    );
  return cast(labels, "i32") as Tensor;
}

/** Where a target is known and has a weight. */
const both = (known: Tensor<"bool">, { counts }: Counting): Tensor<"bool"> =>
  counts ? (and(known, counts) as Tensor<"bool">) : known;

/** The mean over the places that count, in the whole batch; 0 if none does. Others send no gradient, whatever they hold. */
function meanWhere(counts: Tensor<"bool">, map: Tensor, { each }: Counting): Tensor<"f32"> {
  const total: Tensor = sum(each(where(counts, map, 0) as Tensor));
  const all: Tensor = wholeBatch(sum(each(cast(counts, "f32") as Tensor)));
  return perWeight(total, all) as Tensor<"f32">;
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
