/** What comes of a run. */
import type { SetSummary } from "../../data/summary.ts";
import type { Scores } from "./loop.ts";

export interface TrainReport extends Scores {
  readonly folder: string;
  readonly device: string;
  readonly classes: readonly string[];
  readonly pictures: { readonly train: number; readonly validation: number };
  readonly summary: SetSummary;
  /** Bytes of device memory. */
  readonly bytes: number;
  readonly parameters: { readonly trained: number; readonly all: number };
}
