/** What a training session reads: plans that share memory, and what lies where in it. JSON. */
import type { Init, Plan, TargetName } from "../compiler/plan.ts";

/** The version of this format. */
export const trainingFormat = 1;

/** A tensor of the model, frozen or trained, in memory that all plans share. */
export interface ResidentTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly state: string;
  /** In bytes. */
  readonly offset: number;
  readonly bytes: number;
  /** As halves: frozen, in mixed precision. */
  readonly stored?: "f16";
  readonly init?: Init;
}

/** A trained tensor. Its number is its index in `TrainingPlan.tensors`. */
export interface TrainedTensor extends ResidentTensor {
  /** Which group of rates and decays it belongs to. */
  readonly group: number;
  /** Whether an adapter made it: what an adapter's file holds. */
  readonly grafted: boolean;
}

export interface ParameterGroup {
  /** Times the schedule's rate. */
  readonly rate: number;
  readonly decay: number;
}

export interface TrainingPlan {
  readonly format: typeof trainingFormat;
  readonly name: string;
  readonly target: TargetName;
  /** From inputs to gradients: one micro-step. */
  readonly backward: Plan;
  /** Work that the backward plan does twice to save memory, as a part of its work otherwise. */
  readonly recomputed: number;
  /** Adds a micro-step's gradients up, where a step has several. */
  readonly accumulate?: Plan;
  /** From gradients to parameters. */
  readonly update: Plan;
  /** Forward passes by the same memory, by program. */
  readonly programs: Readonly<Record<string, Plan>>;
  readonly frozen: readonly ResidentTensor[];
  /** In one state, `parameters`; each begins at a multiple of 256 bytes. */
  readonly tensors: readonly TrainedTensor[];
  readonly groups: readonly ParameterGroup[];
  /** The optimiser's memory: states `moment.<name>`, laid out as `parameters`. */
  readonly moments: readonly string[];
  readonly optimiser: { readonly name: string; readonly options: unknown };
  /** Micro-steps in a step. */
  readonly micro: number;
  /** Names of the loss's terms: outputs `term.<name>` of `backward`. */
  readonly terms: readonly string[];
}

/** Every plan of a training plan. */
export const plansOf = (plan: TrainingPlan): readonly Plan[] => [
  plan.backward,
  ...(plan.accumulate ? [plan.accumulate] : []),
  plan.update,
  ...Object.values(plan.programs),
];
