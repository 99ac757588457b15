/** Sets of several tasks, or of one of depth or normals: a loss and metrics for each. */
import { input, type Tensor } from "../../compiler/index.ts";
import { argmax, mul } from "../../ops/index.ts";
import { cosineNormals, crossEntropy, l1Depth } from "../../training/losses/index.ts";
import type { BatchTarget } from "../data/batch.ts";
import { ignored, type Target, type Task } from "../data/sample.ts";
import { confusion, labelsOfLogits } from "../metrics/confusion.ts";
import { depthErrors, normalErrors } from "../metrics/dense.ts";
import { runningMean, type Score } from "../metrics/mean.ts";
import { countsOf } from "./counts.ts";
import { ignoredOf, labelsIn, labelsInput, packedImages, packedLabels } from "./packed.ts";
import { known } from "./scores.ts";
import type { Scoring, Targets, TaskOptions } from "./targets.ts";

/** A task of a set: its name, and how much its loss counts. */
interface Part {
  readonly name: string;
  readonly task: Task;
  readonly weight: number;
  /** How much pixels count, by label. */
  readonly byLabel?: readonly number[] | undefined;
}

const losses = { depth: l1Depth, normals: cosineNormals } as const;

/** Channels of a model's map: one for each class, one of depth, three of a normal. */
export const mapChannels = ({ kind, classes = [] }: Task): number =>
  kind === "labels" ? classes.length : kind === "depth" ? 1 : 3;

/**
 * Cross entropy of labels, mean absolute error of depth and 1 - cosine of normals, as LibMTL and MTSAM have them. A
 * picture without a task adds nothing to it. Weights, by a task's name or its kind, are divided by their sum; all are
 * alike unless given. Pixels of labels may have weights of their classes.
 */
export function denseTask(
  options: Pick<TaskOptions, "tasks" | "taskWeights" | "weights">,
): Targets {
  const parts = partsOf(options);
  return {
    loss: (outputs) =>
      byName(parts, (part) => {
        const { name, task, weight } = part;
        const map = outputs[name]!;
        const [n, , ...places] = map.shape as [number, number, ...number[]];
        const target =
          task.kind === "labels"
            ? labelsInput(inputOf(name), [n, ...places], mapChannels(task))
            : input(inputOf(name), "f32", map.shape);
        const pixels = part.byLabel && input(pixelsOf(name), "f32", [n, ...places]);
        return mul(lossOf(part, map, target as Tensor, pixels as Tensor), weight) as Tensor;
      }),
    metrics: (outputs, inputs) =>
      Object.assign({}, ...parts.map((part) => metricsOf(part, outputs[part.name]!, inputs))),
    inputs: (batch) => ({
      ...packedImages(batch),
      ...Object.fromEntries(
        parts.flatMap(({ name, task, byLabel }) => {
          const { data } = batch.targets[name]!;
          const given = data instanceof Int32Array ? packedLabels(data, mapChannels(task)) : data;
          const own = [inputOf(name), given] as const;
          const pixels = byLabel && Float32Array.from(data, (label) => byLabel[label] ?? 0);
          return pixels ? [own, [pixelsOf(name), pixels] as const] : [own];
        }),
      ),
    }),
    found: (outputs) => byName(parts, ({ name, task }) => foundOf(task, outputs[name]!)),
    scoring: () => denseScoring(parts),
  };
}

const inputOf = (name: string) => `target.${name}`;
const pixelsOf = (name: string) => `weight.${name}`;

const lossOf = ({ task }: Part, map: Tensor, target: Tensor, weight?: Tensor): Tensor =>
  task.kind === "labels"
    ? crossEntropy(map, target, { weight, ignore: ignoredOf(mapChannels(task)) })
    : losses[task.kind](map, target);

const byName = <T>(parts: readonly Part[], make: (part: Part) => T): Record<string, T> =>
  Object.fromEntries(parts.map((part) => [part.name, make(part)]));

function partsOf({ tasks, taskWeights = {}, weights }: Parameters<typeof denseTask>[0]): Part[] {
  const all = Object.entries(tasks).map(([name, task]) => ({
    ...{ name, task, weight: taskWeights[name] ?? taskWeights[task.kind] ?? 1 },
    byLabel: weights?.[name],
  }));
  const sum = all.reduce((total, { weight }) => total + weight, 0);
  return all.map((part) => ({ ...part, weight: part.weight / sum }));
}

