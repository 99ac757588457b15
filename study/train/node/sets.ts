/** The sets of a run: what is trained on, and what is held out. */
import { diagnose } from "../../../diagnostics/index.ts";
import {
  type DataSet,
  type DescribedSet,
  describeSet,
  type SetDescription,
} from "../../data/node/open.ts";
import { mayStartThreads } from "../../data/node/threads.ts";
import { shuffledOrder } from "../../data/order.ts";
import type { Samples } from "../../data/sample.ts";
import { foldsOf, holdOut, type Split, subsetOf } from "../../data/split.ts";
import type { ItemCounts, SetSummary } from "../../data/summary.ts";
import type { Tasks } from "../targets.ts";

export interface SetsRequest {
  /** Pictures and targets: masks, classes, depth, normals. */
  readonly set: SetDescription;
  /** Another set to validate on. Unless given a part of the first is held out. */
  readonly validation?: SetDescription | undefined;
  /** The part that is held out, 0.2 unless given. */
  readonly part?: number | undefined;
  /** The part of the pictures to train on that is taken, drawn by the seed: above 0, 1 unless given. */
  readonly share?: number | undefined;
  /** Which of how many folds is held out, from 0. */
  readonly fold?: { readonly fold: number; readonly of: number } | undefined;
}

/** Items with their names, and how many pixels of each have which label, or are known. */
export interface Part {
  readonly samples: Samples;
  readonly names: readonly string[];
  readonly counts: readonly ItemCounts[];
}

export interface Sets {
  readonly summary: SetSummary;
  readonly train: Part;
  readonly validation: Part;
  readonly tasks: Tasks;
  /** Ends the thread that reads what is trained on, where there is one. */
  close(): void;
}

/** Sets of which no picture was read yet. */
export interface DescribedSets {
  readonly train: Pick<Part, "names">;
  readonly validation: Pick<Part, "names">;
  readonly tasks: Tasks;
  /** Checks every item. @throws E1001 for items that cannot be used. */
  open(opening: Opening): Promise<Sets>;
}

