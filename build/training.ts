/** The training of a model for bundles: what its file says of it, or what a SAM with a method is trained by. */
import type { Dims } from "../compiler/graph/sources.ts";
import type { Precision } from "../compiler/storage/formats.ts";
import { diagnose } from "../diagnostics/index.ts";
import type { WeightFormat } from "../formats/index.ts";
import { samConfigOf } from "../models/sam/program.ts";
import { modelStates } from "../runtime/states.ts";
import { ownName, plansOf, type TrainingPlan } from "../runtime/training/plan.ts";
import type { Weights } from "../runtime/weights/weights.ts";
import { compileTrainingAsync } from "../training/compile.ts";
import { maskLoss } from "../training/forecast/training.ts";
import { adamW } from "../training/optimisers/index.ts";
import type { TrainingOptions } from "../training/options.ts";
import type { LoadedModel } from "./load-model.ts";
import type { BuildProfile } from "./profiles.ts";
import { userError } from "./user-error.ts";

/**
 * How a loaded model is trained.
 * @throws E622 for a model's file that does not say it.
 */
export function trainingOf({ model, file, training }: LoadedModel): TrainingOptions {
  if (training) return training;
  const [program] = Object.keys(model.programs);
  // A bare one has programs that give no masks of a class.
  if (samConfigOf(model) && (model.bindings ?? []).length > 0)
    return { program: program!, loss: maskLoss, optimiser: adamW(), programs: { [program!]: {} } };
  throw diagnose("E622", {
    message: `nothing says how ${model.name} is trained`,
    where: file,
    help:
      file === undefined
        ? "give --method, or a file of your own that exports the model and its training"
        : 'add export const training = { loss: ({ y }) => ({ … }), optimiser: adamW() }, with adamW from "inarch/training"',
  });
}

export interface TrainingBuild {
  readonly loaded: LoadedModel;
  /** Run between steps, in place of those that the training says; unless empty. */
  readonly programs: readonly string[];
  readonly dims: Dims;
  readonly precision?: Precision;
  readonly weightFormat?: WeightFormat | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Compiles the training for a kind of device. Errors: E622, E513, and what `compileTraining` throws. */
export async function compiledTraining(
  { loaded, programs, dims, precision, weightFormat, signal }: TrainingBuild,
  { target, profile }: BuildProfile,
): Promise<TrainingPlan> {
  const { model, file } = loaded;
  const training = trainingOf(loaded);
  const between = Object.fromEntries(programs.map((name) => [name, dims]));
  try {
    return await compileTrainingAsync(model, {
      ...training,
      dims: { ...training.dims, ...dims },
      ...(programs.length > 0 ? { programs: between } : {}),
      ...(precision ? { precision } : {}),
      ...(weightFormat ? { weightFormat } : {}),
      ...{ target, profile, signal },
    });
  } catch (error) {
    throw file === undefined ? error : userError(file, error);
  }
}

/** The plans of a training by what they are for. */
export const partsOf = (training: TrainingPlan) => {
  const { backward, sums, accumulate, update, evaluate, programs } = training;
  const named = { backward, sums, accumulate, update, evaluate, ...programs };
  return new Map(Object.entries(named).flatMap(([name, plan]) => (plan ? [[name, plan]] : [])));
};

/**
 * What a training reads of weights, as `planWeights` asks it of a plan: what says how it begins need not be in
 * them.
 */
export function readBy(training: TrainingPlan, weights: Weights) {
  const all = [...training.frozen, ...training.tensors];
  const copies = all.flatMap(({ name, init }) =>
    init?.kind === "copy" && !weights.tensors.has(name) ? [init.from] : [],
  );
  const read = all.filter(({ name, init }) => !init || weights.tensors.has(name));
  const asThere = ({ name, shape }: { name: string; shape: readonly number[] }) => ({
    ...{ name, shape: weights.tensors.get(name)?.shape ?? shape },
  });
  const plans = Object.fromEntries(plansOf(training).map((plan, i) => [`${i}`, plan]));
  return {
    parameters: [
      ...read.map((t) => (t.init ? asThere(t) : t)),
      ...copies.map((name) => asThere({ name, shape: [] })),
    ],
    states: modelStates(plans).map(({ tensor }) => ({ ...tensor, name: ownName(tensor.name) })),
  };
}
