/** What a set holds, counted while its items are checked. */
import { ignored, type Sample, type Target, type Task } from "./sample.ts";

/** How often a class is there. */
export interface ClassCount {
  readonly name: string;
  readonly pixels: number;
  /** In how many pictures. */
  readonly pictures: number;
}

export interface TaskSummary {
  /** Pictures for which the task is known, and those for which it is not. */
  readonly known: number;
  readonly missing: number;
  /** Of labels: by label. */
  readonly classes?: readonly ClassCount[] | undefined;
  /** Pixels that count, and those that do not: ignored, or not known. */
  readonly pixels: number;
  readonly ignored: number;
  /** Of depth: the least and the largest that is known. */
  readonly range?: readonly [number, number] | undefined;
}

export interface SetSummary {
  readonly items: number;
  /** The least and the largest width and height of a picture. */
  readonly width: readonly [number, number];
  readonly height: readonly [number, number];
  readonly tasks: Readonly<Record<string, TaskSummary>>;
}

type Range = [least: number, largest: number];
const nothing = (): Range => [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
const widen = (range: Range, value: number) => {
  range[0] = Math.min(range[0], value);
  range[1] = Math.max(range[1], value);
};

/** By task: how many pixels of an item have which label; of depth and normals one number, how many are known. */
export type ItemCounts = Readonly<Record<string, readonly number[]>>;

/** Counts items, one after another. */
export function summaryOf(tasks: Readonly<Record<string, Task>>): {
  /** Gives what was counted of this item. */
  add(sample: Sample): ItemCounts;
  result(): SetSummary;
} {
  const [width, height] = [nothing(), nothing()];
  const counters = Object.entries(tasks).map(([name, task]) => [name, counterOf(task)] as const);
  let items = 0;
  return {
    add({ image, targets }) {
      items++;
      widen(width, image.width);
      widen(height, image.height);
      const counts = counters.map(([name, counter]) => [name, counter.add(targets[name])] as const);
      return Object.fromEntries(counts);
    },
    result: () => ({
      ...{ items, width, height },
      tasks: Object.fromEntries(counters.map(([name, counter]) => [name, counter.result(items)])),
    }),
  };
}

function counterOf({ kind, classes }: Task) {
  const counts = classes?.map((name) => ({ name, pixels: 0, pictures: 0 }));
  const range = nothing();
  let [known, pixels, left] = [0, 0, 0];
  return {
    add(target: Target | undefined): readonly number[] {
      if (!target) return counts?.map(() => 0) ?? [0];
      known++;
      const seen = pixels;
      const before = counts?.map((count) => count.pixels);
      const step = kind === "normals" ? 3 : 1;
      for (let i = 0; i < target.data.length; i += step) {
        const value = target.data[i]!;
        const isKnown =
          kind === "labels"
            ? value !== ignored
            : value !== 0 || (step > 1 && (target.data[i + 1] !== 0 || target.data[i + 2] !== 0));
        if (!isKnown) left++;
        else {
          pixels++;
          if (counts) counts[value]!.pixels++;
          if (kind === "depth") widen(range, value);
        }
      }
      const own = counts?.map((count, i) => count.pixels - before![i]!);
      counts?.forEach((count, i) => {
        if (own![i]! > 0) count.pictures++;
      });
      return own ?? [pixels - seen];
    },
    result: (items: number): TaskSummary => ({
      ...{ known, missing: items - known, pixels, ignored: left, classes: counts },
      range: kind === "depth" && pixels > 0 ? range : undefined,
    }),
  };
}
