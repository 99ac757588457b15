/**
 * A training session: the plans of training on one device, sharing one memory. A step is submitted
 * without waiting for the one before; what it reports is read back while later ones run.
 */
import { diagnose } from "../../diagnostics/index.ts";
import { checkOptions, type OptionNames } from "../../diagnostics/options.ts";
import { elementsIn } from "../../formats/index.ts";
import { abortable, type CallOptions, createOrder } from "../calls.ts";
import { asDevice } from "../devices/any.ts";
import type { Device, Numbers, Progress, StepTime } from "../devices/device.ts";
import type { Inputs } from "../inputs.ts";
import { late } from "../late.ts";
import { createRestorableCalls } from "../restoring.ts";
import { keep, keepBuffers } from "../runs.ts";
import type { Weights } from "../weights/weights.ts";
import { checkTrainingPlan } from "./check-plan.ts";
import { checkPacked, packedStates, readPacked, writePacked } from "./gradients.ts";
import { type TrainingBytes, trainingBytes } from "./memory.ts";
import { type PlacedTraining, placeTraining } from "./place.ts";
import { plansOf, stateBeside, type TrainingPlan } from "./plan.ts";
import { createRecovery, type Work } from "./recovery.ts";
import { checkRanks, type Reducer } from "./reducer.ts";
import { isClosed, neverRun, nothingEvaluates, trainedTensor, unknownProgram } from "./refused.ts";
import type { Settings } from "./settings.ts";
import {
  checkRate,
  createSteps,
  type LossReport,
  prepareEvaluation,
  prepareForward,
  type StepArguments,
  type StepReport,
  stepArguments,
  type UpdateReport,
} from "./steps.ts";
import { stateOf } from "./trained.ts";

export type { LossReport, StepArguments, StepReport, UpdateReport } from "./steps.ts";

export interface TrainingOptions {
  /** The base: every frozen tensor, and those that train from what they were. */
  readonly weights: Weights;
  /** The rate of a step, from 0. A checkpoint holds a number; what a function gives nobody compares. */
  readonly rate: number | ((step: number) => number);
  /** What a checkpoint holds of the rate in place of it, and compares: plain data. */
  readonly settings?: Settings;
  /** What first values and noise are drawn from. */
  readonly seed?: number;
  /** A checkpoint that `save` wrote: go on from there. */
  readonly resume?: Weights;
  /**
   * Settings that may be others than in the checkpoint: "rate", "loss", "clip", "optimiser" and whatever
   * else the refusal names.
   */
  readonly accept?: readonly string[];
  /**
   * Copies what a checkpoint holds to the host after each step, so that `restore` goes on from the last one. Each
   * step then waits for its copy: without adapters that is the whole model and its optimiser's memory.
   */
  readonly recoverable?: boolean;
  /**
   * Joins the processes that share each step: their gradients and losses are averaged before the update. Each is given
   * the inputs of its own micro-steps, and takes every step.
   */
  readonly reducer?: Reducer | undefined;
  readonly onProgress?: Progress;
  readonly signal?: AbortSignal;
}

/** The options, by name. */
export const trainingSessionOptions: OptionNames<TrainingOptions> = {
  weights: true,
  rate: true,
  settings: true,
  seed: true,
  resume: true,
  accept: true,
  recoverable: true,
  reducer: true,
  onProgress: true,
  signal: true,
};

/**
 * Calls run one after another, in the order in which they were made. What is given to a call is checked
 * and copied when it is made; a call that is refused or aborted has changed nothing, and what
 * gradients added up to is as before. Every call rejects with E422 if the device is lost, E427 after
 * `close`, E441 if the device refuses what it is given, E443 and E460 for options that cannot be.
 */
