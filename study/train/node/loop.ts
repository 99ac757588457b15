/** The steps of a run that are left, with their validations. */

import { diagnose } from "../../../diagnostics/index.ts";
import type { Reducer } from "../../../runtime/training/reducer.ts";
import type { TrainingSession } from "../../../runtime/training/session.ts";
import { madeAhead } from "../../data/ahead.ts";
import type { Batches } from "../../data/batch.ts";
import type { LogLine, ValidationLine } from "../log.ts";
import type { Task } from "../model.ts";
import { isBetter, type Validation } from "../scores.ts";
import type { RunSettings } from "../settings.ts";
import { type Status, startClock } from "./clock.ts";
import type { RunFolder, Start } from "./run-folder.ts";

export interface Events {
  /** Told what begins, and each validation, in a line. */
  readonly onPhase?: ((words: string) => void) | undefined;
  /** Told each step and each validation. */
  readonly onLine?: ((line: LogLine) => void) | undefined;
  /** Told after each step. */
  readonly onStatus?: ((status: Status) => void) | undefined;
  /** Stops after the step that is under way; the run can go on later. */
  readonly signal?: AbortSignal | undefined;
}

export interface Loop {
  readonly events: Events;
  readonly settings: RunSettings;
  readonly run: RunFolder;
  readonly session: TrainingSession;
  /** Other processes that take the same steps, each with its part of the pictures. */
  readonly reducer: Reducer | undefined;
  readonly task: Task;
  readonly batches: Batches;
  readonly validation: Batches;
  /** Pictures to validate on. */
  readonly held: number;
  /** Ends the run after the step in which so many seconds are over. */
  readonly seconds: number | undefined;
  /** Its name, and its kind. */
  readonly device: string;
  readonly kind: string;
  /** Seconds that it took until now. */
  readonly setUp: number;
}

export interface Scores {
  /** Before the first step. */
  readonly before: Validation;
  /** The best on validation, whose adapter is in the folder, after so many steps. */
  readonly best: Validation & { readonly step: number };
  readonly last: Validation;
  readonly steps: number;
  /** Why it ended. */
  readonly ended: "steps" | "patience" | "time";
}

/** Takes the steps that are left. What an abort leaves open goes on later. */
export async function takeSteps(loop: Loop): Promise<Scores> {
  const { events, settings, run, session } = loop;
  const { steps, validateEvery, metric, patience } = settings;
  const found = run.log.flatMap((line) => ("validation" in line ? [line] : []));
  const clock = startClock(settings);
  const save = async (step: number) => {
    if (!run.isOurs) return;
    await run.saveCheckpoint(await session.save(), startOf(loop, clock.seconds(), step));
  };
  const validated = async (step: number) => {
    const validation = await clock.validation(() => validate(loop));
    const line = { step, validation, ...(step === 0 ? { device: loop.kind } : {}) };
    if (run.isOurs && isBetter(metric, line.validation, bestOf(loop, found)?.validation))
      await run.save("adapter.safetensors", await session.saveAdapter());
    found.push(line);
    run.tell(line);
    events.onLine?.(line);
    events.onPhase?.(words(line, metric));
    await save(step);
  };
  const isTired = () => patience > 0 && since(loop, found) >= patience;
  const stopsNow = () => stopsOf(loop, clock.seconds());
  if (run.steps === 0 && found.length === 0) await validated(0);
  else events.onPhase?.(`going on after step ${run.steps}`);
  let step = run.steps;
  if (!isTired())
    for await (const inputs of inputsInTurn(loop, step)) {
      const { loss, terms, norm, rate, vetoed } = await session.step(...inputs);
      step++;
      const line = { step, loss, terms, norm, rate, vetoed };
      run.tell(line);
      events.onLine?.(line);
      const status = clock.status(step, { loss, rate });
      events.onStatus?.(status);
      // The first step may compile; two that were measured tell the rest.
      if (step === run.steps + 3) events.onPhase?.(`about ${inTime(status.left)} to go`);
      const stops = await stopsNow();
      if (step % validateEvery === 0 || step === steps || stops.isLate) await validated(step);
      else if (stops.isAborted) await save(step);
      if (stops.isAborted && !events.signal?.aborted) throw interruptedElsewhere(run.path);
      if (stops.isAborted || isTired() || stops.isLate) break;
    }
  const best = bestOf(loop, found)!;
  return {
    before: found[0]!.validation,
    best: { ...best.validation, step: best.step },
    last: found.at(-1)!.validation,
    steps: step,
    ended: step === steps ? "steps" : isTired() ? "patience" : "time",
  };
}

/** Whether to end after this step: all processes decide alike. */
async function stopsOf({ events, seconds, reducer }: Loop, passed: number) {
  const isLate = seconds !== undefined && passed >= seconds;
  const votes = Float32Array.of(Number(events.signal?.aborted ?? false), Number(isLate));
  await reducer?.allReduce(votes);
  return { isAborted: votes[0]! > 0, isLate: votes[1]! > 0 };
}

const interruptedElsewhere = (where: string) =>
  diagnose("E1104", {
    message: "another process of the job was interrupted, and what was done is saved",
    where,
    help: "the same command goes on from there",
  });

const startOf = ({ device, run, setUp }: Loop, seconds: number, to: number): Start => ({
  ...{ device, from: run.steps, to, seconds, setUp },
  memory: process.resourceUsage().maxRSS * 1024,
});

/** The inputs of each micro-step, made while the step before runs. */
function inputsInTurn({ settings, batches, task, reducer }: Loop, step: number) {
  const { steps, micro, ranks } = settings;
  const [parts, first] = [micro * ranks, (reducer?.rank ?? 0) * micro];
  const batch = settings.batch / parts;
  const make = (step: number) =>
    Promise.all(
      Array.from({ length: micro }, async (_, i) => {
        const given = await batches.take({ step, batch, rank: first + i, ranks: parts });
        return task.inputs(given);
      }),
    );
  return madeAhead(make, { step, end: steps });
}

function bestOf({ settings: { metric } }: Loop, found: readonly ValidationLine[]) {
  return found.reduce<ValidationLine | undefined>(
    (best, one) => (isBetter(metric, one.validation, best?.validation) ? one : best),
    undefined,
  );
}

/** Validations after the best. */
function since(loop: Loop, found: readonly ValidationLine[]): number {
  const best = bestOf(loop, found);
  return best ? found.length - 1 - found.indexOf(best) : 0;
}

/** The scores of all that is held out. */
async function validate({ session, task, validation, held }: Loop): Promise<Validation> {
  const scoring = task.scoring();
  for (let item = 0; item < held; item++) {
    const batch = await validation.take({ step: item, batch: 1 });
    const { loss, metrics } = await session.evaluate(task.inputs(batch));
    scoring.add(loss, metrics, batch.targets);
  }
  return scoring.result();
}

/** "2 min", of seconds. */
export function inTime(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  if (seconds < 5400) return `${Math.ceil(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

const words = ({ step, validation: { loss, metrics } }: ValidationLine, metric: string) => {
  const said = (value: number | null | undefined) =>
    (value ?? undefined)?.toFixed(4) ?? "undefined";
  const ofTask = (name: string) => /^[^/]+\/(iou|absolute|mean)$/.test(name);
  const names = Object.keys(metrics).filter(
    (name) => name !== "loss" && (name === "iou" || name === metric || ofTask(name)),
  );
  const named = names.map(
    (name) => `, ${name === "iou" ? "IoU" : name.replace("/", " ")} ${said(metrics[name])}`,
  );
  return `after ${step} steps: loss ${loss.toFixed(4)}${named.join("")}`;
};
