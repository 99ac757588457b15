/** Ranks of a training in one process. */
import type { Reducer } from "../../runtime/training/reducer.ts";

/** Reducers that wait for each other. Sums are made in the order of the ranks. */
export function ranksInProcess(size: number): readonly Reducer[] {
  let waiting: { readonly rank: number; readonly values: Float32Array; done(): void }[] = [];
  const meet = (rank: number, values: Float32Array) =>
    new Promise<void>((done) => {
      waiting.push({ rank, values, done });
      if (waiting.length < size) return;
      const all = waiting.sort((a, b) => a.rank - b.rank);
      waiting = [];
      const sums = Float32Array.from(values, (_, i) =>
        all.reduce((sum, one) => sum + one.values[i]!, 0),
      );
      for (const one of all) {
        one.values.set(sums);
        one.done();
      }
    });
  return Array.from({ length: size }, (_, rank) => ({
    ...{ rank, size, allReduce: (values: Float32Array) => meet(rank, values) },
    barrier: () => meet(rank, new Float32Array()),
  }));
}
