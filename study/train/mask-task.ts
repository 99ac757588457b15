/** Sets of one mask: what is looked for, and everything else. */
import { input, type Tensor } from "../../compiler/index.ts";
import { cast, eq, gt, ne, sigmoid } from "../../ops/index.ts";
import { balancedBce, structureLoss } from "../../training/losses/index.ts";
import { ignored } from "../data/sample.ts";
import { confusion } from "../metrics/confusion.ts";
import { runningMean } from "../metrics/mean.ts";
import { sMeasure } from "../metrics/structure-measure.ts";
import { countsOf } from "./counts.ts";
import { ignoredOf, labelsIn, labelsInput, packedImages, packedLabels } from "./packed.ts";
import { known } from "./scores.ts";
import type { LabelsOptions, Scoring, Targets } from "./targets.ts";

const losses = { structure: structureLoss, "balanced-bce": balancedBce } as const;

/** The structure loss of one mask, as in Conv-LoRA's paper, unless another is given. */
export function maskTask({
  name: task,
  classes,
  loss = "structure",
  weights,
  metric = "iou",
}: LabelsOptions): Targets {
  const name = loss === "balanced-bce" ? "balanced" : "structure";
  const lossOf = losses[loss === "balanced-bce" ? loss : "structure"];
  return {
    loss({ logits }) {
      const labels = labelsInput("labels", logits!.shape, classes.length);
      const { target, counted } = partsOf(labels);
      const weight = weights ? (input("weight", "f32", logits!.shape) as Tensor) : counted;
      return { [name]: lossOf(logits!, target, { weight }) };
    },
    metrics({ logits }, { labels, weight }) {
      const found = cast(gt(logits!, 0) as Tensor, "i32") as Tensor;
      const truth = labelsIn(labels!, found.shape);
      const counted = weight ? (cast(gt(weight, 0) as Tensor, "f32") as Tensor) : undefined;
      const counts = countsOf(found, truth, 2, counted);
      return metric === "sMeasure" ? { counts, inside: sigmoid(logits!) as Tensor } : { counts };
    },
    inputs(batch) {
      const data = batch.targets[task]!.data as Int32Array<ArrayBuffer>;
      const own = { ...packedImages(batch), labels: packedLabels(data, classes.length) };
      if (!weights) return own;
      return { ...own, weight: Float32Array.from(data, (label) => weights[label] ?? 0) };
    },
    found({ logits }) {
      const data = Int32Array.from(logits!, (value) => Number(value > 0));
      return { [task]: { kind: "labels", data } };
    },
    scoring: () => maskScoring({ name: task, classes, metric }),
  };
}

/** Of labels: what is inside, and what counts, f32. */
function partsOf(labels: Tensor) {
  const flags = (is: Tensor<"bool">) => cast(is, "f32") as Tensor;
  return { target: flags(eq(labels, 1)), counted: flags(ne(labels, ignoredOf(2))) };
}

/** Scores over all pixels, and means over pictures as Conv-LoRA's experiments have them. */
function maskScoring({
  name: task,
  classes: names,
  metric = "iou",
}: Pick<LabelsOptions, "name" | "classes" | "metric">): Scoring {
  const whole = confusion(2);
  const [losses, ious, bers, measures] = [0, 0, 0, 0].map(runningMean);
  return {
    add(loss, { counts, inside }, targets) {
      const { data } = targets[task]!;
      whole.addCounts(counts!);
      const one = confusion(2);
      one.addCounts(counts!);
      const { classes, ber } = one.scores();
      losses!.add(loss);
      // Of an empty target an IoU is not defined.
      ious!.add(classes[1]!.pixels > 0 ? classes[1]!.iou : undefined);
      bers!.add(ber);
      if (inside) {
        const side = Math.sqrt(data.length);
        const maps = { width: side, height: side, probabilities: inside, target: data };
        measures!.add(sMeasure({ ...maps, ignore: ignored }));
      }
    },
    result() {
      const { classes, accuracy } = whole.scores();
      const value = (mean: ReturnType<typeof runningMean> | undefined) =>
        known(mean!.result().value);
      const metrics = {
        iou: known(classes[1]!.iou),
        pictureIou: value(ious),
        ber: value(bers),
        ...(metric === "sMeasure" ? { sMeasure: value(measures) } : {}),
        loss: value(losses),
      };
      return {
        loss: metrics.loss ?? 0,
        score: metrics[metric] ?? null,
        iou: Object.fromEntries(names.map((name, i) => [name, known(classes[i]!.iou)])),
        accuracy: known(accuracy),
        metrics,
        counts: [...whole.counts],
      };
    },
  };
}