export interface TrainingSession {
  readonly plan: TrainingPlan;
  /** Steps done or under way, those before a resume included. */
  readonly steps: number;
  /**
   * Submits a step and resolves with its report once the device has done it. Not awaiting it before
   * the next keeps the device busy. Takes all inputs of each micro-step, and then options; each
   * micro-step moves the model's states in turn, and if the step is vetoed they are as before it.
   * @throws E340 to E342 for targets that the losses cannot take, E420 for inputs that the plan does not
   * take, or that are missing, E445 after `gradients` without `update`, E720 for a rate that cannot be.
   */
  step(...inputs: StepArguments): Promise<StepReport>;
  /**
   * The first half of a step: the passes of each micro-step, which leave gradients, those of all ranks.
   * @throws what `step` throws.
   */
  gradients(...inputs: StepArguments): Promise<LossReport>;
  /**
   * The second half: changes the parameters by the gradients that there are.
   * @throws E445 without `gradients` before, E720 for a rate that cannot be.
   */
  update(options?: CallOptions): Promise<UpdateReport>;
  /**
   * The gradients that `update` will use, times the loss scale: those of the trained tensors one after another,
   * as `plan.tensors` has them (zeros where a tensor has none), then 1 or 0 for each tensor that has one or
   * has not, then the loss. f32. What several processes read may be averaged, number by number.
   * @throws E445 without `gradients` before.
   */
  readGradients(options?: CallOptions): Promise<Float32Array<ArrayBuffer>>;
  /**
   * Puts others in their place.
   * @throws E420 for another count of numbers, E445 without `gradients` before.
   */
  writeGradients(packed: Float32Array, options?: CallOptions): Promise<void>;
  /**
   * The loss of inputs, its terms, and what `evaluate` of the compiling options asks for beside, with
   * the parameters and states as they are, without noise. Nothing changes.
   * @throws E340 to E342 for targets that the losses cannot take, E420 for inputs that the plan does not take,
   * E433 if nothing to evaluate was compiled.
   */
  evaluate(inputs: Inputs, options?: CallOptions): Promise<Evaluation>;
  /**
   * Runs a forward pass with the parameters and states as they are after the steps so far. It moves no
   * state of the program that trains; states that programs between the steps alone have are theirs.
   * @throws E420 for inputs that the program does not take, or that are missing, E433 for an unknown
   * program.
   */
  run(
    program: string,
    inputs: Inputs,
    read?: readonly string[],
    options?: CallOptions,
  ): Promise<Record<string, Numbers>>;
  /**
   * Runs the passes of the last micro-step again and measures each kernel. No parameter changes.
   * @throws E444 before the first step.
   */
  profile(options?: CallOptions): Promise<readonly StepTime[]>;
  /** A trained tensor as it is. Errors: E433. */
  parameter(name: string, options?: CallOptions): Promise<Numbers>;
  /** The gradient of a trained tensor in the last micro-step, times the loss scale. Errors: E433. */
  gradient(name: string, options?: CallOptions): Promise<Numbers>;
  /**
   * A state of the model as it is after the steps so far.
   * @throws E253 for a name that is no state's.
   */
  state(name: string, options?: CallOptions): Promise<Numbers>;
  /**
   * Makes states of the model what they were at first, those named or all of them. Parameters and the
   * optimiser's memory stay.
   * @throws E253 for a name that is no state's.
   */
  reset(names?: string | readonly string[], options?: CallOptions): Promise<void>;
  /** Names of the trained tensors that had a gradient in the last micro-step. */
  present(options?: CallOptions): Promise<readonly string[]>;
  /**
   * Everything that training needs to go on as if it had never stopped: a safetensors file.
   * @throws E445 between `gradients` and `update`.
   */
  save(options?: CallOptions): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * All that the base does not have, trained or not, by name, with the adapters' settings and places
   * and fingerprints of the base: a safetensors file. `createSession` runs it beside the base.
   */
  saveAdapter(options?: CallOptions): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Puts the tensors of an adapter file in place.
   * @throws E205 for NaN and infinite values, E431 if it is for another base, E434 for other tensors, E435 for other settings or places,
   * E436 for a setting that the file does not say, E437 for a file that is no adapter's.
   */
  loadAdapter(file: Weights, options?: CallOptions): Promise<void>;
  /** Bytes of device memory, by what they are for. */
  memory(): TrainingBytes;
  /** Resolves when the device is lost, with the reason: the device that it is on now. */
  readonly lost: Promise<string>;
  /**
   * Goes on on another device of the same kind, from the last step that had its report: the next gives what it
   * would have given there. The weights must still be open. Calls made before it resolves are those of the device
   * before. If it rejects nothing has changed, and it may be tried again.
   * @throws E427 after `close`, E438 without the option `recoverable`, and what `createTrainingSession` throws.
   */
  restore(device: Device | GPUDevice, options?: CallOptions): Promise<void>;
  /** Frees the memory, once all calls before have ended. The device stays. */
  close(): Promise<void>;
}

