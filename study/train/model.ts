/** What a study trains: a SAM with a published method, its loss, and its counts. */
import type { Model } from "../../compiler/index.ts";
import { diagnose } from "../../diagnostics/index.ts";
import { meant } from "../../diagnostics/nearest.ts";
import { mSam, semanticSam } from "../../models/index.ts";
import type { SamConfig } from "../../models/sam/config.ts";
import {
  graftMethod,
  publishedNames,
  taskMethod,
  taskMethodNames,
  trainedMethod,
} from "../../models/sam/presets/published.ts";
import { classTask, setTask } from "./class-task.ts";
import { denseTask, mapChannels } from "./dense-task.ts";
import { maskTask } from "./mask-task.ts";
import type { Targets, TaskOptions, Tasks } from "./targets.ts";

export interface Task extends Targets {
  readonly model: Model;
  readonly kind: TaskKind;
  readonly tasks: Tasks;
}

/**
 * - "mask": one task of two classes, of which the second is looked for. The model has one mask.
 * - "classes": one task of more classes.
 * - "dense": several tasks, or one that is not of labels. The model is an mSAM, with a decoder for each.
 */
export type TaskKind = "mask" | "classes" | "dense";

/** What a set asks for. TA-LoRA is of an mSAM, whatever the tasks are. */
export function kindOf(tasks: Tasks, method: string): TaskKind {
  const [{ kind, classes }, ...others] = Object.values(tasks) as [Tasks[string]];
  if (others.length > 0 || kind !== "labels" || taskMethodNames.includes(method)) return "dense";
  return classes?.length === 2 ? "mask" : "classes";
}

/** The names of the classes of a set of one task; none of others. */
export const classesOf = (tasks: Tasks, kind: TaskKind): readonly string[] =>
  kind === "dense" ? [] : (Object.values(tasks)[0]!.classes ?? []);

/** @throws E130 for a pattern that is no parameter's, E1101 for a method that is none, and what its settings throw. */
export function taskFor(config: SamConfig, options: TaskOptions): Task {
  const { method, tasks, loss } = options;
  checkMethod(method);
  const kind = kindOf(tasks, method);
  if (kind === "dense")
    return { model: denseModel(config, options), kind, tasks, ...denseTask(options) };
  const classes = classesOf(tasks, kind);
  const name = Object.keys(tasks)[0]!;
  const one = { ...options, name, classes, weights: options.weights?.[name] };
  const targets = kind === "mask" ? maskTask(one) : loss === "set" ? setTask(one) : classTask(one);
  return { model: labelsModel(config, options, classes.length), kind, tasks, ...targets };
}

function labelsModel(
  config: SamConfig,
  { method, settings = {}, loss, maskTokens = 1, freeze = [] }: TaskOptions,
  count: number,
): Model {
  const ofClasses = { classes: count, ...(loss === "set" ? { masks: maskTokens } : own) };
  const head = count === 2 ? { classes: 1 } : ofClasses;
  const bare = semanticSam(config, head as typeof ofClasses, { name: `sam-${method}` });
  return graftMethod(bare, trainedMethod(method, [], settings), frozen(freeze));
}

const own = { perceptrons: "own" } as const;

function denseModel(
  config: SamConfig,
  { method, settings = {}, tasks, freeze = [] }: TaskOptions,
): Model {
  const all = Object.entries(tasks).map(([name, task]) => ({ name, channels: mapChannels(task) }));
  const own = method === "cross-stitch" ? { crossStitch: settings } : {};
  const bare = mSam(config, { tasks: all }, { name: `msam-${method}`, ...own });
  // A channel is told from the others by its embedding alone.
  const train = ["prompt_encoder.no_mask_embed.weight", ...frozen(freeze)];
  return graftMethod(bare, taskMethod(method, all.length, settings), train);
}

const frozen = (patterns: readonly string[]) => patterns.map((pattern) => `!${pattern}`);

/** @throws E1101 for a method that is none. */
export function checkMethod(method: string): void {
  const names = [...publishedNames, ...taskMethodNames];
  if (names.includes(method)) return;
  const near = meant(method, names);
  throw diagnose("E1101", {
    message: `there is no method "${method}"`,
    help: near === undefined ? `there are ${names.join(", ")}` : `write "${near}"`,
  });
}