interface Opening {
  /** Bytes of decoded pictures to train on that are kept in memory. */
  readonly keep: number;
  readonly onProgress?: ((done: number, all: number, what: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads what describes them, and decides which pictures are held out.
 * @throws E1002 to E1004 for sets, E1011 for splits, E1101 for sets of different tasks.
 */
export async function describeSets(request: SetsRequest, seed: number): Promise<DescribedSets> {
  const whole = await describeSet(request.set);
  const held = request.validation && (await describeSet(request.validation));
  if (held) checkAlike(whole, held);
  const items = splitOf(whole, held, request, seed);
  const namesOf = ({ names }: DescribedSet, some: readonly number[]) => ({
    names: some.map((item) => names[item]!),
  });
  return {
    tasks: whole.tasks,
    train: namesOf(whole, items.training),
    validation: namesOf(held ?? whole, items.validation),
    async open({ signal, onProgress, keep }) {
      const reading = {
        signal,
        onProgress: (done: number, all: number) => onProgress?.(done, all, "pictures"),
      };
      // Batches are made beside the thread that trains, where there may be another.
      const threads = mayStartThreads() ? 1 : 0;
      const read = await whole.open({ ...reading, threads, keep });
      const { summary, tasks, close } = read;
      try {
        const others = (await held?.open(reading)) ?? read;
        return {
          ...{ tasks, summary, close, train: partOf(read, items.training) },
          validation: partOf(others, items.validation),
        };
      } catch (cause) {
        close();
        throw cause;
      }
    },
  };
}

/** Which items are trained on, and which are validated on, of the set itself or of the one that is `held`. */
function splitOf(
  whole: DescribedSet,
  held: DescribedSet | undefined,
  { part = 0.2, share = 1, fold }: SetsRequest,
  seed: number,
): Split {
  const split = held
    ? { training: all(whole), validation: all(held) }
    : fold
      ? foldsOf(whole.size, fold.of, seed)[fold.fold]!
      : holdOut(whole.size, part, seed);
  return { ...split, training: shareOf(split.training, share, seed) };
}

const all = ({ size }: DescribedSet) => Array.from({ length: size }, (_, item) => item);

/** So many of the items, at least one, as they stand in the set; a smaller share is a part of a larger one. */
function shareOf(items: readonly number[], share: number, seed: number): readonly number[] {
  if (share === 1) return items;
  const count = Math.max(1, Math.round(share * items.length));
  const order = shuffledOrder(items.length, seed);
  const taken = Array.from({ length: count }, (_, place) => items[order.itemAt(place)]!);
  return taken.sort((a, b) => a - b);
}

const partOf = (set: DataSet, items: readonly number[]): Part => ({
  samples: subsetOf(set, items),
  names: items.map((item) => set.names[item]!),
  counts: items.map((item) => set.counts[item]!),
});

/** Both sets must have the same tasks, and these the same classes. */
function checkAlike(train: DescribedSet, validation: DescribedSet): void {
  // One may have depths in another unit of its files.
  const [own, other] = [train, validation].map(({ tasks }) =>
    JSON.stringify(tasks, (name, value) => (name === "scale" ? undefined : value)),
  );
  if (own === other) return;
  throw diagnose("E1101", {
    message: `the set to validate on has the tasks ${other}, and the one to train on ${own}`,
    help: "describe the targets of both alike",
  });
}

/**
 * Classes that are looked for must be there, and what several tasks know.
 * @throws E1107 with every class, and every task, that is in no picture of a part.
 */
export function checkClasses({ train, validation, tasks }: Sets): void {
  const ofTasks = Object.entries(tasks);
  const missing = ([what, part]: readonly [string, Part]) => {
    const isThere = (task: string, place: number) =>
      part.counts.some((counts) => counts[task]![place]! > 0);
    const absent = ofTasks.flatMap(([task, { classes = [task] }]) => {
      const of = ofTasks.length > 1 && classes[0] !== task ? ` of ${task}` : "";
      // Of a mask, what is inside is looked for.
      const first = classes.length === 2 ? 1 : 0;
      return classes.flatMap((name, i) => (i < first || isThere(task, i) ? [] : [`${name}${of}`]));
    });
    return absent.length === 0
      ? []
      : [`${absent.join(", ")} in none of the ${part.names.length} pictures ${what}`];
  };
  const found = [["to train on", train] as const, ["to validate on", validation] as const];
  const words = found.flatMap(missing);
  if (words.length === 0) return;
  throw diagnose("E1107", {
    message: `the set has ${words.join(", and ")}`,
    help: "take these classes out, add pictures, hold others out with another --seed, or allow it: --empty-classes allowed (in a study emptyClasses: allowed)",
  });
}

/** How much pixels count, by task of labels and label: as given for the only one, or "auto" by `balancedWeights`. */
export function weightsByTask(sets: Sets, given: "auto" | readonly number[]) {
  const ofLabels = Object.entries(sets.tasks).filter(([, { kind }]) => kind === "labels");
  return Object.fromEntries(
    ofLabels.map(([name, { classes = [] }]) => [
      name,
      given === "auto" ? balancedWeights(sets.train.counts, name, classes.length) : given,
    ]),
  );
}

/**
 * How much pixels of a task count by their label: 1 / ln(1.02 + part of all pixels), divided by the mean over all
 * pixels. Source: ENet (Paszke et al. 2016), section 5.2.
 */
function balancedWeights(counts: Sets["train"]["counts"], name: string, classes: number): number[] {
  const pixels = Array.from({ length: classes }, (_, label) =>
    counts.reduce((sum, of) => sum + (of[name]?.[label] ?? 0), 0),
  );
  const all = pixels.reduce((a, b) => a + b, 0) || 1;
  const raw = pixels.map((count) => 1 / Math.log(1.02 + count / all));
  const mean = raw.reduce((sum, weight, i) => sum + (weight * pixels[i]!) / all, 0) || 1;
  return raw.map((weight) => weight / mean);
}
