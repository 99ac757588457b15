/**
 * A training session: the plans of training on one device, sharing one memory. A step is submitted
 * without waiting for the one before; what it reports is read back while later ones run.
 */
import type { Plan } from "../../compiler/plan.ts";
import { bug, diagnose } from "../../diagnostics/index.ts";
import { elementsIn } from "../../formats/index.ts";
import type { Device, DeviceBuffer, Numbers, Progress, StepTime } from "../devices/device.ts";
import { createSession, type Inputs, type Session, type SharedMemory } from "../session.ts";
import type { Weights } from "../weights/weights.ts";
import { checkpointFile, resume } from "./checkpoint.ts";
import { adapterFile, loadTensors, type Trained } from "./files.ts";
import { fillTraining } from "./fill.ts";
import { sharedBuffers, type TrainingBytes, trainingBytes } from "./memory.ts";
import {
  comparePlaces,
  type ParameterGroup,
  plansOf,
  stateBeside,
  type TrainingPlan,
  trainingFormat,
} from "./plan.ts";
import type { Settings } from "./settings.ts";
import { holdModelStates } from "./states.ts";

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
  readonly onProgress?: Progress;
  readonly signal?: AbortSignal;
}

export interface StepReport {
  /** From 0. */
  readonly step: number;
  /** The sum of all terms, before the parameters changed; of the last micro-step. */
  readonly loss: number;
  readonly terms: Readonly<Record<string, number>>;
  /** Of all gradients together, before clipping. */
  readonly norm: number;
  readonly rate: number;
  /**
   * Where the first NaN or infinity was found: the name of the trained tensor whose gradient has it,
   * or "loss". Such a step changes nothing.
   */
  readonly vetoed: string | undefined;
}

export interface TrainingSession {
  readonly plan: TrainingPlan;
  /** Steps submitted so far, those before a resume included. */
  readonly steps: number;
  /**
   * Submits a step and resolves with its report once the device has done it. Not awaiting it before
   * the next keeps the device busy. `inputs` of each micro-step; each moves the model's states in turn,
   * and if the step is vetoed they are as before it.
   * @throws E420 for inputs that the plan does not take, E422 if the device is lost.
   */
  step(...inputs: readonly Inputs[]): Promise<StepReport>;
  /**
   * Runs a forward pass with the parameters and states as they are after the steps so far. It moves no
   * state of the program that trains; states that programs between the steps alone have are theirs.
   */
  run(program: string, inputs: Inputs, read?: readonly string[]): Promise<Record<string, Numbers>>;
  /** Runs the passes of the last micro-step again and measures each kernel. No parameter changes. */
  profile(): Promise<readonly StepTime[]>;
  /** A trained tensor as it is, or its gradient in the last micro-step, times the loss scale. */
  parameter(name: string): Promise<Numbers>;
  gradient(name: string): Promise<Numbers>;
  /**
   * A state of the model as it is after the steps so far.
   * @throws E253 for a name that is no state's.
   */
  state(name: string): Promise<Numbers>;
  /**
   * Makes states of the model what they were at first, those named or all of them. Parameters and the
   * optimiser's memory stay.
   * @throws E253 for a name that is no state's.
   */
  reset(names?: string | readonly string[]): Promise<void>;
  /** Numbers of the trained tensors that had a gradient in the last micro-step. */
  present(): Promise<readonly string[]>;
  /** Everything that training needs to go on as if it had never stopped: a safetensors file. */
  save(): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * All that the base does not have, trained or not, by name, with the adapters' settings and places
   * and fingerprints of the base: a safetensors file. `createSession` runs it beside the base.
   */
  saveAdapter(): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Puts the tensors of an adapter file in place.
   * @throws E205 for NaN and infinite values, E431 if it is for another base, E434 for other tensors, E435 for other settings or places,
   * E436 for a setting that the file does not say, E437 for a file that is no adapter's.
   */
  loadAdapter(file: Weights): Promise<void>;
  /** Bytes of device memory, by what they are for. */
  memory(): TrainingBytes;
  close(): void;
}

