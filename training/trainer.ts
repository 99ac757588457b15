/** A model, a loss and an optimiser to a session that trains: compiled for the device at hand. */
import type { KeptPlans } from "../compiler/graph/describe.ts";
import { deviceProfile, type Model } from "../compiler/index.ts";
import { checkOptions, type OptionNames, pickOptions } from "../diagnostics/options.ts";
import { asDevice } from "../runtime/devices/any.ts";
import type { Device } from "../runtime/devices/device.ts";
import type { TrainingPlan } from "../runtime/training/plan.ts";
import {
  createTrainingSession,
  type TrainingOptions as SessionOptions,
  type TrainingSession,
  trainingSessionOptions,
} from "../runtime/training/session.ts";
import type { Target } from "../runtime/training/targets.ts";
import { compileTrainingAsync } from "./compile.ts";
import { type TrainingOptions, trainingOptions } from "./options.ts";
import { checkSchedule, rateAt, type Schedule } from "./schedules.ts";
import { check, fromZero } from "./settings.ts";

export interface TrainerOptions
  extends Omit<TrainingOptions, "target">,
    Omit<SessionOptions, "rate" | "settings"> {
  readonly device: Device;
  /** The learning rate: the schedule's factor times this. */
  readonly rate: number;
  /** Constant unless given. */
  readonly schedule?: Schedule;
  /**
   * What inputs must hold, by name, beside what losses ask of their targets: checked on the host, since a
   * device cannot refuse.
   */
  readonly targets?: Readonly<Record<string, Target>>;
  /** Where plans are kept, `await keptPlans()` of `inarch/study`: one that is there is not compiled again. */
  readonly plans?: KeptPlans | undefined;
}

const { target: _, ...compiled } = trainingOptions;
const { settings: __, ...session } = trainingSessionOptions;
const own = { device: true, rate: true, schedule: true, targets: true, plans: true };
const trainerOptions: OptionNames<TrainerOptions> = { ...own, ...compiled, ...session };

/**
 * Compiles training for a device and places it there; an abort of `signal` rejects while either is under
 * way. The session then takes steps.
 * @throws what `compileTraining` and `createTrainingSession` throw.
 */
export async function createTrainer(
  model: Model,
  options: TrainerOptions,
): Promise<TrainingSession> {
  // Before minutes of work, not after them.
  checkOptions("createTrainer", options, trainerOptions);
  const { rate, schedule = { kind: "constant" }, targets = {}, signal } = options;
  check("createTrainer", { rate: [rate, fromZero] });
  checkSchedule(schedule);
  const device = asDevice(options.device);
  const profile = options.profile ?? deviceProfile(device.capabilities);
  const plan = await compileTrainingAsync(model, {
    ...pickOptions<TrainingOptions>(options, trainingOptions),
    ...{ signal, plans: options.plans, target: device.target, profile },
  });
  return createTrainingSession(withTargets(plan, targets), device, {
    ...pickOptions<SessionOptions>(options, trainingSessionOptions),
    rate: (step) => rate * rateAt(schedule, step),
    settings: { rate, schedule },
  });
}

/** What the losses ask of inputs, and what is asked for beside. @throws E460 for a name that is no input's. */
function withTargets(plan: TrainingPlan, more: Readonly<Record<string, Target>>): TrainingPlan {
  const names = plan.backward.inputs.map(({ name }) => [name, true] as const);
  checkOptions("targets", more, Object.fromEntries(names));
  const both = Object.entries(more).map(([name, target]) => [
    name,
    [...(plan.targets[name] ?? []), target],
  ]);
  return { ...plan, targets: { ...plan.targets, ...Object.fromEntries(both) } };
}
