/** The memory of a training step: a model, a method, a loss and an optimiser, to bytes. */
import type { Model } from "../../compiler/graph/model.ts";
import { type Dims, input } from "../../compiler/graph/sources.ts";
import { elements, type Tensor } from "../../compiler/graph/tensor.ts";
import type { Plan } from "../../compiler/plan.ts";
import type { Profile } from "../../compiler/profile.ts";
import type { Precision } from "../../compiler/storage/formats.ts";
import type { WeightFormat } from "../../formats/index.ts";
import { mean, mul, sub } from "../../ops/index.ts";
import { type TrainingBytes, trainingBytes } from "../../runtime/training/memory.ts";
import { plansOf } from "../../runtime/training/plan.ts";
import { adam, adamW, compileTraining, type Optimiser, sgd, structureLoss } from "../index.ts";
import { isBareSam, type MethodName, withMethod } from "./method.ts";

const optimisers = {
  adamW: () => adamW(),
  adam: () => adam(),
  sgd: () => sgd({ momentum: 0.9 }),
} satisfies Readonly<Record<string, () => Optimiser>>;

export type OptimiserName = keyof typeof optimisers;
export const optimiserNames = Object.keys(optimisers) as readonly OptimiserName[];

export interface TrainingRequest {
  readonly model: Model;
  /** The first unless given. */
  readonly program?: string;
  readonly dims: Dims;
  readonly profile: Profile;
  /** `wgsl` unless given. */
  readonly target?: string;
  readonly method?: MethodName;
  readonly optimiser?: OptimiserName;
  /** `f32` unless given. */
  readonly precision?: Precision;
  /** Of frozen parameters; unless given the precision says. */
  readonly weightFormat?: WeightFormat | undefined;
  /** In bytes. */
  readonly budget?: number | undefined;
}

export interface TrainingForecast {
  readonly model: string;
  readonly program: string;
  /** What was grafted on a built-in model; a file brings its own adapters. */
  readonly method: MethodName | undefined;
  readonly optimiser: OptimiserName;
  /** The loss that was planned with: a person's own may take a little more or less. */
  readonly loss: string;
  readonly parameters: { readonly trained: number; readonly all: number };
  readonly budget: number | undefined;
  readonly bytes: TrainingBytes;
  /** Dispatches of a training step and of its update. */
  readonly steps: number;
  /** Kernels that a device compiles for them: steps share them. */
  readonly kernels: number;
  /** Work that is done twice to stay within the budget, as a part of the work otherwise. */
  readonly recomputed: number;
}

/**
 * Plans a training step. A bare SAM is trained for segmentation with the structure loss; any other
 * model by the mean square error of its outputs.
 * @throws E133 if nothing trains, E140 for a budget that cannot be met, with the one that can, E503
 * for a method and a model that is no bare SAM, and what compiling throws.
 */
export function planTraining(request: TrainingRequest): TrainingForecast {
  const { profile, target, budget, optimiser = "adamW", precision = "f32", weightFormat } = request;
  const { model, method, loss, lossName } = trainee(request);
  const program = request.program ?? Object.keys(model.programs)[0]!;
  const options = {
    program,
    dims: request.dims,
    loss,
    precision,
    weightFormat,
    optimiser: optimisers[optimiser](),
  };
  const limits = {
    profile,
    ...(target ? { target } : {}),
    ...(budget === undefined ? {} : { budget }),
  };
  const plan = compileTraining(model, { ...options, ...limits });
  const count = (tensors: readonly { readonly shape: readonly number[] }[]) =>
    tensors.reduce((sum, t) => sum + elements(t.shape), 0);
  const trained = count(plan.tensors);
  const plans = plansOf(plan);
  const sum = (of: (one: Plan) => number) => plans.reduce((all, one) => all + of(one), 0);
  return {
    model: model.name,
    program,
    method,
    optimiser,
    loss: lossName,
    parameters: { trained, all: trained + count(plan.frozen) },
    budget,
    bytes: trainingBytes(plans),
    steps: sum((one) => one.steps.length),
    kernels: sum((one) => one.kernels.length),
    recomputed: plan.recomputed,
  };
}

type Loss = (outputs: Readonly<Record<string, Tensor<"f32">>>) => Record<string, Tensor>;

interface Trainee {
  readonly model: Model;
  readonly method: MethodName | undefined;
  readonly loss: Loss;
  readonly lossName: string;
}

function trainee({ model, method }: TrainingRequest): Trainee {
  if (isBareSam(model) || method !== undefined) return adaptedSam(model, method ?? "conv-lora");
  return { model, method, loss: squares, lossName: "mean square error of the outputs" };
}

/** @throws E503 for a model that is no bare SAM. */
const adaptedSam = (sam: Model, method: MethodName): Trainee => ({
  ...{ model: withMethod(sam, method), method },
  ...{ loss: maskLoss, lossName: "structure loss" },
});

/** Of a SAM with a method on it: the structure loss of its mask, with the input `target`, from 0 to 1. */
export const maskLoss: Loss = ({ logits }) => ({
  structure: structureLoss(logits!, input("target", "f32", logits!.shape)),
});

/** What most losses keep of an output: itself and a target as large. */
const squares: Loss = (outputs) =>
  Object.fromEntries(
    Object.entries(outputs)
      .filter(([, y]) => y.dtype === "f32")
      .map(([name, y]) => {
        const away: Tensor<"f32"> = sub(y, input(`target.${name}`, "f32", y.shape));
        return [name, mean(mul(away, away))];
      }),
  );
