/** What a training session reads: plans that share memory, and what lies where in it. JSON. */
import type { Init, Plan, PlanAdapter, TargetName } from "../../compiler/plan.ts";
import type { FormatName } from "../../formats/index.ts";
import type { Settings } from "./settings.ts";
import type { Targets } from "./targets.ts";

/** The version of this format. */
export const trainingFormat = 2;

/** A tensor of the model, frozen or trained, in memory that all plans share. */
export interface ResidentTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly state: string;
  /** In bytes. */
  readonly offset: number;
  readonly bytes: number;
  /** The format of a frozen one, where it is not `f32`. */
  readonly stored?: FormatName;
  readonly init?: Init;
}

/**
 * A trained tensor. Its number is its index in `TrainingPlan.tensors`. Its gradient and its moments
 * lie as it does in the states beside its own (`stateBeside`).
 */
export interface TrainedTensor extends ResidentTensor {
  /** Which group of rates and decays it belongs to. */
  readonly group: number;
  /** Whether an adapter made it: what an adapter's file holds. */
  readonly grafted: boolean;
}

/** What the names of states begin with that hold frozen tensors which say how they begin. */
export const keptState = "frozen.kept";

/**
 * Whether a frozen tensor says how it begins, so that a checkpoint need not have it: what an adapter
 * makes and does not train. Files of training hold these too.
 */
export const isKept = ({ state }: ResidentTensor): boolean => state.startsWith(keptState);

/** What the names of the model's own states begin with, in plans and files of training. */
export const modelPrefix = "model.";

/** The name of a state of the model as the model gives it. */
export const ownName = (state: string): string =>
  state.startsWith(modelPrefix) ? state.slice(modelPrefix.length) : state;

/** Where a state of the model is kept as it was before the step: a vetoed step restores it from there. */
export const beforeStep = (state: string): string => `before.${state}`;

/** The state that is laid out as the one of a trained tensor: parameters.1 to gradients.1. */
export const stateBeside = ({ state }: TrainedTensor, name: string): string =>
  state.replace("parameters", name);

/** The state of a sum over the whole batch, as the mean over the parts of a step. */
export const wholeSum = (number: number): string => `whole.${number}`;
export const isWholeSum = (state: string): boolean => state.startsWith("whole.");

/** The input of the plan that adds sums up: 1 if parts before this one have added to them, 0 if it is the first. */
export const sumsBefore = "sums.before";

/** Which of two trained tensors comes first in memory. */
export const comparePlaces = (a: TrainedTensor, b: TrainedTensor): number =>
  partOf(a) - partOf(b) || a.offset - b.offset;

const partOf = ({ state }: TrainedTensor): number => Number(state.split(".")[1] ?? 0);

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
  /** Adds up what losses divide by, over the parts of a step: before the first backward pass. */
  readonly sums?: Plan;
  /** Work that the backward plan does twice to save memory, as a part of its work otherwise. */
  readonly recomputed: number;
  /** Adds a micro-step's gradients up, where a step has several. */
  readonly accumulate?: Plan;
  /** From gradients to parameters. */
  readonly update: Plan;
  /** From inputs to the loss without a gradient: outputs `loss`, `term.<name>` and `metric.<name>`. */
  readonly evaluate?: Plan;
  /** Forward passes by the same memory, by program. */
  readonly programs: Readonly<Record<string, Plan>>;
  readonly frozen: readonly ResidentTensor[];
  /**
   * In the state `parameters`, or where that were larger than a binding in `parameters.0`, ...; each
   * begins at a multiple of 256 bytes.
   */
  readonly tensors: readonly TrainedTensor[];
  readonly groups: readonly ParameterGroup[];
  /** The optimiser's memory: states `moment.<name>`, laid out as `parameters`. */
  readonly moments: readonly string[];
  readonly optimiser: { readonly name: string; readonly options: unknown };
  /** Micro-steps in a step. */
  readonly micro: number;
  /** Processes that share a step, of which each has so many micro-steps. */
  readonly ranks: number;
  /** What the losses ask of inputs: each step checks it. */
  readonly targets: Targets;
  /** What was asked for, as far as the next step depends on it: a checkpoint holds it. */
  readonly settings: Settings;
  /** Names of the loss's terms: outputs `term.<name>` of `backward`. */
  readonly terms: readonly string[];
  /** The model's adapters, with the places that any of the plans passes. */
  readonly adapters?: readonly PlanAdapter[];
}

/** A training plan with `change` done to each of its plans. */
export const withPlans = (
  { backward, sums, accumulate, update, evaluate, programs, ...rest }: TrainingPlan,
  change: (plan: Plan) => Plan,
): TrainingPlan => ({
  ...rest,
  backward: change(backward),
  ...(sums ? { sums: change(sums) } : {}),
  ...(accumulate ? { accumulate: change(accumulate) } : {}),
  update: change(update),
  ...(evaluate ? { evaluate: change(evaluate) } : {}),
  programs: Object.fromEntries(
    Object.entries(programs).map(([name, plan]) => [name, change(plan)]),
  ),
});

/** Every plan of a training plan. */
export const plansOf = (plan: TrainingPlan): readonly Plan[] => [
  plan.backward,
  ...(plan.sums ? [plan.sums] : []),
  ...(plan.accumulate ? [plan.accumulate] : []),
  plan.update,
  ...(plan.evaluate ? [plan.evaluate] : []),
  ...Object.values(plan.programs),
];