/** Counts of labels are made on the device; maps of depth and normals come back. */
function metricsOf(
  part: Part,
  map: Tensor,
  inputs: Readonly<Record<string, Tensor>>,
): Readonly<Record<string, Tensor>> {
  const { name, task } = part;
  const [n, , ...places] = map.shape as [number, number, ...number[]];
  const given = inputs[inputOf(name)]!;
  const target = task.kind === "labels" ? labelsIn(given, [n, ...places]) : given;
  const loss = lossOf(part, map, target, inputs[pixelsOf(name)]);
  if (task.kind !== "labels") return { [`${name}.loss`]: loss, [`${name}.map`]: map };
  const found = argmax(map, 1) as Tensor;
  return {
    [`${name}.loss`]: loss,
    [`${name}.counts`]: countsOf(found, target, mapChannels(task)),
  };
}

function foundOf(task: Task, map: ArrayLike<number>): Target {
  if (task.kind === "labels")
    return { kind: "labels", data: labelsOfLogits(map, mapChannels(task)) };
  const data = Float32Array.from(map);
  return { kind: task.kind, data: task.kind === "normals" ? unit(data) : data };
}

/** Normals `[3, pixels]` of length 1; what has no direction stays 0. */
export function unit(normals: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  const pixels = normals.length / 3;
  for (let i = 0; i < pixels; i++) {
    const length = Math.hypot(normals[i]!, normals[pixels + i]!, normals[2 * pixels + i]!);
    for (let at = i; length > 0 && at < normals.length; at += pixels) normals[at]! /= length;
  }
  return normals;
}

/** Metrics of a task over all pixels of all pictures that know it, by their names. */
interface PartScores {
  add(predicted: ArrayLike<number>, target: ArrayLike<number>): void;
  result(): {
    readonly metrics: Readonly<Record<string, Score>>;
    readonly iou?: Readonly<Record<string, Score>>;
  };
}

function scoresOf({ kind, classes = [] }: Task): PartScores {
  if (kind === "labels") {
    const counts = confusion(classes.length);
    return {
      add: (predicted) => counts.addCounts(predicted),
      result() {
        const { classes: each, meanIou, accuracy } = counts.scores();
        const iou = Object.fromEntries(classes.map((name, i) => [name, each[i]!.iou]));
        return { metrics: { iou: meanIou.value, accuracy }, iou };
      },
    };
  }
  const errors = kind === "depth" ? depthErrors() : normalErrors();
  return {
    add: (predicted, target) => errors.add(predicted, target),
    result() {
      const { pixels: _, ...metrics } = errors.scores();
      return { metrics: metrics as Readonly<Record<string, Score>> };
    },
  };
}

/** Whether anything of a picture counts. */
const isKnown = ({ kind, data }: BatchTarget): boolean =>
  kind === "labels" ? data.some((label) => label !== ignored) : data.some((value) => value !== 0);

/** The loss is the weighted sum of the tasks', each the mean over the pictures that know the task. */
function denseScoring(parts: readonly Part[]): Scoring {
  const all = parts.map((part) => ({
    ...{ ...part, loss: runningMean(), scores: scoresOf(part.task) },
  }));
  return {
    add(_, metrics, targets) {
      for (const { name, loss, scores } of all) {
        const target = targets[name]!;
        if (!isKnown(target)) continue;
        loss.add(metrics[`${name}.loss`]![0]);
        scores.add(metrics[`${name}.counts`] ?? metrics[`${name}.map`]!, target.data);
      }
    },
    result() {
      const results = all.map(({ name, scores }) => [name, scores.result()] as const);
      const named = (of: "metrics" | "iou") =>
        Object.fromEntries(
          results.flatMap(([name, result]) =>
            Object.entries(result[of] ?? {}).map(([key, score]) => [
              `${name}/${key}`,
              known(score),
            ]),
          ),
        );
      const loss = all.reduce(
        (sum, { weight, loss }) => sum + weight * (loss.result().value ?? 0),
        0,
      );
      return {
        ...{ loss, score: loss, accuracy: null, counts: [] },
        iou: named("iou"),
        metrics: { loss, ...named("metrics") },
      };
    },
  };
}
