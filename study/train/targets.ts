/** What a task of a set asks of a model, and what it makes of the answers. */
import type { Tensor } from "../../compiler/index.ts";
import type { MethodSettings } from "../../models/sam/presets/published.ts";
import type { Numbers } from "../../runtime/devices/device.ts";
import type { Inputs } from "../../runtime/inputs.ts";
import type { Batch, BatchTarget } from "../data/batch.ts";
import type { Validation } from "./scores.ts";
import type { LossName, MetricName } from "./settings.ts";

type Outputs = Readonly<Record<string, Tensor<"f32">>>;

/** How the labels of a set become targets of a model, and what it says becomes scores. */
export interface Targets {
  loss(outputs: Outputs): Record<string, Tensor>;
  /** What an evaluation gives back of each picture. */
  metrics(
    outputs: Outputs,
    inputs: Readonly<Record<string, Tensor>>,
  ): Readonly<Record<string, Tensor>>;
  /** The inputs of a batch, by name. */
  inputs(batch: Batch, target: BatchTarget): Inputs;
  /** The class of every pixel of one picture, of what the program gives. */
  labels(outputs: Readonly<Record<string, Numbers>>): Int32Array;
  /** Adds up what evaluations gave back, each of one picture. */
  scoring(): Scoring;
}

export interface Scoring {
  add(loss: number, metrics: Readonly<Record<string, Numbers>>, target: BatchTarget): void;
  result(): Validation;
}

export interface TaskOptions {
  readonly method: string;
  readonly settings?: MethodSettings | undefined;
  /** Two, of which the second is looked for, or more. */
  readonly classes: readonly string[];
  /** "structure" of one mask and "entropy-dice" of classes, unless given. */
  readonly loss?: LossName | undefined;
  /** Mask tokens of the loss "set". */
  readonly maskTokens?: number | undefined;
  /** Patterns of parameters that stay as they are. */
  readonly freeze?: readonly string[] | undefined;
  /** How much pixels count in the loss, by label. */
  readonly weights?: readonly number[] | undefined;
  /** "iou" unless given. */
  readonly metric?: MetricName | undefined;
}