/**
 * Places a training plan on a device.
 * @throws E421 for a plan of another format or target, E423 when memory runs out, E430 when the
 * weights lack a tensor, E720 for a rate or a seed that cannot be; of a checkpoint E431 for another base, E432 for another training, E435 for other
 * adapters, E462 for fields that cannot be.
 */
export async function createTrainingSession(
  plan: TrainingPlan,
  device: Device,
  options: TrainingOptions,
): Promise<TrainingSession> {
  if (plan.format !== trainingFormat)
    throw diagnose("E421", {
      message: `training plan ${plan.name} has format ${plan.format}, this runtime reads ${trainingFormat}`,
      help: "compile it again with this version of inarch",
    });
  const { onProgress, seed = 0 } = options;
  if (typeof options.rate !== "function") checkRate(options.rate, "the rate");
  if (!Number.isSafeInteger(seed))
    throw diagnose("E720", {
      message: `the seed is ${String(seed)}`,
      help: "give a whole number",
    });
  const memory = await sharedMemory(plan, device);
  try {
    const base = await fillTraining(plan, device, memory.shared.states, { ...options, seed });
    const model = await holdModelStates(plan, device, memory.shared.states, options.weights);
    const more = { shared: memory.shared, ...(onProgress ? { onProgress } : {}) };
    const open = (p: Plan) => createSession(p, device, more);
    const sessions = {
      backward: await open(plan.backward),
      accumulate: plan.accumulate && (await open(plan.accumulate)),
      update: await open(plan.update),
      programs: new Map<string, Session>(),
    };
    for (const [name, p] of Object.entries(plan.programs))
      sessions.programs.set(name, await open(p));
    const { states } = memory.shared;
    const settings = settingsOf(plan, options);
    const trained: Trained = { plan, device, states, model, base, seed, settings };
    const begun = options.resume
      ? await resume(trained, options.resume, options.accept ?? [])
      : { step: 0, passes: 0 };
    return openTraining(trained, sessions, begun, options, memory.free);
  } catch (error) {
    memory.free();
    throw error;
  }
}

/** @throws E720 for what is no number from 0 up that 32 bits hold: it would destroy every parameter. */
function checkRate(rate: number, what: string): number {
  if (typeof rate === "number" && rate >= 0 && Number.isFinite(Math.fround(rate))) return rate;
  throw diagnose("E720", {
    message: `${what} is ${String(rate)}`,
    help: "give a number from 0 up, such as 1e-4",
  });
}

const settingsOf = ({ settings }: TrainingPlan, { rate, settings: own }: TrainingOptions) => ({
  ...settings,
  ...(own ?? { rate: typeof rate === "number" ? rate : "a function" }),
});

interface Sessions {
  readonly backward: Session;
  readonly accumulate: Session | undefined;
  readonly update: Session;
  readonly programs: ReadonlyMap<string, Session>;
}

/** Makes the memory that all plans share. */
async function sharedMemory(plan: TrainingPlan, device: Device) {
  const wanted = sharedBuffers(plansOf(plan));
  const states = wanted.filter((b) => b.role === "state");
  const made = await device.allocate(wanted);
  const shared: SharedMemory = {
    states: new Map(states.map(({ name = "" }, i) => [name, made[i]!])),
    arenas: made.slice(states.length),
  };
  const free = () => {
    for (const buffer of made) buffer.destroy();
  };
  return { shared, free };
}

