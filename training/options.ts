/** What is asked of a training when it is compiled. */
import type { Dims, Tensor } from "../compiler/index.ts";
import { checkProfile } from "../compiler/options.ts";
import type { TargetName } from "../compiler/plan.ts";
import type { Profile } from "../compiler/profile.ts";
import { type Precision, precisions } from "../compiler/storage/formats.ts";
import { checkOptions } from "../diagnostics/options.ts";
import {
  anything,
  callback,
  checkValues,
  isObject,
  list,
  number,
  object,
  oneOf,
  text,
  type Wants,
} from "../diagnostics/values.ts";
import type { WeightFormat } from "../formats/index.ts";
import type { GroupOptions } from "./memory.ts";
import type { Optimiser } from "./optimisers/optimiser.ts";
import type { LossScaling } from "./update.ts";

export interface EvaluationOptions {
  /** Sizes in place of those of a step. */
  readonly dims?: Dims;
  /**
   * Tensors to return beside the loss, by name, from the program's outputs, from the inputs that there are, the
   * loss's targets among them, and from inputs made here: counts of a confusion matrix, say, so that the device need
   * not give back whole masks.
   */
  readonly metrics?: (
    outputs: Readonly<Record<string, Tensor<"f32">>>,
    inputs: Readonly<Record<string, Tensor>>,
  ) => Readonly<Record<string, Tensor>>;
}

export interface TrainingOptions {
  /** Which program of the model; its only one unless given. */
  readonly program?: string;
  readonly dims?: Dims;
  /**
   * The loss from the program's outputs, as scalars by name; their sum is minimised, together with
   * the terms that adapters add. Targets are inputs, made here: `input("target", ...)`.
   */
  readonly loss: (outputs: Readonly<Record<string, Tensor<"f32">>>) => Record<string, Tensor>;
  readonly optimiser: Optimiser;
  readonly groups?: readonly GroupOptions[];
  /** The most that the norm of all gradients may be. */
  readonly clip?: number;
  /**
   * Micro-steps whose gradients are averaged before parameters change. N of them with b pictures give what one step
   * with N b gives: losses divide by what counts in all pictures (`wholeBatch`), and noise is drawn by the picture's
   * number among them. Terms that adapters add are those of a part: a gate's balance is another one, and the equality
   * holds without it.
   */
  readonly micro?: number;
  /**
   * Processes that share a step, each with so many micro-steps of pictures of its own: 1 unless given. Their sessions
   * need a `reducer`.
   */
  readonly ranks?: number;
  /** Programs to run between steps with the same parameters, by name, with their dims. */
  readonly programs?: Readonly<Record<string, Dims>>;
  /** What `evaluate` of a session tells of inputs: the loss, and more. Without it there is no `evaluate`. */
  readonly evaluate?: EvaluationOptions;
  /** Random numbers are drawn from the session's seed, or given as inputs `noise.<name>`. */
  readonly noise?: "drawn" | "given";
  /**
   * `mixed` stores the frozen base and large intermediate tensors as halves, `bf16` in bfloat16 (for CUDA and
   * processors): both compute in f32, and keep what trains, its gradients and the optimiser's memory in f32.
   * `f32` unless given.
   */
  readonly precision?: Precision;
  /** What the whole frozen base is stored in, on every device; unless given the precision says. */
  readonly weightFormat?: WeightFormat | undefined;
  /**
   * Scales the loss so that gradients in half precision do not vanish. Unless given there is none,
   * but in `mixed`: then it begins at 2^15 and follows what halves can hold. bfloat16 holds what singles do.
   */
  readonly scaling?: LossScaling;
  /**
   * The most bytes that training may take, base and all. Where keeping everything takes more, parts
   * of the forward pass are computed again in the backward pass.
   */
  readonly budget?: number;
  readonly target?: TargetName;
  readonly profile?: Profile;
}

/** The options, by name. Numbers are checked where they are used (E720, E140). */
export const trainingOptions: Wants<TrainingOptions> = {
  loss: callback,
  optimiser: {
    words: "an optimiser: adamW(), adam() or sgd()",
    is: (value) => isObject(value) && typeof (value as Optimiser).update === "function",
  },
  program: text,
  dims: object("sizes by the names of dims"),
  groups: list("a list of { match, rate, decay }"),
  clip: anything,
  micro: anything,
  ranks: anything,
  programs: object("dims by the names of programs"),
  evaluate: object("{ dims, metrics }"),
  noise: oneOf("drawn", "given"),
  precision: oneOf(...precisions),
  weightFormat: anything,
  scaling: object("{ initial, growth, backoff, interval }"),
  budget: number,
  target: anything,
  profile: object("a profile: deviceProfile(device.capabilities)"),
};

const evaluationOptions: Wants<EvaluationOptions> = {
  dims: object("sizes by the names of dims"),
  metrics: callback,
};

/** @throws E460 for a name that no option has, E465 for a value that its option cannot have. */
export function checkTrainingOptions(options: TrainingOptions): void {
  checkOptions<TrainingOptions>("compileTraining", options, trainingOptions);
  checkValues("compileTraining", options, trainingOptions);
  if (options.profile) checkProfile(options.profile);
  checkOptions<LossScaling>("scaling", options.scaling, {
    initial: true,
    growth: true,
    backoff: true,
    interval: true,
  });
  if (options.evaluate) {
    checkOptions<EvaluationOptions>("evaluate", options.evaluate, evaluationOptions);
    checkValues("evaluate", options.evaluate, evaluationOptions);
  }
  for (const group of options.groups ?? [])
    checkOptions<GroupOptions>("a group", group, { match: true, rate: true, decay: true });
}
