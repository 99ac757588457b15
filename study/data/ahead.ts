/** Items and batches before they are needed: kept in memory, and made while a step runs. */
import type { Batch, Batches } from "./batch.ts";
import type { Share } from "./order.ts";
import type { Sample, Samples } from "./sample.ts";

/**
 * Keeps decoded items in memory, until `bytes` of them are there; the others are read every time. Nothing is dropped
 * for another: an epoch takes every item once, so that what came last is not needed sooner.
 */
export function keptInMemory(samples: Samples, bytes: number): Samples {
  const kept = new Map<number, Promise<Sample>>();
  let used = 0;
  const { size: items, tasks } = samples;
  return {
    ...{ size: items, tasks },
    async read(item) {
      const known = kept.get(item);
      if (known) return known;
      const reading = samples.read(item);
      const sample = await reading;
      const size = bytesOf(sample);
      if (used + size <= bytes && !kept.has(item)) {
        used += size;
        kept.set(item, reading);
      }
      return sample;
    },
  };
}

const bytesOf = ({ image, targets }: Sample): number =>
  Object.values(targets).reduce((sum, { data }) => sum + data.byteLength, image.data.byteLength);

/** Which steps, and how many of them are made before they are asked for. */
export interface Steps extends Share {
  /** The step after the last; `step` is the first. */
  readonly end: number;
  /** 1 unless given: while a step runs, the batch of the next one is made. */
  readonly ahead?: number | undefined;
}

/** The batches of steps in turn. What making one throws is thrown when its turn has come. */
export const batchesInTurn = (
  batches: Batches,
  { step, end, ahead, ...share }: Steps,
): AsyncGenerator<Batch, void, undefined> =>
  madeAhead((next) => batches.take({ ...share, step: next }), { step, end, ahead });

/** What is made of each step, in turn. What making it throws is thrown when its turn has come. */
export async function* madeAhead<T>(
  make: (step: number) => Promise<T>,
  { step: first, end, ahead = 1 }: Pick<Steps, "step" | "end" | "ahead">,
): AsyncGenerator<T, void, undefined> {
  const begun: Promise<T>[] = [];
  for (let next = first; next < end || begun.length > 0; ) {
    for (; next < end && begun.length <= ahead; next++) {
      const taking = make(next);
      // Who stops early does not hear of the others.
      taking.catch(() => {});
      begun.push(taking);
    }
    yield await begun.shift()!;
  }
}
