/** What comes of a run. */
import type { SetSummary } from "../../data/summary.ts";
import type { Tasks } from "../targets.ts";
import type { Scores } from "./loop.ts";

export interface TrainReport extends Scores {
  readonly folder: string;
  readonly device: string;
  readonly tasks: Tasks;
  /** Of a run of masks or classes. */
  readonly classes: readonly string[];
  readonly pictures: { readonly train: number; readonly validation: number };
  readonly summary: SetSummary;
  /** Bytes of device memory. */
  readonly bytes: number;
  readonly parameters: { readonly trained: number; readonly all: number };
}