export interface Evaluation extends LossReport {
  /** What `metrics` of the compiling options returned, by name. */
  readonly metrics: Readonly<Record<string, Numbers>>;
}

/**
 * Places a training plan on a device.
 * @throws E421 for a plan of another format or target, E516 for what is no training plan, E423 when memory runs out, E430 when the
 * weights lack a tensor, E720 for a rate or a seed that cannot be; of a checkpoint E431 for another base, E432 for another training, E435 for other
 * adapters, E462 for fields that cannot be; E620 for a plan of another number of ranks.
 */
export async function createTrainingSession(
  plan: TrainingPlan,
  device: Device,
  options: TrainingOptions,
): Promise<TrainingSession> {
  checkTrainingPlan(plan);
  return createBuiltTraining(plan, device, options);
}

/** The same of a plan as the compiler made it, which nothing checks. */
export async function createBuiltTraining(
  plan: TrainingPlan,
  device: Device,
  options: TrainingOptions,
): Promise<TrainingSession> {
  checkOptions("createTrainingSession", options, trainingSessionOptions);
  checkRanks(plan, options.reducer);
  const { signal, seed = 0 } = options;
  if (typeof options.rate !== "function") checkRate(options.rate, "the rate");
  if (!Number.isSafeInteger(seed))
    throw diagnose("E720", {
      message: `the seed is ${String(seed)}`,
      help: "give a whole number",
    });
  signal?.throwIfAborted();
  return openTraining(await placed(plan, asDevice(device), options), options);
}

async function placed(plan: TrainingPlan, device: Device, options: TrainingOptions) {
  const placing = placeTraining(plan, device, options);
  return abortable(placing, options.signal, ({ free }) => free());
}

/** A training in place, and its steps. */
function begin({ trained, placements, begun, free }: PlacedTraining, given: TrainingOptions) {
  const { rate, reducer } = given;
  const rateOf = typeof rate === "number" ? () => rate : rate;
  const steps = createSteps(trained, placements, begun, { rateOf, reducer });
  return { trained, steps, free, ...placements };
}

const saved = () => late(import("./saved.ts"));

