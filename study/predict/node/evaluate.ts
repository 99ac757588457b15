/** Scores of a run's adapter on a set, in the size of its pictures. */
import { diagnose } from "../../../diagnostics/index.ts";
import type { Progress } from "../../../runtime/devices/device.ts";
import { openSet, type SetDescription } from "../../data/node/open.ts";
import { ignored } from "../../data/sample.ts";
import { type BinaryMetric, binarySummary } from "../../metrics/binary.ts";
import { type ClassScores, type ConfusionScores, confusion } from "../../metrics/confusion.ts";
import type { Mean } from "../../metrics/mean.ts";
import { enlarge, labelsOfMaps, probabilitiesOf } from "../maps.ts";
import { type RunModelRequest, withRunModel } from "./run-model.ts";

export interface EvaluateRequest extends RunModelRequest {
  /** Pictures and targets, of the classes that the run has. */
  readonly set: SetDescription;
  readonly onProgress?: Progress | undefined;
}

/** A score that is not defined is null: it is in no mean. */
type Known<T> = { readonly [Name in keyof T]: number | null };
/** Over how many it is, and how many are not defined. */
type KnownMean = Known<Mean>;

export interface TaskScores {
  /** The task's name in the set. */
  readonly task: string;
  /** Pictures that have targets of it. */
  readonly pictures: number;
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

export interface EvaluateReport {
  readonly run: string;
  readonly device: string;
  readonly tasks: readonly TaskScores[];
}

/**
 * Scores a run's adapter on a set. Predictions are compared where they would be written: in the size of the pictures.
 * @throws E1140 for a set of other classes, what `openSet` throws, and what `withRunModel` throws.
 */
export function evaluate(request: EvaluateRequest): Promise<EvaluateReport> {
  return withRunModel(request, async (model) => {
    const { run, onProgress, signal } = request;
    const { classes, kind, settings } = model;
    const set = await openSet(request.set, { signal });
    const task = taskOf(set.tasks, classes);
    const counts = confusion(classes.length, { ignore: ignored });
    const binary = kind === "mask" ? binarySummary() : undefined;
    let pictures = 0;
    for (let first = 0; first < set.size; first += model.batch) {
      signal?.throwIfAborted();
      const items = Array.from(
        { length: Math.min(model.batch, set.size - first) },
        (_, i) => first + i,
      );
      const samples = await Promise.all(items.map((item) => set.read(item)));
      const found = await model.see(samples.map(({ image }) => image));
      for (const [i, { image, targets }] of samples.entries()) {
        const target = targets[task];
        onProgress?.(first + i + 1, set.size, "pictures");
        if (!target) continue;
        pictures++;
        const maps = enlarge(found[i]!, image, settings.fit);
        counts.add(labelsOfMaps(maps), target.data);
        const { width, height } = image;
        binary?.add({
          ...{ width, height, probabilities: probabilitiesOf(maps), target: target.data },
          ignore: ignored,
        });
      }
    }
    set.close();
    const scores = scoresOf(task, pictures, classes, counts.scores());
    const perPicture = binary && mapped(binary.scores(), knownAll);
    return { run, device: model.device, tasks: [{ ...scores, ...(perPicture && { perPicture }) }] };
  });
}

function scoresOf(
  task: string,
  pictures: number,
  names: readonly string[],
  { classes, accuracy, ber, ...means }: ConfusionScores,
): TaskScores {
  return {
    ...{ task, pictures },
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

/** The task of the set that the run knows. */
function taskOf(
  tasks: Awaited<ReturnType<typeof openSet>>["tasks"],
  classes: readonly string[],
): string {
  const own = JSON.stringify(classes);
  const all = Object.entries(tasks);
  const fitting = all.filter(([, task]) => JSON.stringify(task.classes) === own);
  const [name] = fitting[0] ?? [];
  if (name !== undefined && fitting.length === 1) return name;
  const listed = all.map(([of, task]) => `${of} (${task.classes?.join(", ") ?? task.kind})`);
  throw diagnose("E1140", {
    message: `the run knows the classes ${classes.join(", ")}, and the set has ${listed.join("; ")}`,
    help: "describe targets of the classes that the run was trained on, in the same order",
  });
}
