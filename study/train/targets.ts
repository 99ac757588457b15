/** What a task of a set asks of a model, and what it makes of the answers. */
import type { Tensor } from "../../compiler/index.ts";
import type { MethodSettings } from "../../models/sam/presets/published.ts";
import type { Numbers } from "../../runtime/devices/device.ts";
import type { Inputs } from "../../runtime/inputs.ts";
import type { Batch } from "../data/batch.ts";
import type { Task as SetTask, Target } from "../data/sample.ts";
import type { Validation } from "./scores.ts";
import type { LossName, MetricName } from "./settings.ts";

/** The tasks of a set, by name. */
export type Tasks = Readonly<Record<string, SetTask>>;

type Outputs = Readonly<Record<string, Tensor<"f32">>>;

/** How the targets of a set become targets of a model, and what it says becomes scores. */
export interface Targets {
  loss(outputs: Outputs): Record<string, Tensor>;
  /** What an evaluation gives back of each picture. */
  metrics(
    outputs: Outputs,
    inputs: Readonly<Record<string, Tensor>>,
  ): Readonly<Record<string, Tensor>>;
  /** The inputs of a batch, by name. */
  inputs(batch: Batch): Inputs;
  /** What the program says of one picture, by task: as `Viewed` has targets. */
  found(outputs: Readonly<Record<string, Numbers>>): Readonly<Record<string, Target>>;
  /** Adds up what evaluations gave back, each of one picture. */
  scoring(): Scoring;
}

export interface Scoring {
  add(loss: number, metrics: Readonly<Record<string, Numbers>>, targets: Batch["targets"]): void;
  result(): Validation;
}

export interface TaskOptions {
  readonly method: string;
  readonly settings?: MethodSettings | undefined;
  /** One of labels, of two classes, of which the second is looked for, or more; or any others. */
  readonly tasks: Tasks;
  /** "structure" of one mask, "entropy-dice" of classes and "multi-task" of other sets, unless given. */
  readonly loss?: LossName | undefined;
  /** Mask tokens of the loss "set". */
  readonly maskTokens?: number | undefined;
  /** Patterns of parameters that stay as they are. */
  readonly freeze?: readonly string[] | undefined;
  /** How much pixels count in the loss, by task and label; of tasks that it does not name all alike. */
  readonly weights?: Readonly<Record<string, readonly number[]>> | undefined;
  /** Of several tasks: how much the loss of each counts, by its name or its kind. */
  readonly taskWeights?: Readonly<Record<string, number>> | undefined;
  /** "iou" unless given. */
  readonly metric?: MetricName | undefined;
}

/** Of a set of one task, which is of labels. */
export interface LabelsOptions extends Pick<TaskOptions, "loss" | "metric"> {
  readonly name: string;
  readonly weights?: readonly number[] | undefined;
  readonly classes: readonly string[];
}
