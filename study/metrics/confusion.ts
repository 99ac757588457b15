/**
 * Counts of what was predicted where what is true, and the metrics that are made of them alone. Counts of pictures
 * and of processes are added, so nothing of a picture is kept.
 */
import { diagnose } from "../../diagnostics/index.ts";
import { type Mean, meanOf, ratio, type Score } from "./mean.ts";

/** What is known of a class. All are undefined where the class is neither predicted nor true. */
export interface ClassScores {
  /** Pixels of this class in the targets. */
  readonly pixels: number;
  /** TP / (TP + FP + FN). 0 for a class that is predicted and nowhere true. */
  readonly iou: Score;
  /** 2 TP / (2 TP + FP + FN). */
  readonly dice: Score;
  /** TP / (TP + FP): undefined where the class is not predicted. */
  readonly precision: Score;
  /** TP / (TP + FN): undefined where the class is nowhere true. */
  readonly recall: Score;
}

export interface ConfusionScores {
  readonly classes: readonly ClassScores[];
  /** The mean of the classes' IoU, over all pixels of all pictures (mIoU). */
  readonly meanIou: Mean;
  readonly meanDice: Mean;
  /** The part of the pixels that is right. */
  readonly accuracy: Score;
  /** The mean of the classes' recall. */
  readonly meanAccuracy: Mean;
  /** Balanced error rate, 1 - the mean recall, from 0 to 1: undefined where a class is nowhere true. */
  readonly ber: Score;
}

export interface Confusion {
  /** `[classes, classes]`: row by what is true, column by what is predicted. */
  readonly counts: Float64Array;
  /**
   * Adds a picture, or several: labels in any one order of pixels, whole numbers from 0.
   * @throws E1020 for other lengths, E1021 for a label that is no class.
   */
  add(predicted: ArrayLike<number>, target: ArrayLike<number>): void;
  /** Adds counts that were made elsewhere. @throws E1020 for those of other classes. */
  addCounts(counts: ArrayLike<number>): void;
  scores(): ConfusionScores;
}

/**
 * Counts over `classes` classes. Pixels whose target is `ignore` do not count, whatever is predicted there.
 *
 * Source: LibMTL `examples/nyu/utils.py::SegMetric`, AutoGluon `semantic_seg_metrics.py::Multiclass_IoU`; where these
 * count a class that is nowhere as 0 or NaN, it is left out here and counted in `meanIou.undefined`.
 */
export function confusion(
  classes: number,
  { ignore }: { readonly ignore?: number | undefined } = {},
): Confusion {
  const counts = new Float64Array(classes * classes);
  return {
    counts,
    add(predicted, target) {
      if (predicted.length !== target.length)
        throw differs(`${predicted.length} labels are predicted for ${target.length} pixels`);
      for (let i = 0; i < target.length; i++) {
        const [truth, guess] = [target[i]!, predicted[i]!];
        if (truth === ignore) continue;
        if (!isClass(truth, classes)) throw noClass("target", truth, i, classes, ignore);
        if (!isClass(guess, classes)) throw noClass("prediction", guess, i, classes, ignore);
        counts[truth * classes + guess]!++;
      }
    },
    addCounts(more) {
      if (more.length !== counts.length)
        throw differs(`${more.length} counts are not those of ${classes} classes`);
      for (let i = 0; i < counts.length; i++) counts[i]! += more[i]!;
    },
    scores: () => scoresOf(counts, classes),
  };
}

/**
 * The class of the largest logit of every pixel, the first of equal ones; logits are `[classes, pixels]`.
 * @throws E1020 for another number of logits.
 */
export function labelsOfLogits(logits: ArrayLike<number>, classes: number): Int32Array {
  const pixels = logits.length / classes;
  if (!Number.isInteger(pixels))
    throw differs(`${logits.length} logits are not those of ${classes} classes`);
  const labels = new Int32Array(pixels);
  for (let i = 0; i < pixels; i++)
    for (let c = 1; c < classes; c++)
      if (logits[c * pixels + i]! > logits[labels[i]! * pixels + i]!) labels[i] = c;
  return labels;
}

function scoresOf(counts: Float64Array, classes: number): ConfusionScores {
  const [truths, guesses] = [new Float64Array(classes), new Float64Array(classes)];
  let [total, right] = [0, 0];
  for (let truth = 0; truth < classes; truth++)
    for (let guess = 0; guess < classes; guess++) {
      const count = counts[truth * classes + guess]!;
      truths[truth]! += count;
      guesses[guess]! += count;
      total += count;
      if (truth === guess) right += count;
    }
  const each = Array.from(truths, (pixels, c): ClassScores => {
    const both = counts[c * classes + c]!;
    const sum = pixels + guesses[c]!;
    return {
      pixels,
      iou: ratio(both, sum - both),
      dice: ratio(2 * both, sum),
      precision: ratio(both, guesses[c]!),
      recall: ratio(both, pixels),
    };
  });
  const meanAccuracy = meanOf(each.map(({ recall }) => recall));
  const isWhole = meanAccuracy.undefined === 0 && meanAccuracy.value !== undefined;
  return {
    classes: each,
    meanIou: meanOf(each.map(({ iou }) => iou)),
    meanDice: meanOf(each.map(({ dice }) => dice)),
    accuracy: ratio(right, total),
    meanAccuracy,
    ber: isWhole ? 1 - meanAccuracy.value : undefined,
  };
}

const isClass = (label: number, classes: number) =>
  Number.isInteger(label) && label >= 0 && label < classes;

const differs = (message: string) =>
  diagnose("E1020", { message, help: "give the labels of the same pixels, in the same order" });

function noClass(
  what: string,
  label: number,
  i: number,
  classes: number,
  ignore: number | undefined,
) {
  const left = ignore === undefined ? "" : `, and ${ignore} does not count`;
  return diagnose("E1021", {
    message: `the ${what} has the label ${label} at pixel ${i}: the classes are 0 to ${classes - 1}${left}`,
    help: "count all classes, or name the label of pixels that do not count: { ignore: 255 }",
  });
}
