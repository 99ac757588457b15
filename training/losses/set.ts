/**
 * The set loss of Mask2Former: queries are matched with the objects of an image, the matched ones
 * learn masks, all learn classes.
 *
 * The published code looks at masks through 12,544 random points per step, drawn anew and, for the
 * loss, mostly from the places it is least sure of. Here every pixel counts once: for the matching
 * that is what uniform points estimate, for the loss it leaves out the emphasis on unsure places, and
 * in both the same input always gives the same number.
 */
import { refuse, show, type Tensor } from "../../compiler/op-kit.ts";
import { checkOptions } from "../../diagnostics/options.ts";
import {
  add,
  cast,
  div,
  eq,
  full,
  gather,
  ge,
  iota,
  lt,
  matmul,
  maximum,
  minimum,
  mul,
  permute,
  reshape,
  sigmoid,
  softmax,
  softplus,
  stopGradient,
  sub,
  sum,
  where,
} from "../../ops/index.ts";
import { assignment, type Matching } from "../../ops/training/assignment.ts";
import { partsOfStep, wholeBatch, wholeTotal } from "../whole-batch.ts";
import { bceMap, diceOf } from "./binary.ts";
import { surprise } from "./dense.ts";
import { askOfInput, maskTarget } from "./targets.ts";
import { type Counting, countingOf, perWeight } from "./weights.ts";

/** What a model says of an image. */
export interface SetPrediction {
  /** f32 `[n, queries, classes + 1]`: logits; the last class is "no object". */
  readonly classes: Tensor;
  /** f32 `[n, queries, h, w]`: logits. */
  readonly masks: Tensor;
}

/** What is in an image. */
export interface SetTargets {
  /** i32 `[n, targets]`: the class of each object; below 0 there is none. */
  readonly labels: Tensor;
  /** f32 `[n, targets, h, w]`, 0 or 1. */
  readonly masks: Tensor;
  /** f32 `[n, 1, h, w]`, 0 or more: how much each pixel counts, in the matching too. 1 unless given. */
  readonly weight?: Tensor | undefined;
}

export interface SetWeights {
  readonly class: number;
  readonly mask: number;
  readonly dice: number;
}

/** Weights within the matching, those of the published configuration. */
const matching: SetWeights = { class: 2, mask: 5, dice: 5 };
/** The weight of "no object" among the classes. */
const absence = 0.1;

/**
 * The sum of the three terms of `setTerms`, f32 `[]`, weighted 1, 1, 1 unless given: autogluon adds
 * them as they come, whatever its configuration says. Throws E101 for shapes that do not fit.
 */
export function setLoss(
  prediction: SetPrediction,
  targets: SetTargets,
  weights: SetWeights = { class: 1, mask: 1, dice: 1 },
): Tensor<"f32"> {
  checkOptions<SetWeights>("setLoss", weights, { class: true, mask: true, dice: true });
  const terms = setTerms(prediction, targets);
  const parts = (["class", "mask", "dice"] as const).map((name) => mul(terms[name], weights[name]));
  return parts.reduce((a, b) => add(a, b) as Tensor<"f32">);
}

/**
 * The terms of the set loss, each f32 `[]`.
 *
 * `class`: cross entropy of every query with the class of its object, or "no object", which weighs
 * 0.1, over the sum of the weights. `mask` and `dice`: binary cross entropy and
 * 1 - (2 sum(p t) + 1) / (sum(p) + sum(t) + 1) of each matched pair, summed, over the number of all
 * objects of the batch (at least 1), matched or not.
 *
 * Source: `Mask2FormerLoss` of transformers, without its points. Throws E101.
 */
export function setTerms(
  prediction: SetPrediction,
  targets: SetTargets,
): Readonly<Record<keyof SetWeights, Tensor<"f32">>> {
  checkShapes(prediction, targets);
  const { rows, columns } = matchSets(prediction, targets);
  const [n, queries, h, w] = prediction.masks.shape as [number, number, number, number];
  const count = targets.labels.shape[1]!;
  const pixels = [n * count, h * w];
  const all = reshape(prediction.masks, [n * queries, h * w]) as Tensor;
  const logits = gather(all, reshape(flatPlaces(columns, queries), [n * count]) as Tensor);
  const masks = reshape(maskTarget(targets.masks), pixels) as Tensor;
  askOfInput(targets.labels, { kind: "labels", classes: prediction.classes.shape[2]! - 1 });
  const matched = reshape(ge(columns, 0) as Tensor, [n * count]) as Tensor<"bool">;
  const objects: Tensor = maximum(wholeTotal(sum(cast(ge(targets.labels, 0), "f32"))), 1);
  const counting = countingOf("setLoss", targets.masks.shape, { weight: targets.weight });
  const inRows = (map: Tensor) => reshape(map, pixels) as Tensor;
  const each = (map: Tensor) => inRows(counting.each(reshape(map, targets.masks.shape) as Tensor));
  const weights: Tensor = sum(each(full(1, pixels)), 1);
  const seen = inRows(counting.seen(reshape(logits, targets.masks.shape) as Tensor));
  const entropies: Tensor = sum(each(bceMap(seen, masks)), 1);
  const perObject = (each: Tensor) =>
    mul(div(sum(where(matched, each, 0) as Tensor), objects), partsOfStep()) as Tensor<"f32">;
  return {
    class: classTerm(prediction.classes, targets.labels, rows),
    mask: perObject(perWeight(entropies, weights)),
    dice: perObject(diceOf(seen, masks, [1], { each })),
  };
}

