/** A model, a loss and an optimiser to a session that trains: compiled for the device at hand. */
import { deviceProfile, type Model } from "../compiler/index.ts";
import { asDevice } from "../runtime/devices/any.ts";
import type { Device } from "../runtime/devices/device.ts";
import type { Inputs } from "../runtime/session.ts";
import type { TrainingPlan } from "../runtime/training/plan.ts";
import {
  createTrainingSession,
  type TrainingOptions as SessionOptions,
  type TrainingSession,
} from "../runtime/training/session.ts";
import { compileTrainingAsync, type TrainingOptions } from "./compile.ts";
import { checkLabels, checkMask } from "./losses/index.ts";
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
  /** What inputs must hold, by name: checked on the host, since a device cannot refuse. */
  readonly targets?: Readonly<Record<string, Target>>;
}

/** A mask from 0 to 1, or labels of classes, of which one value may be ignored (-1). */
export type Target =
  | { readonly kind: "mask" }
  | { readonly kind: "labels"; readonly classes: number; readonly ignore?: number };

/**
 * Compiles training for a device and places it there; an abort of `signal` rejects while either is under
 * way. The session then takes steps.
 * Its `step` throws E340 or E341 for a target that is not what `targets` says.
 * @throws what `compileTraining` and `createTrainingSession` throw.
 */
export async function createTrainer(
  model: Model,
  options: TrainerOptions,
): Promise<TrainingSession> {
  const { device: given, rate, schedule = { kind: "constant" }, targets = {}, ...rest } = options;
  // Before minutes of work, not after them.
  check("createTrainer", { rate: [rate, fromZero] });
  checkSchedule(schedule);
  const device = asDevice(given);
  const profile = options.profile ?? deviceProfile(device.capabilities);
  const plan = await compileTrainingAsync(model, { ...rest, target: device.target, profile });
  const session = await createTrainingSession(plan, device, {
    ...rest,
    rate: (step) => rate * rateAt(schedule, step),
    settings: { rate, schedule },
  });
  const step: TrainingSession["step"] = async (...inputs) => {
    for (const one of inputs) checkTargets(plan, targets, one as Inputs);
    return session.step(...inputs);
  };
  // The rest as it is: `steps` is a getter.
  return Object.create(session, { step: { value: step, enumerable: true } }) as TrainingSession;
}

function checkTargets(
  { backward }: TrainingPlan,
  targets: Readonly<Record<string, Target>>,
  inputs: Inputs,
): void {
  for (const [name, target] of Object.entries(targets)) {
    const shape = backward.inputs.find((t) => t.name === name)?.shape;
    const data = inputs?.[name];
    if (!shape || !data) continue;
    if (target.kind === "mask") checkMask({ name, shape, data });
    else checkLabels({ name, shape, data }, target.classes, target.ignore);
  }
}