function openTraining(first: PlacedTraining, given: TrainingOptions): TrainingSession {
  const { plan } = first.trained;
  let now = begin(first, given);
  const { calls, restoring } = createRestorableCalls(
    createOrder(),
    () => now.trained.device.checkAlive(),
    () => isClosed(plan),
  );
  const recovery = createRecovery(plan, given.recoverable === true, given.resume);
  const kept = <T>(work: Work<T>) => recovery.kept(now.trained, now.steps.progress, work);
  const readTensor = (beside: string, name: string, options: CallOptions | undefined) =>
    calls.call(options, () => {
      const tensor = trainedTensor(plan, name);
      const { trained } = now;
      const buffer = stateOf(trained, stateBeside(tensor, beside));
      return (turn) => {
        const count = elementsIn("f32", tensor.bytes);
        const values = trained.device.read(buffer, tensor.offset, count, "f32");
        turn.leave();
        return turn.wait(values);
      };
    });
  return {
    plan,
    get lost() {
      return now.trained.device.lost;
    },
    get steps() {
      return now.steps.count();
    },
    step(...given) {
      const { inputs, options } = stepArguments(given);
      return calls.call(options, () => kept(now.steps.prepare(inputs)));
    },
    gradients(...given) {
      const { inputs, options } = stepArguments(given);
      return calls.call(options, () => now.steps.prepareGradients(inputs));
    },
    update: (options) => calls.call(options, () => kept(now.steps.update)),
    readGradients: (options) =>
      calls.call(options, () => (turn) => {
        const { trained, steps } = now;
        steps.checkWaiting(true);
        const packed = readPacked(trained);
        turn.leave();
        return turn.wait(packed);
      }),
    writeGradients: (packed, options) =>
      calls.call(options, () => {
        checkPacked(plan, packed);
        const values = packed.slice();
        return async (turn) => {
          const { trained, steps, backward } = now;
          steps.checkWaiting(true);
          await keepBuffers(backward, packedStates(trained), turn);
          await writePacked(trained, values);
        };
      }),
    evaluate: (inputs, options) =>
      calls.call(options, () => {
        if (!now.evaluate) throw nothingEvaluates(plan);
        return prepareEvaluation(plan, now.evaluate, inputs);
      }),
    run: (name, inputs, read, options) =>
      calls.call(options, () => {
        const placement = now.programs.get(name);
        if (!placement) throw unknownProgram(plan, name);
        const work = prepareForward(placement, inputs, read);
        return placement.plan.states.length > 0 ? kept(work) : work;
      }),
    profile: (options) =>
      calls.call(options, () => async (turn) => {
        const { backward } = now;
        if (!backward.hasRun) throw neverRun(plan);
        await keep([backward], [], turn);
        return turn.wait(backward.program.profile(turn.signal));
      }),
    parameter: (name, options) => readTensor("parameters", name, options),
    gradient: (name, options) => readTensor("gradients", name, options),
    state: (name, options) =>
      calls.call(options, () => {
        const { trained } = now;
        trained.model.buffers(name);
        return (turn) => {
          const values = trained.model.read(name);
          turn.leave();
          return turn.wait(values);
        };
      }),
    reset: (names, options) =>
      calls.call(options, () => {
        const { trained, backward } = now;
        const buffers = trained.model.buffers(names);
        return kept(async (turn) => {
          await keepBuffers(backward, buffers, turn);
          await trained.model.reset(names);
        });
      }),
    present: (options) =>
      calls.call(options, () => async (turn) => {
        const { trained } = now;
        const values = trained.device.read(
          stateOf(trained, "present"),
          0,
          plan.tensors.length,
          "f32",
        );
        turn.leave();
        const flags = await turn.wait(values);
        return plan.tensors.filter((_, i) => flags[i] !== 0).map((t) => t.name);
      }),
    save: (options) =>
      calls.call(options, () => (turn) => {
        const { trained, steps } = now;
        steps.checkWaiting(false);
        return turn.wait(
          saved().then(({ checkpointFile }) => checkpointFile(trained, steps.progress())),
        );
      }),
    saveAdapter: (options) =>
      calls.call(
        options,
        () => (turn) => turn.wait(saved().then(({ adapterFile }) => adapterFile(now.trained))),
      ),
    loadAdapter: (file, options) =>
      calls.call(options, () =>
        kept(async (turn) => {
          const { loadTensors } = await turn.wait(saved());
          await loadTensors(now.trained, file, now.backward.keeper, turn);
        }),
      ),
    memory: () => trainingBytes(plansOf(plan)),
    restore: (device, options) =>
      restoring.call(options, () => {
        const on = asDevice(device);
        return async ({ signal }) => {
          const resume = await recovery.resume();
          const { signal: _, resume: __, ...same } = given;
          const more = { ...(resume ? { resume } : {}), ...(signal ? { signal } : {}) };
          const next = begin(await placed(plan, on, { ...same, ...more }), given);
          now.free();
          now = next;
        };
      }),
    close: () => calls.close(() => now.free()),
  };
}
