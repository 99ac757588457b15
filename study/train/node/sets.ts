/** The sets of a run: what is trained on, and what is held out. */
import { diagnose } from "../../../diagnostics/index.ts";
import { type DataSet, openSet, type SetDescription } from "../../data/node/open.ts";
import type { Samples } from "../../data/sample.ts";
import { foldsOf, holdOut, subsetOf } from "../../data/split.ts";
import type { ItemCounts, SetSummary } from "../../data/summary.ts";

export interface SetsRequest {
  /** Pictures and targets of one task: masks or classes. */
  readonly set: SetDescription;
  /** Another set to validate on. Unless given a part of the first is held out. */
  readonly validation?: SetDescription | undefined;
  /** The part that is held out, 0.2 unless given. */
  readonly part?: number | undefined;
  /** Which of how many folds is held out, from 0. */
  readonly fold?: { readonly fold: number; readonly of: number } | undefined;
}

/** Items with their names, and how many pixels of each have which label. */
export interface Part {
  readonly samples: Samples;
  readonly names: readonly string[];
  readonly counts: readonly ItemCounts[];
}

export interface Sets {
  readonly summary: SetSummary;
  readonly train: Part;
  readonly validation: Part;
  /** The task's name, and its classes. */
  readonly name: string;
  readonly classes: readonly string[];
}

interface Opening {
  readonly onProgress?: ((done: number, all: number, what: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens them, and checks every item.
 * @throws E10xx for items and splits, E1101 for tasks that are not trained, and for sets of different tasks.
 */
export async function openSets(
  { set, validation, part = 0.2, fold }: SetsRequest,
  seed: number,
  { signal, onProgress }: Opening,
): Promise<Sets> {
  const reading = {
    signal,
    onProgress: (done: number, all: number) => onProgress?.(done, all, "pictures"),
  };
  const whole = await openSet(set, reading);
  const { summary } = whole;
  const task = taskOf(whole);
  if (validation) {
    const held = await openSet(validation, reading);
    checkAlike(whole, held);
    return { ...task, summary, train: wholeOf(whole), validation: wholeOf(held) };
  }
  const split = fold
    ? foldsOf(whole.size, fold.of, seed)[fold.fold]!
    : holdOut(whole.size, part, seed);
  return {
    ...{ ...task, summary },
    train: partOf(whole, split.training),
    validation: partOf(whole, split.validation),
  };
}

const wholeOf = (set: DataSet): Part => ({ samples: set, names: set.names, counts: set.counts });

const partOf = (set: DataSet, items: readonly number[]): Part => ({
  samples: subsetOf(set, items),
  names: items.map((item) => set.names[item]!),
  counts: items.map((item) => set.counts[item]!),
});

/** Both sets must have the same tasks, and these the same classes. */
function checkAlike(train: DataSet, validation: DataSet): void {
  const [own, other] = [train, validation].map(({ tasks }) => JSON.stringify(tasks));
  if (own === other) return;
  throw diagnose("E1101", {
    message: `the set to validate on has the tasks ${other}, and the one to train on ${own}`,
    help: "describe the targets of both alike",
  });
}

/** The one task of labels that a set has. */
function taskOf({ tasks }: DataSet) {
  const [first, ...others] = Object.entries(tasks);
  const [name, { kind, classes }] = first!;
  if (others.length > 0 || kind !== "labels" || classes === undefined)
    throw diagnose("E1101", {
      message: `the set has ${Object.entries(tasks)
        .map(([task, one]) => `${task} (${one.kind})`)
        .join(", ")}, and one task of masks or classes is trained`,
      help: "describe the targets of one task",
    });
  return { name, classes };
}

/**
 * Classes that are looked for must be there.
 * @throws E1107 with every class that is in no picture of a part.
 */
export function checkClasses({ train, validation, name, classes }: Sets): void {
  // Of a mask, what is inside is looked for.
  const first = classes.length === 2 ? 1 : 0;
  const missing = ([what, part]: readonly [string, Part]) => {
    const absent = classes.filter(
      (_, label) => label >= first && !part.counts.some((counts) => counts[name]![label]! > 0),
    );
    return absent.length === 0
      ? []
      : [`${absent.join(", ")} in none of the ${part.names.length} pictures ${what}`];
  };
  const found = [["to train on", train] as const, ["to validate on", validation] as const];
  const words = found.flatMap(missing);
  if (words.length === 0) return;
  throw diagnose("E1107", {
    message: `the set has ${words.join(", and ")}`,
    help: "take these classes out, add pictures, hold others out with another seed, or allow it: emptyClasses: allowed",
  });
}

/**
 * How much pixels count by their label: 1 / ln(1.02 + part of all pixels), divided by the mean over all pixels.
 * Source: ENet (Paszke et al. 2016), section 5.2.
 */
export function balancedWeights({ train, name, classes }: Sets): number[] {
  const pixels = classes.map((_, label) =>
    train.counts.reduce((sum, counts) => sum + counts[name]![label]!, 0),
  );
  const all = pixels.reduce((a, b) => a + b, 0) || 1;
  const raw = pixels.map((count) => 1 / Math.log(1.02 + count / all));
  const mean = raw.reduce((sum, weight, i) => sum + (weight * pixels[i]!) / all, 0) || 1;
  return raw.map((weight) => weight / mean);
}
