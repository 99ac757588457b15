/** Scores of a run's adapter on a set, in the size of its pictures. */
import { diagnose } from "../../../diagnostics/index.ts";
import type { Image } from "../../../predict/vision/image.ts";
import type { Progress } from "../../../runtime/devices/device.ts";
import { describeSet, type SetDescription } from "../../data/node/open.ts";
import { ignored, type Target, type Task } from "../../data/sample.ts";
import { type BinaryMetric, binarySummary } from "../../metrics/binary.ts";
import { type ClassScores, type ConfusionScores, confusion } from "../../metrics/confusion.ts";
import {
  type DepthScores,
  depthErrors,
  type NormalScores,
  normalErrors,
} from "../../metrics/dense.ts";
import type { Mean } from "../../metrics/mean.ts";
import type { TaskKind } from "../../train/model.ts";
import { readRun } from "../../train/node/run-folder.ts";
import type { Tasks } from "../../train/targets.ts";
import { enlarge, labelsOfMaps, type Maps, probabilitiesOf } from "../maps.ts";
import { type RunModel, type RunModelRequest, withRunModel } from "./run-model.ts";
import { checkTiling, mapsInTiles, rowsOf, type Tiling } from "./tiled.ts";

export interface EvaluateRequest extends RunModelRequest {
  /** Pictures and targets, of the classes that the run has; of several tasks those that are named as the run's. */
  readonly set: SetDescription;
  /** Sees pictures in overlapping tiles, as `predict` does. */
  readonly tiles?: Tiling | undefined;
  readonly onProgress?: Progress | undefined;
}

/** A score that is not defined is null: it is in no mean. */
type Known<T> = { readonly [Name in keyof T]: number | null };
/** Over how many it is, and how many are not defined. */
type KnownMean = Known<Mean>;

interface Scored {
  /** The task's name in the set. */
  readonly task: string;
  /** Pictures that have targets of it. */
  readonly pictures: number;
}

export interface LabelScores extends Scored {
  readonly kind: "labels";
  /** By class, over all pixels of all pictures that count. */
  readonly classes: Readonly<Record<string, Known<ClassScores>>>;
  readonly accuracy: number | null;
  readonly ber: number | null;
  /** Means over the classes for which they are defined. */
  readonly meanIou: KnownMean;
  readonly meanDice: KnownMean;
  readonly meanAccuracy: KnownMean;
  /** Of a run of masks: each the mean over those pictures for which it is defined. */
  readonly perPicture?: Readonly<Record<BinaryMetric, KnownMean>> | undefined;
}

/** Over all pixels of all pictures whose truth is known. */
export type TaskScores =
  | LabelScores
  | (Scored & { readonly kind: "depth" } & Known<DepthScores>)
  | (Scored & { readonly kind: "normals" } & Known<NormalScores>);

export interface EvaluateReport {
  readonly run: string;
  readonly device: string;
  readonly tasks: readonly TaskScores[];
}

/**
 * Scores a run's adapter on a set. Predictions are compared where they would be written: in the size of the pictures.
 * @throws E1140 for a set of other classes or tasks, E1142 for tiles that cannot be, what `openSet` throws, and what
 * `withRunModel` throws.
 */
export async function evaluate(request: EvaluateRequest): Promise<EvaluateReport> {
  const { run, tiles, onProgress, signal } = request;
  if (tiles) checkTiling(tiles);
  const described = await describeSet(request.set);
  const pairs = tasksOf(described.tasks, (await readRun(run)).tasks);
  return withRunModel(request, async (model) => {
    const { kind } = model;
    const set = await described.open({ signal });
    const tallies = pairs.map(({ own, name }) => ({
      ...{ own, name, tally: tallyOf(name, model.tasks[own]!, kind) },
    }));
    for (let first = 0; first < set.size; first += model.batch) {
      signal?.throwIfAborted();
      const items = Array.from(
        { length: Math.min(model.batch, set.size - first) },
        (_, i) => first + i,
      );
      const samples = await Promise.all(items.map((item) => set.read(item)));
      const found = await seeWhole(
        model,
        samples.map(({ image }) => image),
        request,
      );
      for (const [i, { targets }] of samples.entries()) {
        onProgress?.(first + i + 1, set.size, "pictures");
        for (const { own, name, tally } of tallies)
          if (targets[name]) tally.add(found[i]![own]!, targets[name]);
      }
    }
    set.close();
    return { run, device: model.device, tasks: tallies.map(({ tally }) => tally.result()) };
  });
}

