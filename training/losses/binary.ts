/**
 * Losses of binary masks. All take logits and a target of one shape, f32 `[n, channels, h, w]`, the
 * target 0 or 1 (soft ones between are fine unless said otherwise), and give f32 `[]`. `weight` says how
 * much each pixel counts; means are weighted ones.
 *
 * Log-likelihoods are written with softplus, -log(sigmoid(x)) = softplus(-x), one for each of the
 * two outcomes: nothing overflows, and neither a loss nor a gradient near 0 is a difference of large
 * numbers.
 */
import { refuse, show, type Tensor } from "../../compiler/op-kit.ts";
import { checkOptions } from "../../diagnostics/options.ts";
import {
  add,
  div,
  exp,
  maximum,
  mean,
  mul,
  neg,
  sigmoid,
  softplus,
  sub,
  sum,
} from "../../ops/index.ts";
import { check, fraction, fromZero } from "../settings.ts";
import { maskTarget } from "./targets.ts";
import { type Counting, countingOf, type PixelWeights } from "./weights.ts";

/**
 * Binary cross entropy: the mean of -t log(p) - (1 - t) log(1 - p), p = sigmoid(logits).
 * Throws E101 for shapes that differ.
 */
export function bce(logits: Tensor, target: Tensor, options: PixelWeights = {}): Tensor<"f32"> {
  const wanted = checkPair("bce", logits, target);
  const { seen, mean } = countingOf("bce", target.shape, options);
  return mean(bceMap(seen(logits), wanted));
}

/**
 * Binary cross entropy with both outcomes weighted by the other's share, over the whole batch: the
 * mean of -(n-/n) t log(p) - (n+/n) (1 - t) log(1 - p), with n+ the sum of the target, n- that of
 * 1 - target and n = n+ + n-. A target without either outcome gives 0.
 *
 * Equal to the published n+/n * BCE with the positive weight n-/n+ (Conv-LoRA's loss for shadows,
 * autogluon's `balanced_bce`), without its quotient by n+. Throws E101 for shapes that differ.
 */
export function balancedBce(
  logits: Tensor,
  target: Tensor,
  options: PixelWeights = {},
): Tensor<"f32"> {
  const wanted = checkPair("balancedBce", logits, target);
  const counting = countingOf("balancedBce", target.shape, options);
  const positive: Tensor = counting.wholeMean(wanted);
  const negative: Tensor = counting.wholeMean(sub(1, wanted) as Tensor);
  const { hit, miss } = outcomes(counting.seen(logits), wanted);
  const [hits, misses] = [hit, miss].map((map): Tensor => counting.mean(map)) as [Tensor, Tensor];
  return add(mul(hits, negative) as Tensor, mul(misses, positive) as Tensor) as Tensor<"f32">;
}

/**
 * Dice: the mean over all maps of 1 - (2 sum(p t) + 1) / (sum(p) + sum(t) + 1), p = sigmoid(logits).
 * Source: Mask2Former's dice loss. Throws E101 for shapes that differ.
 */
export function dice(logits: Tensor, target: Tensor, options: PixelWeights = {}): Tensor<"f32"> {
  const wanted = checkPair("dice", logits, target);
  const counting = countingOf("dice", target.shape, options);
  return mean(diceOf(counting.seen(logits), wanted, [2, 3], counting)) as Tensor<"f32">;
}

export interface FocalOptions extends PixelWeights {
  /** The weight of the positive outcome, 0.25 unless given; the negative one has 1 - alpha. */
  readonly alpha?: number;
  /** How fast what is easy loses weight, 2 unless given. */
  readonly gamma?: number;
}

/**
 * Focal loss: the mean of -alpha (1 - p)^gamma log(p) where the target is 1, and of
 * -(1 - alpha) p^gamma log(1 - p) where it is 0; p = sigmoid(logits). Not for soft targets.
 * Source: Lin et al. 2017. Throws E101 for shapes that differ.
 */
export function focal(logits: Tensor, target: Tensor, options: FocalOptions = {}): Tensor<"f32"> {
  checkOptions<FocalOptions>("focal", options, { alpha: true, gamma: true, weight: true });
  const { alpha = 0.25, gamma = 2, weight } = options;
  check("focal", { alpha: [alpha, fraction], gamma: [gamma, fromZero] });
  const wanted = checkPair("focal", logits, target);
  const { seen, mean } = countingOf("focal", target.shape, { weight });
  const x = seen(logits);
  const { hit, miss } = outcomes(x, wanted);
  // (1 - p)^gamma = exp(-gamma softplus(x)): a power of 0 has no derivative, this has.
  const unsure: Tensor = exp(mul(softplus(x), -gamma));
  const sure: Tensor = exp(mul(softplus(neg(x)), -gamma));
  const weighted = add(mul(mul(hit, unsure), alpha), mul(mul(miss, sure), 1 - alpha));
  return mean(weighted as Tensor);
}

/**
 * Intersection over union: the mean over all maps of 1 - sum(p t) / sum(p + t - p t),
 * p = sigmoid(logits). A map without any target has the loss 1 and no gradient, the limit of the
 * quotient, also where p is 0 everywhere, for which the published code has no number.
 * Source: SAM-Adapter's `_iou_loss`. Throws E101 for shapes that differ.
 */
export function iou(logits: Tensor, target: Tensor, options: PixelWeights = {}): Tensor<"f32"> {
  const wanted = checkPair("iou", logits, target);
  const { each, seen } = countingOf("iou", target.shape, options);
  const p: Tensor = sigmoid(seen(logits));
  const both: Tensor = mul(p, wanted);
  const common = sum(each(both), [2, 3]);
  const union = sum(each(sub(add(p, wanted) as Tensor, both)), [2, 3]);
  // Where any wanted is, the union is far above this.
  const ratio: Tensor = div(common, maximum(union, 1e-6));
  return mean(sub(1, ratio) as Tensor) as Tensor<"f32">;
}

/** Binary cross entropy of every element. */
export function bceMap(logits: Tensor, target: Tensor): Tensor {
  const { hit, miss } = outcomes(logits, target);
  return add(hit, miss);
}

/** 1 - (2 sum(p t) + 1) / (sum(p) + sum(t) + 1) over some axes. */
export function diceOf(
  logits: Tensor,
  target: Tensor,
  axes: readonly number[],
  { each }: Pick<Counting, "each">,
): Tensor {
  const p: Tensor = sigmoid(logits);
  const common: Tensor = sum(each(mul(p, target) as Tensor), axes);
  const both: Tensor = sum(each(add(p, target) as Tensor), axes);
  return sub(1, div(add(mul(common, 2), 1), add(both, 1) as Tensor) as Tensor);
}

/** The target of a pair of maps; see `maskTarget`. Throws E101 for what is no pair. */
export function checkPair(name: string, logits: Tensor, target: Tensor): Tensor {
  if (logits.shape.length !== 4 || logits.shape.join() !== target.shape.join())
    refuse(
      name,
      [logits, target],
      `logits are ${show(logits.type)} and the target is ${show(target.type)}`,
      "both are f32[n, channels, height, width], of one shape",
    );
  return maskTarget(target);
}

/** -log(p) where the target is 1, and -log(1 - p) where it is 0, each weighted with the target. */
function outcomes(logits: Tensor, target: Tensor): { hit: Tensor; miss: Tensor } {
  return {
    hit: mul(target, softplus(neg(logits)) as Tensor),
    miss: mul(sub(1, target) as Tensor, softplus(logits) as Tensor),
  };
}
