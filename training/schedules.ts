/**
 * Schedules of the learning rate: from the number of updates done so far to a factor of the rate.
 * They are plain data, so a run's file holds them, and computed on the host.
 */
import { diagnose } from "../diagnostics/index.ts";
import { checkOptions } from "../diagnostics/options.ts";
import { check, count, countFromZero, fraction, fromZero } from "./settings.ts";

interface Warmup {
  /**
   * Updates over which the rate rises from 0 in a straight line: update `step` has step / warmup of
   * it, so the first has none. What comes after counts from there.
   */
  readonly warmup?: number;
}

interface Falling extends Warmup {
  /** Updates of the whole run, warm-up included. */
  readonly steps: number;
}

export type Schedule =
  | ({ readonly kind: "constant" } & Warmup)
  /** In a straight line to 0. */
  | ({ readonly kind: "linear" } & Falling)
  /** (1 - done)^power: what SAM's segmentation with Conv-LoRA uses, with power 1. */
  | ({ readonly kind: "polynomial"; readonly power: number } & Falling)
  /** Half a wave of the cosine, down to `floor` (0) of the rate. */
  | ({ readonly kind: "cosine"; readonly floor?: number } & Falling)
  /** Times `factor` after every `every` updates. */
  | ({ readonly kind: "stepwise"; readonly every: number; readonly factor: number } & Warmup);

const kinds = ["constant", "linear", "polynomial", "cosine", "stepwise"] as const;

/**
 * The factor of the rate for update `step`, the first of which is 0. From the last step of a
 * schedule on it stays what it has become.
 * @throws E720 for settings out of range, E721 for an unknown kind.
 */
export function rateAt(schedule: Schedule, step: number): number {
  checkSchedule(schedule);
  check("rateAt", { step: [step, countFromZero] });
  const { warmup = 0 } = schedule;
  if (step < warmup) return step / warmup;
  const since = step - warmup;
  switch (schedule.kind) {
    case "constant":
      return 1;
    case "linear":
      return left(schedule, since);
    case "polynomial":
      return left(schedule, since) ** schedule.power;
    case "cosine": {
      const { floor = 0 } = schedule;
      const done = 1 - left(schedule, since);
      return floor + ((1 - floor) * (1 + Math.cos(Math.PI * done))) / 2;
    }
    case "stepwise":
      return schedule.factor ** Math.floor(since / schedule.every);
  }
}

/** Which part of a schedule is still to come. */
function left({ steps, warmup = 0 }: Falling, since: number): number {
  return steps <= warmup ? 0 : Math.max(0, 1 - since / (steps - warmup));
}

/** Checks a schedule, one that was read from a file for example. Throws E460, E720, E721. */
export function checkSchedule(schedule: Schedule): void {
  const warmup = [schedule.warmup ?? 0, countFromZero] as const;
  const settings = { warmup, ...settingsOf(schedule) };
  const of = `the schedule "${schedule.kind}"`;
  checkOptions<object>(of, schedule, { kind: true, ...settings });
  check(of, settings);
}

function settingsOf(schedule: Schedule): Parameters<typeof check>[1] {
  switch (schedule.kind) {
    case "constant":
      return {};
    case "linear":
      return { steps: [schedule.steps, count] };
    case "polynomial":
      return { steps: [schedule.steps, count], power: [schedule.power, fromZero] };
    case "cosine":
      return { steps: [schedule.steps, count], floor: [schedule.floor ?? 0, fraction] };
    case "stepwise":
      return { every: [schedule.every, count], factor: [schedule.factor, fraction] };
  }
  return unknownKind(schedule);
}

function unknownKind(schedule: never): never {
  const { kind } = schedule as { kind: unknown };
  throw diagnose("E721", {
    message: `there is no schedule of the kind ${JSON.stringify(kind)}`,
    help: `the kinds are ${kinds.join(", ")}`,
  });
}
