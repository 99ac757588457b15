/** Fine-tunes a SAM on a set of pictures and masks: from files to a folder with an adapter and its scores. */
import { join } from "node:path";
import { traceProgram } from "../../../compiler/index.ts";
import { formatBytes } from "../../../diagnostics/bytes.ts";
import type { SamConfig } from "../../../models/sam/config.ts";
import type { Progress } from "../../../runtime/devices/device.ts";
import { type DeviceKind, withDevice } from "../../../runtime/node/device.ts";
import { deviceWords, type OpenedDevice } from "../../../runtime/node/opened.ts";
import type { Reducer } from "../../../runtime/training/reducer.ts";
import { createTrainingSession, type TrainingSession } from "../../../runtime/training/session.ts";
import type { Weights } from "../../../runtime/weights/index.ts";
import { rateAt, type Schedule } from "../../../training/index.ts";
import { check, count, fromZero, portion } from "../../../training/settings.ts";
import { keptInMemory } from "../../data/ahead.ts";
import { batchesOf } from "../../data/batch.ts";
import { classesOf, kindOf, type Task, taskFor } from "../model.ts";
import { resolveSettings, settingsFrom } from "../resolve.ts";
import { type AskedSettings, checkSame, type RunIdentity, type RunSettings } from "../settings.ts";
import type { TaskOptions, Tasks } from "../targets.ts";
import { forecastOf, type Planned, planWithin, type RunForecast } from "./forecast.ts";
import { type Events, takeSteps } from "./loop.ts";
import { openSam } from "./open-sam.ts";
import { writeReport } from "./report.ts";
import { checkRunFolder, deviceOf, openRun, type RunFolder } from "./run-folder.ts";
import {
  checkClasses,
  type DescribedSets,
  describeSets,
  type Sets,
  type SetsRequest,
  weightsByTask,
} from "./sets.ts";
import type { TrainReport } from "./train-report.ts";

export interface TrainRequest extends SetsRequest, Events {
  /** A SAM's checkpoint, in Meta's or Hugging Face's names. */
  readonly weights: string;
  /** A file with its configuration; the shapes of the weights tell it unless given. */
  readonly config?: string | undefined;
  /** What is not given comes from its preset, or is usual: `usualSettings`. */
  readonly settings?: AskedSettings | undefined;
  /** The run's folder. One in which a run is under way goes on. */
  readonly out: string;
  /** As `openDevice` chooses unless given. */
  readonly device?: DeviceKind | undefined;
  /** Ends the run after so many seconds of steps, with a validation; it can go on later. */
  readonly seconds?: number | undefined;
  /** The most bytes of device memory: a step then has as many micro-steps as it takes. */
  readonly budget?: number | undefined;
  /**
   * Other processes that take the same steps, each with its part of the pictures: `openMpi()`. All are given the same
   * request; the one of rank 0 writes the folder.
   */
  readonly reducer?: Reducer | undefined;
  /** Told before the first step. */
  readonly onForecast?: ((forecast: RunForecast) => void) | undefined;
  readonly onProgress?: Progress | undefined;
}

/**
 * Trains, validates, and keeps the adapter that did best. Killed at any moment and begun again with the same request,
 * it ends with the same bytes as if it had never stopped.
 * @throws E10xx for the sets, E1101 to E1107, E1112 and E1114 to E1116 for the request and the folder, E2xx for weights, E4xx for the device;
 * the signal's reason when it is aborted, after what was done has been saved.
 */
export async function train(request: TrainRequest): Promise<TrainReport> {
  const begun = performance.now();
  const prepared = await prepare(request);
  return trainOn(prepared, begun).finally(prepared.close);
}

/** A run of which all is known but its pictures. */
interface Prepared {
  readonly request: TrainRequest;
  readonly settings: RunSettings;
  readonly described: DescribedSets;
  readonly weights: Weights;
  readonly config: SamConfig;
  /** Whether there is a run in the folder. */
  readonly isBegun: boolean;
  /** Closes the weights. */
  close(): Promise<void>;
}

