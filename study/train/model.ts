/** What a study trains: a SAM for segmentation with a published method, its loss, and its counts. */
import { input, type Model, type Tensor } from "../../compiler/index.ts";
import { diagnose } from "../../diagnostics/index.ts";
import { meant } from "../../diagnostics/nearest.ts";
import { semanticSam } from "../../models/index.ts";
import type { SamConfig } from "../../models/sam/config.ts";
import {
  graftMethod,
  type MethodSettings,
  publishedNames,
  trainedMethod,
} from "../../models/sam/presets/published.ts";
import { argmax, cast, eq, gt, iota, matmul, mul, reshape } from "../../ops/index.ts";
import type { Inputs } from "../../runtime/inputs.ts";
import { classDice, crossEntropy, structureLoss } from "../../training/losses/index.ts";
import { type Batch, type BatchTarget, maskTargets, normalizedImages } from "../data/batch.ts";

type Floats = Tensor<"f32">;
type Outputs = Readonly<Record<string, Floats>>;

/** How the labels of a set become targets of a model, and its logits become counts. */
export interface Task {
  readonly model: Model;
  /** "mask": two classes, of which the second is looked for. The model has one mask. */
  readonly kind: "mask" | "classes";
  readonly classes: readonly string[];
  loss(outputs: Outputs): Record<string, Tensor>;
  /** f32 `[classes, classes]`: how many pixels of a class (row) were given which class (column). */
  counts(outputs: Outputs, inputs: Readonly<Record<string, Tensor>>): Tensor;
  /** The inputs of a batch, by name. */
  inputs(batch: Batch, target: BatchTarget): Inputs;
}

export interface TaskOptions {
  readonly method: string;
  readonly settings?: MethodSettings | undefined;
  /** Two, of which the second is looked for, or more. */
  readonly classes: readonly string[];
}

/** @throws E1101 for a method that is none, and what its settings throw. */
export function taskFor(config: SamConfig, { method, settings = {}, classes }: TaskOptions): Task {
  const kind = classes.length === 2 ? "mask" : "classes";
  if (!publishedNames.includes(method)) {
    const near = meant(method, publishedNames);
    throw diagnose("E1101", {
      message: `there is no method "${method}"`,
      help: near === undefined ? `there are ${publishedNames.join(", ")}` : `write "${near}"`,
    });
  }
  const head =
    kind === "mask" ? { classes: 1 } : { classes: classes.length, perceptrons: "own" as const };
  const bare = semanticSam(config, head, { name: `sam-${method}` });
  const model = graftMethod(bare, trainedMethod(method, [], settings));
  return { model, kind, classes, ...(kind === "mask" ? maskTask : classTask(classes.length)) };
}

type Targets = Pick<Task, "loss" | "counts" | "inputs">;

/** The structure loss of one mask, as in Conv-LoRA's paper. */
const maskTask: Targets = {
  loss({ logits }) {
    const { shape } = logits!;
    const target = input("target", "f32", shape) as Tensor;
    const weight = input("weight", "f32", shape) as Tensor;
    return { structure: structureLoss(logits!, target, { weight }) };
  },
  counts({ logits }, { target, weight }) {
    const isInside = cast(gt(logits!, 0) as Tensor, "i32") as Tensor;
    return countsOf(isInside, cast(target!, "i32") as Tensor, 2, weight);
  },
  inputs(batch, labels) {
    const { target, weight } = maskTargets(labels, 1);
    return { image: normalizedImages(batch), target, weight };
  },
};

/** Cross entropy and dice of classes, 0.2 and 0.8: SAMed's. */
const classTask = (classes: number): Targets => ({
  loss({ logits }) {
    const [n, , ...places] = logits!.shape as [number, number, ...number[]];
    const labels = input("labels", "i32", [n, ...places]) as Tensor;
    return {
      entropy: mul(crossEntropy(logits!, labels), 0.2),
      dice: mul(classDice(logits!, labels), 0.8),
    };
  },
  // A label that is ignored is no class, and is counted nowhere.
  counts: ({ logits }, { labels }) => countsOf(argmax(logits!, 1) as Tensor, labels!, classes),
  inputs: (batch, { data }) => ({
    image: normalizedImages(batch),
    labels: data as Int32Array<ArrayBuffer>,
  }),
});

/** f32 `[classes, classes]`, of labels i32 of one shape; `weight` f32 of that shape is 0 where a pixel does not count. */
function countsOf(found: Tensor, truth: Tensor, classes: number, weight?: Tensor): Tensor {
  const pixels = found.shape.reduce((a, b) => a * b, 1);
  const is = (labels: Tensor) =>
    cast(
      eq(reshape(labels, [1, pixels]) as Tensor, iota([classes, 1], 0) as Tensor) as Tensor,
      "f32",
    ) as Tensor;
  const counted = weight
    ? (mul(is(truth), reshape(weight, [1, pixels]) as Tensor) as Tensor)
    : is(truth);
  return matmul(counted, is(found), { transpose: "right" }) as Tensor;
}