/**
 * Which query belongs to which object: the matching that minimises
 * -2 probability of the class + 5 mean binary cross entropy + 5 dice. Rows are queries, columns
 * objects. No gradient passes. Throws E101.
 */
export function matchSets(prediction: SetPrediction, targets: SetTargets): Matching {
  const [n = 0, _, h = 0, w = 0] = prediction.masks.shape;
  const classes = prediction.classes.shape[2]!;
  const count = targets.labels.shape[1]!;
  const flat = (maps: Tensor) => reshape(maps, [n, maps.shape[1]!, h * w]) as Tensor;
  const { weight } = targets;
  const [ofQueries, ofObjects] = [prediction, targets].map(({ masks }) =>
    countingOf("setLoss", masks.shape, { weight }),
  ) as [Counting, Counting];
  const seen = stopGradient(ofQueries.seen(prediction.masks));
  const logits = flat(seen);
  const masks = stopGradient(flat(ofObjects.each(targets.masks)));
  const times = (a: Tensor, b: Tensor): Tensor => matmul(a, b, { transpose: "right" });
  const weighed = (map: Tensor) => sum(flat(ofQueries.each(map)), 2, "keep") as Tensor;
  // t softplus(-x) + (1 - t) softplus(x) = softplus(x) - t x
  const entropy: Tensor = sub(weighed(softplus(seen) as Tensor), times(logits, masks));
  const mean = weight
    ? mul(perWeight(entropy, sum(flat(weight), 2, "keep") as Tensor), matching.mask)
    : mul(entropy, matching.mask / (h * w));
  const p: Tensor = sigmoid(logits);
  const areas = reshape(sum(masks, 2), [n, 1, count]) as Tensor;
  const both: Tensor = add(weighed(sigmoid(seen) as Tensor), areas);
  const dice: Tensor = sub(1, div(add(mul(times(p, masks), 2), 1), add(both, 1) as Tensor));
  const chosen: Tensor = eq(
    reshape(targets.labels, [n, count, 1]) as Tensor,
    iota([1, 1, classes], 2) as Tensor,
  );
  const probability = times(
    softmax(stopGradient(prediction.classes)) as Tensor,
    cast(chosen, "f32"),
  );
  const cost = add(sub(mean, mul(probability, matching.class)) as Tensor, mul(dice, matching.dice));
  return assignment(cost as Tensor, ge(targets.labels, 0) as Tensor);
}

/**
 * A label map as the objects of the set loss: one per class, present where the class is. Labels are
 * i32 `[n, h, w]`; those outside 0 to `classes` - 1 (255, -1) belong to no object.
 */
export function classMasks(labels: Tensor, classes: number): SetTargets {
  const [n, h, w] = labels.shape as [number, number, number];
  const own = iota([1, classes, 1, 1], 1) as Tensor;
  const masks = cast(eq(reshape(labels, [n, 1, h, w]) as Tensor, own) as Tensor, "f32");
  const isPresent = ge(sum(masks, [2, 3]) as Tensor, 1) as Tensor<"bool">;
  const numbers = iota([1, classes], 1) as Tensor<"i32">;
  return { labels: where(isPresent, numbers as Tensor<"i32", readonly number[]>, -1), masks };
}

/** Cross entropy of every query with its object's class; logits f32 `[n, queries, classes + 1]`. */
function classTerm(logits: Tensor, labels: Tensor, rows: Tensor): Tensor<"f32"> {
  const [n, count] = labels.shape as [number, number];
  const last = logits.shape[2]! - 1;
  const none: Tensor = full(last, rows.shape, "i32");
  const own: Tensor = gather(reshape(labels, [n * count]) as Tensor, flatPlaces(rows, count));
  const wanted: Tensor = where(lt(rows, 0) as Tensor<"bool">, none, own);
  const weight: Tensor = where(eq(wanted, last) as Tensor<"bool">, absence, 1);
  const each = surprise(permute(logits, [0, 2, 1]), wanted);
  // Of queries as many are matched as there are objects: targets alone tell the sum of the weights.
  const queries = rows.shape[1]!;
  const objects = sum(cast(ge(labels, 0), "f32") as Tensor, 1);
  const matched = sum(minimum(objects, queries) as Tensor);
  const all = add(mul(matched, 1 - absence), absence * n * queries) as Tensor;
  return div(sum(mul(each, weight) as Tensor), wholeBatch(all)) as Tensor<"f32">;
}

/** Places within each item of the batch as places in all of them; -1 becomes the first. */
function flatPlaces(places: Tensor, size: number): Tensor {
  const inside = maximum(places, 0) as Tensor;
  return add(inside, mul(iota([places.shape[0]!, 1], 0) as Tensor, size) as Tensor);
}

function checkShapes(prediction: SetPrediction, targets: SetTargets): void {
  const [n, queries, h, w] = prediction.masks.shape;
  const count = targets.labels.shape[1];
  const fits =
    prediction.classes.shape.length === 3 &&
    prediction.classes.shape.slice(0, 2).join() === [n, queries].join() &&
    targets.labels.shape.join() === [n, count].join() &&
    targets.labels.dtype === "i32" &&
    targets.masks.shape.join() === [n, count, h, w].join() &&
    (targets.weight === undefined || targets.weight.shape.join() === [n, 1, h, w].join());
  const given = [prediction.classes, prediction.masks, targets.labels, targets.masks];
  if (fits) return;
  refuse(
    "setLoss",
    given,
    `classes, masks, labels and their masks are ${given.map((x) => show(x.type)).join(", ")}`,
    "they are f32[n, queries, classes + 1], f32[n, queries, h, w], i32[n, targets] and f32[n, targets, h, w]; weights are f32[n, 1, h, w]",
  );
}