/** Checks all that can be checked before a picture is read, which may take minutes. It writes nothing. */
async function prepare(request: TrainRequest): Promise<Prepared> {
  const { reducer, out, budget = 1, seconds = 0, share = 1 } = request;
  const asked = settingsFrom(request.settings ?? {});
  check("a run", {
    share: [share, portion],
    budget: [budget, count],
    seconds: [seconds, fromZero],
  });
  const described = await describeSets(request, asked.seed);
  const { tasks } = described;
  const kind = kindOf(tasks, asked.method);
  const pictures = described.train.names.length;
  const settings = resolveSettings(asked, { kind, tasks, pictures, ranks: reducer?.size });
  const { config, weights } = await openSam(request, settings);
  try {
    const known = await checkRunFolder(out);
    // All have looked before one makes the folder.
    await reducer?.barrier();
    // A budget decides on micro-steps once.
    const { micro = settings.micro } = request.budget === undefined ? {} : (known?.settings ?? {});
    const own = { ...settings, micro };
    if (known) checkSame(known, identityOf(described, own), join(out, "run.json"));
    traceProgram(taskOf(own, tasks, config).model, "segment", { batch: 1 });
    const isBegun = known !== undefined;
    return { request, settings: own, described, weights, config, isBegun, close: weights.close };
  } catch (cause) {
    await weights.close();
    throw cause;
  }
}

/** Checks of several requests what `train` checks before it reads a picture. */
export async function checkRequests(requests: readonly TrainRequest[]): Promise<void> {
  for (const request of requests) await (await prepare(request)).close();
}

function taskOf(
  settings: RunSettings,
  tasks: Tasks,
  config: SamConfig,
  weights?: TaskOptions["weights"],
): Task {
  return taskFor(config, { ...settings, settings: settings.methodSettings, tasks, weights });
}

interface Training extends Omit<Prepared, "close" | "described"> {
  readonly sets: Sets;
  readonly task: Task;
}

/** Bytes of decoded pictures that are kept, of each set. */
const mostKept = 2 ** 30;

const identityOf = (sets: DescribedSets | Sets, settings: RunSettings): RunIdentity => ({
  ...{ settings, tasks: sets.tasks },
  ...{ train: sets.train.names, validation: sets.validation.names },
});

async function open({ request, sets }: Training, settings: RunSettings): Promise<RunFolder> {
  const { out, reducer } = request;
  const isOurs = (reducer?.rank ?? 0) === 0;
  // The others read what the first has made, before it writes more.
  if (!isOurs) await reducer!.barrier();
  const run = await openRun(out, identityOf(sets, settings), isOurs);
  if (isOurs) await reducer?.barrier();
  await reducer?.barrier();
  return run;
}

/** Reads the pictures, and what there is of the run. */
async function readAll({ described, close: _, ...prepared }: Prepared) {
  const { request, settings, config, isBegun } = prepared;
  const { classWeights } = settings;
  request.onPhase?.("checking the pictures");
  const sets = await described.open({ ...request, keep: mostKept });
  try {
    if (settings.emptyClasses === "refused") checkClasses(sets);
    const weights = classWeights === "none" ? undefined : weightsByTask(sets, classWeights);
    const task = taskOf(settings, sets.tasks, config, weights);
    const training: Training = { ...prepared, sets, task };
    // With a budget micro-steps are not known yet.
    const isKnown = request.budget === undefined || isBegun;
    return { training, early: isKnown ? await open(training, settings) : undefined };
  } catch (cause) {
    sets.close();
    throw cause;
  }
}

async function trainOn(prepared: Prepared, begun: number): Promise<TrainReport> {
  const { request, settings, isBegun } = prepared;
  const { signal, onPhase = () => {}, budget } = request;
  let reading: ReturnType<typeof readAll> | undefined;
  const runHere = async (opened: OpenedDevice) => {
    onPhase(`on ${deviceWords(opened)}`);
    // Another device is tried where the first has no build.
    reading ??= readAll(prepared);
    const { training, early } = await reading;
    const { task } = training;
    onPhase("compiling");
    const planned = await planWithin(opened, { task, settings, signal }, { budget, isBegun });
    const run = early ?? (await open(training, planned.settings));
    try {
      const report = await stepsOn(opened, { ...training, ...planned, run, begun });
      signal?.throwIfAborted();
      if (!run.isOurs) return report;
      await run.save("result.json", `${JSON.stringify(report, null, 2)}\n`);
      onPhase("writing the report");
      await writeReport({ ...training, ...planned, run, opened, report, signal });
      return report;
    } finally {
      if (run !== early) await run.checkpoint?.close();
    }
  };
  try {
    const kind = request.device ?? (isBegun ? await begunOn(request.out) : undefined);
    return await withDevice({ kind }, runHere);
  } finally {
    const read = await reading?.catch(() => undefined);
    read?.training.sets.close();
    await read?.early?.checkpoint?.close();
  }
}