function openTraining(
  trained: Trained,
  sessions: Sessions,
  begun: { readonly step: number; readonly passes: number },
  options: TrainingOptions,
  free: () => void,
): TrainingSession {
  const { plan, device, states } = trained;
  const { backward, accumulate, update, programs } = sessions;
  let { step, passes } = begun;
  // What touches the device happens in the order asked for, one after another.
  let last: Promise<unknown> = Promise.resolve();
  const inOrder = <T>(work: () => Promise<T>): Promise<T> => {
    const next = last.then(work);
    last = next.catch(() => {});
    return next;
  };
  const rateOf = typeof options.rate === "number" ? () => options.rate as number : options.rate;
  const groups = plan.tensors.map((t) => plan.groups[t.group] ?? bug(`no group ${t.group}`));
  const fixed = updateInputs(plan, groups);

  async function submit(inputs: readonly Inputs[]) {
    if (inputs.length !== plan.micro)
      throw diagnose("E420", {
        message: `a step of ${plan.name} takes the inputs of ${plan.micro} micro-steps, not of ${inputs.length}`,
        help: `step(${Array.from({ length: plan.micro }, (_, i) => `inputs${i + 1}`).join(", ")})`,
      });
    const rate = checkRate(rateOf(step), `the rate of step ${step}`);
    for (const one of inputs) {
      const keyed = plan.backward.inputs.some((t) => t.name === "key");
      await backward.run(keyed ? { ...one, key: [trained.seed >>> 0, passes] } : one, []);
      await accumulate?.run({ chunk_tensor: fixed.chunk_tensor }, []);
      passes++;
    }
    await update.run({ ...fixed, rates: groups.map((g) => g.rate * rate) }, []);
    const terms = plan.terms.map((name) => `term.${name}`);
    // Both are copied before the next step is submitted; nobody waits here.
    const reads = [backward.read(["loss", ...terms]), update.read(["norm", "broken"])] as const;
    return { step: step++, rate, reads };
  }

  async function report({ step: number, rate, reads }: Awaited<ReturnType<typeof submit>>) {
    const [losses, outcome] = await Promise.all(reads);
    const broken = outcome.broken![0]!;
    return {
      step: number,
      loss: losses.loss![0]!,
      terms: Object.fromEntries(plan.terms.map((name) => [name, losses[`term.${name}`]![0]!])),
      norm: outcome.norm![0]!,
      rate,
      vetoed: broken < 0 ? undefined : (plan.tensors[broken]?.name ?? "loss"),
    };
  }

  const stateOf = (name: string): DeviceBuffer => states.get(name) ?? bug(`no state ${name}`);
  const readTensor = (state: string, name: string) => {
    const tensor = plan.tensors.find((t) => t.name === name);
    if (!tensor)
      throw diagnose("E433", {
        message: `no tensor ${name} trains in ${plan.name}`,
        help: `${plan.tensors.length} tensors train, ${plan.tensors[0]!.name} is the first`,
      });
    const buffer = stateOf(stateBeside(tensor, state));
    return inOrder(() =>
      device.read(buffer, tensor.offset, elementsIn("f32", tensor.bytes), "f32"),
    );
  };

  return {
    plan,
    get steps() {
      return step;
    },
    step: (...inputs) => {
      const submitted = inOrder(() => submit(inputs));
      return submitted.then(report);
    },
    run(name, inputs, read) {
      const session = programs.get(name);
      if (!session)
        throw diagnose("E433", {
          message: `the training plan of ${plan.name} has no program "${name}"`,
          help: `compile it with programs: { ${name}: {} }`,
        });
      return inOrder(() => session.run(inputs, read));
    },
    profile: () => inOrder(() => backward.profile()),
    state: (name) => inOrder(() => trained.model.read(name)),
    reset: (names) => inOrder(() => trained.model.reset(names)),
    parameter: async (name) => readTensor("parameters", name),
    gradient: async (name) => readTensor("gradients", name),
    present: () =>
      inOrder(async () => {
        const flags = await device.read(stateOf("present"), 0, plan.tensors.length, "f32");
        return plan.tensors.filter((_, i) => flags[i] !== 0).map((t) => t.name);
      }),
    save: () => inOrder(() => checkpointFile(trained, { step, passes })),
    saveAdapter: () => inOrder(() => adapterFile(trained)),
    loadAdapter: (file) => inOrder(() => loadTensors(trained, file)),
    memory: () => trainingBytes(plansOf(plan)),
    close() {
      for (const s of [backward, accumulate, update, ...programs.values()]) s?.close();
      free();
    },
  };
}

/** What the update plan knows of its tensors. */
function updateInputs({ tensors }: TrainingPlan, groups: readonly ParameterGroup[]) {
  const numbers = [...tensors.keys()].sort((a, b) => comparePlaces(tensors[a]!, tensors[b]!));
  const chunkTensor = numbers.flatMap((i) =>
    Array<number>(Math.ceil(tensors[i]!.bytes / 256)).fill(i),
  );
  return {
    chunk_tensor: chunkTensor,
    decays: groups.map((g) => g.decay),
  };
}
