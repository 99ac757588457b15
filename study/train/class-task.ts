/** Sets of several classes: a class for every pixel. */
import { input, type Tensor } from "../../compiler/index.ts";
import { scoreClasses } from "../../models/semantic-sam.ts";
import { argmax, cast, mul, ne, reshape } from "../../ops/index.ts";
import { classDice, classMasks, crossEntropy, setTerms } from "../../training/losses/index.ts";
import type { Batch } from "../data/batch.ts";
import { confusion, labelsOfLogits } from "../metrics/confusion.ts";
import { runningMean } from "../metrics/mean.ts";
import { countsOf } from "./counts.ts";
import { ignoredOf, labelsIn, labelsInput, packedImages, packedLabels } from "./packed.ts";
import { known } from "./scores.ts";
import type { LabelsOptions, Scoring, Targets } from "./targets.ts";

/** Cross entropy and dice of classes, 0.2 and 0.8: SAMed's. */
export const classTask = ({ name, classes, weights, metric }: LabelsOptions): Targets => ({
  loss({ logits }) {
    const labels = labelsFor(logits!, classes);
    const weight = weights && (input("weight", "f32", labels.shape) as Tensor);
    const options = { ignore: ignoredOf(classes.length), weight };
    return {
      entropy: mul(crossEntropy(logits!, labels, options), 0.2),
      dice: mul(classDice(logits!, labels, options), 0.8),
    };
  },
  metrics({ logits }, { labels }) {
    const found = argmax(logits!, 1) as Tensor;
    return { counts: countsOf(found, labelsIn(labels!, found.shape), classes.length) };
  },
  inputs: (batch) => inputsOf(batch, name, classes, weights),
  found: ({ logits }) => ({
    [name]: { kind: "labels", data: labelsOfLogits(logits!, classes.length) },
  }),
  scoring: () => classScoring(classes, metric),
});

/** Mask2Former's loss of a set of masks, as Conv-LoRA's experiments have it: its terms count alike. */
export const setTask = ({ name, classes, weights, metric }: LabelsOptions): Targets => ({
  loss({ logits, class_logits: named }) {
    const labels = labelsFor(logits!, classes);
    const [n, h, w] = labels.shape as [number, number, number];
    const weight = weights
      ? (input("weight", "f32", labels.shape) as Tensor)
      : (cast(ne(labels, ignoredOf(classes.length)) as Tensor, "f32") as Tensor);
    return setTerms(
      { classes: named!, masks: logits! },
      {
        ...classMasks(labels, classes.length),
        weight: reshape(weight, [n, 1, h, w]) as Tensor<"f32">,
      },
    );
  },
  metrics({ logits, class_logits: named }, { labels }) {
    const found = argmax(scoreClasses(logits!, named!), 1) as Tensor;
    return { counts: countsOf(found, labelsIn(labels!, found.shape), classes.length) };
  },
  inputs: (batch) => inputsOf(batch, name, classes, weights),
  found({ logits, class_logits: named }) {
    const scores = scoresOf(logits!, named!, classes.length);
    return { [name]: { kind: "labels", data: labelsOfLogits(scores, classes.length) } };
  },
  scoring: () => classScoring(classes, metric),
});

/** The sum over masks of the class's probability times the mask's, as the model's program `predict` has it. */
function scoresOf(masks: ArrayLike<number>, named: ArrayLike<number>, classes: number) {
  const count = named.length / (classes + 1);
  const pixels = masks.length / count;
  const scores = new Float32Array(classes * pixels);
  for (let mask = 0; mask < count; mask++) {
    const own = Array.from({ length: classes + 1 }, (_, c) => named[mask * (classes + 1) + c]!);
    const most = Math.max(...own);
    const parts = own.map((value) => Math.exp(value - most));
    const all = parts.reduce((a, b) => a + b, 0);
    for (let i = 0; i < pixels; i++) {
      const inside = 1 / (1 + Math.exp(-masks[mask * pixels + i]!));
      for (let c = 0; c < classes; c++) scores[c * pixels + i]! += (parts[c]! / all) * inside;
    }
  }
  return scores;
}

function labelsFor(logits: Tensor, classes: readonly string[]): Tensor {
  const [n, , ...places] = logits.shape as [number, number, ...number[]];
  return labelsInput("labels", [n, ...places], classes.length);
}

function inputsOf(
  batch: Batch,
  name: string,
  classes: readonly string[],
  weights: readonly number[] | undefined,
) {
  const labels = batch.targets[name]!.data as Int32Array<ArrayBuffer>;
  const own = { ...packedImages(batch), labels: packedLabels(labels, classes.length) };
  if (!weights) return own;
  return { ...own, weight: Float32Array.from(labels, (label) => weights[label] ?? 0) };
}

function classScoring(names: readonly string[], metric: LabelsOptions["metric"] = "iou"): Scoring {
  const whole = confusion(names.length);
  const losses = runningMean();
  return {
    add(loss, { counts }) {
      whole.addCounts(counts!);
      losses.add(loss);
    },
    result() {
      const { classes, meanIou, accuracy } = whole.scores();
      const loss = losses.result().value ?? 0;
      const metrics = { iou: known(meanIou.value), loss };
      return {
        loss,
        score: metric === "loss" ? loss : metrics.iou,
        iou: Object.fromEntries(names.map((name, i) => [name, known(classes[i]!.iou)])),
        accuracy: known(accuracy),
        metrics,
        counts: [...whole.counts],
      };
    },
  };
}