/** Processors' two devices round differently: a run that goes on unasked stays on the one that it began on. */
async function begunOn(out: string): Promise<DeviceKind | undefined> {
  if (process.env.INARCH_DEVICE) return undefined;
  const device = await deviceOf(out);
  return device === "cpu" || device === "native" ? device : undefined;
}

interface Placing extends Training, Planned {
  readonly run: RunFolder;
  /** When the run was begun, in milliseconds. */
  readonly begun: number;
}

async function stepsOn(opened: OpenedDevice, placing: Placing): Promise<TrainReport> {
  const { request, settings, sets, task, plan, run, begun } = placing;
  const side = placing.config.imageSize;
  const { train, validation, tasks, summary } = sets;
  const pictures = { train: train.names.length, validation: validation.names.length };
  const host = {
    opened,
    summary,
    pictures: pictures.train + pictures.validation,
    kept: 2 * mostKept,
  };
  const forecast = forecastOf({ plan, settings }, { ...host, side });
  request.onForecast?.(forecast);
  request.onPhase?.(inWords(forecast));
  const session = await placed(opened, placing);
  const { fit, filter, augment, seed } = settings;
  const seen = { side, fit, filter };
  const held = keptInMemory(validation.samples, mostKept);
  const scores = await takeSteps({
    ...{
      events: request,
      settings,
      run,
      session,
      task,
      seconds: request.seconds,
      reducer: request.reducer,
    },
    batches: batchesOf(train.samples, { ...seen, augment, seed }),
    validation: batchesOf(held, { ...seen, order: "plain" }),
    held: held.size,
    device: opened.device.name,
    kind: opened.kind,
    setUp: (performance.now() - begun) / 1000,
  });
  const sizeOf = (tensors: readonly { readonly shape: readonly number[] }[]) =>
    tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  const { tensors, frozen } = session.plan;
  const { total } = session.memory();
  await session.close();
  return {
    folder: request.out,
    device: opened.device.name,
    ...{ tasks, classes: classesOf(tasks, task.kind), summary, bytes: total, pictures },
    parameters: { trained: sizeOf(tensors), all: sizeOf(tensors) + sizeOf(frozen) },
    ...scores,
  };
}

/** A session that trains, after the steps of the run's checkpoint. */
function placed({ device }: OpenedDevice, placing: Placing): Promise<TrainingSession> {
  const { request, settings, weights, plan, run } = placing;
  const { signal, onProgress, reducer } = request;
  const { rate, seed } = settings;
  const schedule = scheduleOf(settings);
  return createTrainingSession(plan, device, {
    ...{ weights, seed, rate: (step) => rate * rateAt(schedule, step) },
    settings: { rate, schedule },
    ...(run.checkpoint ? { resume: run.checkpoint } : {}),
    ...(onProgress ? { onProgress } : {}),
    ...(signal ? { signal } : {}),
    ...(reducer ? { reducer } : {}),
  });
}

function scheduleOf({ schedule: kind, warmup, steps }: RunSettings): Schedule {
  const rising = { warmup: Math.round(warmup * steps) };
  return kind === "constant" ? { kind, ...rising } : { kind, steps, ...rising };
}

function inWords({ micro, recomputed, device, process }: RunForecast): string {
  const parts = micro > 1 ? `, in ${micro} parts a step` : "";
  const again = recomputed > 0 ? `, ${(100 * recomputed).toFixed(1)} % of the work done twice` : "";
  return `takes ${formatBytes(device.total)} of the device${parts}${again}, ${formatBytes(process)} of the process`;
}
