/**
 * A training that outlives its device: what a checkpoint holds is copied to the host after every call that
 * changes it, and another device goes on from the last copy.
 */
import { diagnose } from "../../diagnostics/index.ts";
import type { Turn } from "../calls.ts";
import { late } from "../late.ts";
import type { Weights } from "../weights/weights.ts";
import type { Progress } from "./checkpoint.ts";
import type { TrainingPlan } from "./plan.ts";
import type { Trained } from "./trained.ts";

/** What a call does in its turn. */
export type Work<T> = (turn: Turn) => Promise<T>;

export interface Recovery {
  /** The work, and after it the copy. A call whose copy fails has not been. */
  kept<T>(trained: Trained, progress: () => Progress, work: Work<T>): Work<T>;
  /** What another device goes on from: undefined where that is the beginning. @throws E438 */
  resume(): Promise<Weights | undefined>;
}

const saved = () => late(import("./saved.ts"));

export function createRecovery(
  plan: TrainingPlan,
  isWanted: boolean,
  begun: Weights | undefined,
): Recovery {
  let copy: Uint8Array<ArrayBuffer> | undefined;
  return {
    kept(trained, progress, work) {
      if (!isWanted) return work;
      return async (turn) => {
        // The next call has its turn when the copy is made.
        const value = await work({ ...turn, leave() {} });
        const { checkpointFile } = await saved();
        const bytes = await turn.wait(checkpointFile(trained, progress()));
        turn.signal?.throwIfAborted();
        copy = bytes;
        return value;
      };
    },
    async resume() {
      if (!isWanted) throw keepsNoCopy(plan);
      return copy ? (await saved()).openCopy(copy) : begun;
    },
  };
}

const keepsNoCopy = ({ name }: TrainingPlan) =>
  diagnose("E438", {
    message: `the training of ${name} keeps no copy of its steps that another device could go on from`,
    help: "create it with { recoverable: true }, or a new session with { resume }, from what save() wrote",
  });
