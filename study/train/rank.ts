/** How well a model does on one picture: what a report's best and worst are told by. */
import type { Batch, BatchTarget } from "../data/batch.ts";
import { ignored, type Task as SetTask, type Target } from "../data/sample.ts";
import { confusion } from "../metrics/confusion.ts";
import { depthErrors, normalErrors } from "../metrics/dense.ts";
import { meanOf, type Score } from "../metrics/mean.ts";
import type { Task } from "./model.ts";
import type { Tasks } from "./targets.ts";

export interface Rank {
  /** In words. */
  readonly name: string;
  readonly better: "higher" | "lower";
}

/** The first task of labels is ranked by, or else the first. */
function rankedTask(tasks: Tasks): readonly [name: string, task: SetTask] {
  const all = Object.entries(tasks);
  return all.find(([, { kind }]) => kind === "labels") ?? all[0]!;
}

const words = { labels: "IoU", depth: "absolute error", normals: "mean angle" } as const;

export function rankOf(tasks: Tasks): Rank {
  const [name, { kind }] = rankedTask(tasks);
  const of = Object.keys(tasks).length > 1 ? ` of ${name}` : "";
  return { name: `${words[kind]}${of}`, better: kind === "labels" ? "higher" : "lower" };
}

/** IoU of a mask, mean IoU of the classes that are there, or a mean error; undefined where nothing is known. */
export function scoreOf(
  { kind, tasks }: Pick<Task, "kind" | "tasks">,
  found: Readonly<Record<string, Target>>,
  targets: Batch["targets"],
): Score {
  const [name, task] = rankedTask(tasks);
  const [own, truth] = [found[name]!.data, targets[name]!];
  if (task.kind === "labels") return iouOf(own, truth, task.classes ?? [], kind === "mask");
  if (task.kind === "depth") {
    const errors = depthErrors();
    errors.add(own, truth.data);
    return errors.scores().absolute;
  }
  const errors = normalErrors();
  errors.add(own, truth.data);
  return errors.scores().mean;
}

function iouOf(
  found: ArrayLike<number>,
  truth: BatchTarget,
  names: readonly string[],
  isMask: boolean,
): Score {
  const counts = confusion(names.length, { ignore: ignored });
  counts.add(found, truth.data);
  const { classes } = counts.scores();
  if (isMask) return classes[1]!.pixels > 0 ? classes[1]!.iou : undefined;
  return meanOf(classes.filter(({ pixels }) => pixels > 0).map(({ iou }) => iou)).value;
}