/** Maps of pictures in their sizes, by task. */
async function seeWhole(
  model: RunModel,
  images: readonly Image[],
  { tiles, signal }: EvaluateRequest,
): Promise<Readonly<Record<string, Maps>>[]> {
  const { tasks, settings } = model;
  const all: Readonly<Record<string, Maps>>[] = [];
  if (tiles) {
    for (const image of images)
      all.push(await mapsInTiles(model, Object.keys(tasks), rowsOf(image), tiles, signal));
    return all;
  }
  for (const [i, maps] of (await model.see(images)).entries())
    all.push(mapped(maps, (of) => enlarge(of, images[i]!, settings.fit)));
  return all;
}

/** Adds up what is found of a task, one picture after another. */
interface Tally {
  add(maps: Maps, target: Target): void;
  result(): TaskScores;
}

function tallyOf(task: string, { kind, classes = [] }: Task, of: TaskKind): Tally {
  let pictures = 0;
  if (kind === "labels") {
    const counts = confusion(classes.length, { ignore: ignored });
    const binary = of === "mask" ? binarySummary() : undefined;
    return {
      add(maps, { data }) {
        pictures++;
        counts.add(labelsOfMaps(maps), data);
        const { width, height } = maps;
        const probabilities = binary && probabilitiesOf(maps);
        if (probabilities)
          binary.add({ width, height, probabilities, target: data, ignore: ignored });
      },
      result: () => ({
        ...labelScores(task, pictures, classes, counts.scores()),
        ...(binary && { perPicture: mapped(binary.scores(), knownAll) }),
      }),
    };
  }
  const errors = kind === "depth" ? depthErrors() : normalErrors();
  return {
    add({ data }, target) {
      pictures++;
      errors.add(data, kind === "depth" ? target.data : inPlanes(target.data));
    },
    result: () => ({ kind, task, pictures, ...knownAll(errors.scores()) }) as TaskScores,
  };
}

/** `[3, pixels]` of `[pixels, 3]`. */
function inPlanes(rows: ArrayLike<number>): Float32Array {
  const pixels = rows.length / 3;
  return Float32Array.from(rows, (_, i) => rows[(i % pixels) * 3 + Math.floor(i / pixels)]!);
}

function labelScores(
  task: string,
  pictures: number,
  names: readonly string[],
  { classes, accuracy, ber, ...means }: ConfusionScores,
): LabelScores {
  return {
    ...{ kind: "labels", task, pictures },
    classes: Object.fromEntries(names.map((name, i) => [name, knownAll(classes[i]!)])),
    ...knownAll({ accuracy, ber }),
    ...mapped(means, knownAll),
  };
}

const mapped = <K extends string, A, B>(all: Readonly<Record<K, A>>, make: (one: A) => B) =>
  Object.fromEntries(Object.entries(all).map(([name, one]) => [name, make(one as A)])) as Record<
    K,
    B
  >;

const knownAll = <T extends object>(scores: T): Known<T> =>
  mapped(scores as Record<string, number | undefined>, (score) => score ?? null) as Known<T>;

/**
 * The tasks that run and set both have, by their names there. Of a run of one task its classes tell it; several go by
 * their names.
 */
function tasksOf(tasks: Tasks, known: Tasks): { readonly own: string; readonly name: string }[] {
  const isLike = (a: Task, b: Task) =>
    a.kind === b.kind && JSON.stringify(a.classes) === JSON.stringify(b.classes);
  const [only, ...others] = Object.entries(known);
  const [own, task] = only!;
  const fitting = Object.entries(tasks).filter(([, one]) => isLike(one, task));
  if (others.length === 0 && fitting.length === 1) return [{ own, name: fitting[0]![0] }];
  const common = Object.keys(known).filter((of) => tasks[of] && isLike(tasks[of], known[of]!));
  if (others.length > 0 && common.length > 0) return common.map((of) => ({ own: of, name: of }));
  const words = (all: Tasks) =>
    Object.entries(all).map(([of, one]) => `${of} (${one.classes?.join(", ") ?? one.kind})`);
  throw diagnose("E1140", {
    message: `the run knows ${words(known).join("; ")}, and the set has ${words(tasks).join("; ")}`,
    help: "describe targets of the classes and tasks that the run was trained on, in the same order",
  });
}
