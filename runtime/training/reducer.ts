/** Processes that take the steps of a training together: each computes a part of the batch, all have the same parameters. */
import { diagnose } from "../../diagnostics/index.ts";
import type { TrainingPlan } from "./plan.ts";

/** What one of several processes needs of the others. All call the same functions, in the same order. */
export interface Reducer {
  /** At least 0 and less than `size`. */
  readonly rank: number;
  /** How many processes there are. */
  readonly size: number;
  /** Puts the sum over all ranks in place of each number: the same bits everywhere, and from run to run. */
  allReduce(values: Float32Array<ArrayBuffer>): Promise<void>;
  /** Resolves when every rank has called it. */
  barrier(): Promise<void>;
}

/** @throws E620 for a plan of another number of ranks. */
export function checkRanks({ name, ranks }: TrainingPlan, reducer: Reducer | undefined): void {
  const size = reducer?.size ?? 1;
  if (size === ranks) return;
  throw diagnose("E620", {
    message: `${name} is compiled for ${ranks} ${ranks === 1 ? "rank" : "ranks"}, and there ${size === 1 ? "is 1" : `are ${size}`}`,
    help: reducer
      ? `compile it for them: { ranks: ${size} }`
      : "give createTrainer a reducer, or createTrainingSession the one of these ranks",
  });
}

/** Puts the mean over all ranks in place of each number. */
export async function meanOverRanks(
  values: Float32Array<ArrayBuffer>,
  reducer: Reducer,
): Promise<void> {
  await reducer.allReduce(values);
  for (let i = 0; i < values.length; i++) values[i]! /= reducer.size;
}
