/** Checks of kind `train_msam_ta_lora`: mSAM with TA-LoRA on several dense tasks at once. */

import { taLora } from "../adapters/index.ts";
import { adapt, input, type Tensor } from "../compiler/index.ts";
import { type DenseTask, mSam } from "../models/index.ts";
import { decoderOnly, layerNormTuning } from "../models/sam/presets/index.ts";
import { mul } from "../ops/index.ts";
import { checkLabels, cosineNormals, crossEntropy, l1Depth } from "../training/losses/index.ts";
import type { Check } from "./compare.ts";
import type { Setting } from "./kinds.ts";
import { garbled, type Reference, type ReferenceTensor } from "./reference.ts";
import { forward, type StepRecord, type TrainingRun, verifyTraining } from "./training.ts";
import { configOf, numberOf, numbersOf, optimiserOf, rateOf, stepsOf } from "./training-facts.ts";
import { placesOf, tableRowsOf } from "./training-initial.ts";

interface Task extends DenseTask {
  readonly weight: number;
  /** The target's shape; of classes it has no channels. */
  readonly target: readonly number[];
}

const regulariser = "orthogonal_reg";

/**
 * Images are taken as they are and lie in the upper left of the model's square. A target that is a
 * map of labels is a task of classes, one of one channel depth, one of three normals.
 */
export async function* verifyMSamTaLora(
  reference: Reference,
  setting: Setting,
): AsyncIterable<Check> {
  const image = await reference.read("step.0.image", 4);
  const [batch, , ...picture] = image.shape as [number, number, number, number];
  const tasks = await tasksOf(reference, batch);
  const output = tasks[0]!.target.slice(-2) as [number, number];
  const orthogonality = numberOf(reference, "orthogonal_lambda");
  const model = mSam(
    configOf(reference),
    { tasks },
    { frame: { image: picture, output }, tableRows: await tableRowsOf(reference) },
  );
  const adapted = adapt(model, adapterOf(reference, tasks.length, orthogonality), {
    where: placesOf(reference, "td_G"),
    train: ["prompt_encoder.no_mask_embed.weight"],
  });
  const run: TrainingRun = {
    model: adapt(adapt(adapted, layerNormTuning()), decoderOnly()),
    batch,
    loss: (outputs) =>
      Object.fromEntries(
        tasks.map((task) => [task.name, mul(lossOf(task, outputs[task.name]!), task.weight)]),
      ),
    optimiser: optimiserOf(reference, "adam"),
    steps: stepsOf(reference),
    rate: rateOf(reference),
    inputs: (step) => inputsOf(reference, tasks, step),
    records: await recordsOf(reference, tasks, orthogonality),
  };
  yield* verifyTraining(reference, setting, run);
}

function adapterOf(reference: Reference, tasks: number, orthogonality: number) {
  const ranks = numbersOf(reference, "ranks", 3) as [number, number, number];
  const dropout = reference.metadata.dropout === undefined ? 0 : numberOf(reference, "dropout");
  if (dropout !== 0)
    throw garbled(reference.path, `it was made with dropout ${dropout}, but not what was drawn`);
  return taLora({
    tasks,
    ranks,
    scale: numberOf(reference, "scaling"),
    dropout,
    orthogonality,
  });
}

async function tasksOf(reference: Reference, batch: number): Promise<Task[]> {
  const { path } = reference;
  const given = reference.json("tasks");
  if (!Array.isArray(given) || given.length === 0)
    throw garbled(path, '"tasks" of its metadata is no list of tasks');
  const weights = numbersOf(reference, "task_weights", given.length);
  const tasks: Task[] = [];
  for (const [i, task] of given.entries()) {
    const { name, channels } = Object(task) as Partial<Record<string, unknown>>;
    if (typeof name !== "string" || typeof channels !== "number")
      throw garbled(path, `task ${i} of its metadata has no name or no number of channels`);
    const { shape: target } = await reference.read(`step.0.${name}`);
    const known = { name, channels, weight: weights[i]!, target };
    const [height, width] = tasks[0]?.target.slice(-2) ?? target.slice(-2);
    const fits =
      isLabels(known) ||
      ((channels === 1 || channels === 3) && target.length === 4 && target[1] === channels);
    if (!fits || [batch, height, width].join() !== [target[0], ...target.slice(-2)].join())
      throw garbled(path, `step.0.${name}, of ${channels} channels, is [${target.join(", ")}]`);
    tasks.push(known);
  }
  return tasks;
}

const isLabels = ({ target }: Pick<Task, "target">) => target.length === 3;

function lossOf(task: Task, prediction: Tensor<"f32">): Tensor<"f32"> {
  const { name, channels, target } = task;
  if (isLabels(task)) return crossEntropy(prediction, input(name, "i32", target));
  const map = input(name, "f32", target);
  return channels === 1 ? l1Depth(prediction, map) : cosineNormals(prediction, map);
}

async function inputsOf(reference: Reference, tasks: readonly Task[], step: number) {
  const inputs: Record<string, ReferenceTensor["data"]> = {
    image: (await reference.read(`step.${step}.image`, 4)).data,
  };
  for (const task of tasks) {
    const name = `step.${step}.${task.name}`;
    const target = await reference.read(name, task.target.length);
    if (isLabels(task)) checkLabels({ name, ...target }, task.channels);
    inputs[task.name] = target.data;
  }
  return inputs;
}

/**
 * The columns of `losses`, which are not weighted. What has the weight 0 is nothing in the loss, and
 * cannot be told from it: it is left out.
 */
async function recordsOf(
  reference: Reference,
  tasks: readonly Task[],
  orthogonality: number,
): Promise<StepRecord[]> {
  const { path } = reference;
  const columns = reference.json("loss_columns");
  const losses = await reference.read("losses", 2);
  if (!Array.isArray(columns) || columns.length !== losses.shape[1])
    throw garbled(path, `its losses have ${losses.shape[1]} columns, not those of "loss_columns"`);
  const weights = new Map<unknown, number>(tasks.map(({ name, weight }) => [name, weight]));
  weights.set(regulariser, orthogonality);
  return columns.flatMap((column: unknown, i) => {
    const weight = weights.get(column);
    if (weight === undefined) throw garbled(path, `"${column}" of its losses is of no task`);
    if (weight === 0) return [];
    const name = column as string;
    return {
      name: `losses, ${name}`,
      reference: losses.data.filter((_, at) => at % columns.length === i),
      relative: forward,
      of: ({ terms }) => terms[name]! / weight,
    } satisfies StepRecord;
  });
}
