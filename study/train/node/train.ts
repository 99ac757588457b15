/** Fine-tunes a SAM on a set of pictures and masks: from files to a folder with an adapter and its scores. */
import { diagnose } from "../../../diagnostics/index.ts";
import { inferSamConfig, withMetaNames } from "../../../models/index.ts";
import { readSamConfig } from "../../../models/node/config.ts";
import type { Progress } from "../../../runtime/devices/device.ts";
import { type DeviceKind, withDevice } from "../../../runtime/node/device.ts";
import { deviceWords } from "../../../runtime/node/opened.ts";
import { openWeightsFile } from "../../../runtime/node/weights.ts";
import type { TrainingSession } from "../../../runtime/training/session.ts";
import { adamW, createTrainer } from "../../../training/index.ts";
import { batchesInTurn, keptInMemory } from "../../data/ahead.ts";
import { type Batches, batchesOf } from "../../data/batch.ts";
import { type DataSet, openSet, type SetDescription } from "../../data/node/open.ts";
import { holdOut, subsetOf } from "../../data/split.ts";
import type { SetSummary } from "../../data/summary.ts";
import { confusion } from "../../metrics/confusion.ts";
import { type Task, taskFor } from "../model.ts";
import { type RunSettings, settingsFrom } from "../settings.ts";
import { openRun, type RunFolder, type StepLine, type Validation } from "./run-folder.ts";

export interface TrainRequest {
  /** Pictures and targets of one task: masks or classes. */
  readonly set: SetDescription;
  /** Another set to validate on. Unless given a part of the first is held out. */
  readonly validation?: SetDescription | undefined;
  /** The part that is held out, 0.2 unless given. */
  readonly part?: number | undefined;
  /** A SAM's checkpoint, in Meta's or Hugging Face's names. */
  readonly weights: string;
  /** A file with its configuration; the shapes of the weights tell it unless given. */
  readonly config?: string | undefined;
  /** What is not given is usual: `usualSettings`. */
  readonly settings?: Partial<RunSettings> | undefined;
  /** The run's folder. One in which a run is under way goes on. */
  readonly out: string;
  /** As `openDevice` chooses unless given. */
  readonly device?: DeviceKind | undefined;
  readonly onProgress?: Progress | undefined;
  /** Told what begins, and each validation, in a line. */
  readonly onPhase?: ((words: string) => void) | undefined;
  /** Told each step and each validation. */
  readonly onLine?:
    | ((line: StepLine | { step: number; validation: Validation }) => void)
    | undefined;
  /** Stops after the step that is under way; the run can go on later. */
  readonly signal?: AbortSignal | undefined;
}

export interface TrainReport {
  readonly folder: string;
  readonly device: string;
  readonly classes: readonly string[];
  readonly pictures: { readonly train: number; readonly validation: number };
  readonly summary: SetSummary;
  readonly steps: number;
  /** Before the first step. */
  readonly before: Validation;
  /** The best on validation, whose adapter is in the folder, after so many steps. */
  readonly best: Validation & { readonly step: number };
  readonly last: Validation;
  /** Bytes of device memory. */
  readonly bytes: number;
}

/**
 * Trains, validates, and keeps the adapter that did best. Killed at any moment and begun again with the same request,
 * it ends with the same bytes as if it had never stopped.
 * @throws E10xx for the sets, E1101 to E1103 for the request and the folder, E2xx for weights, E4xx for the device;
 * the signal's reason when it is aborted, after what was done has been saved.
 */
export async function train(request: TrainRequest): Promise<TrainReport> {
  const { out, signal, onPhase = () => {}, onProgress } = request;
  const settings = settingsFrom(request.settings ?? {});
  onPhase("checking the pictures");
  const sets = await openSets(request, settings.seed);
  const { name, classes } = taskOf(sets.whole);
  const weights = withMetaNames(await openWeightsFile(request.weights));
  try {
    const { config: file } = request;
    const config = file === undefined ? inferSamConfig(weights) : await readSamConfig(file);
    const { method, methodSettings } = settings;
    const task = taskFor(config, { method, settings: methodSettings, classes });
    const run = await openRun(out, { settings, classes, train: sets.names, validation: sets.held });
    const kind = request.device ?? begunOn(run);
    return await withDevice({ kind }, async (opened) => {
      onPhase(`on ${deviceWords(opened)}`);
      onPhase("compiling");
      const session = await createTrainer(task.model, {
        ...{ device: opened.device, weights, seed: settings.seed },
        ...(run.checkpoint ? { resume: run.checkpoint } : {}),
        ...(onProgress ? { onProgress } : {}),
        ...(signal ? { signal } : {}),
        dims: { batch: settings.batch },
        loss: task.loss,
        evaluate: {
          dims: { batch: 1 },
          metrics: (o, inputs) => ({ counts: task.counts(o, inputs) }),
        },
        optimiser: adamW({ decay: settings.decay }),
        clip: settings.clip,
        rate: settings.rate,
        schedule: { kind: "linear", steps: settings.steps },
      });
      const side = config.imageSize;
      const { fit, augment, seed } = settings;
      const scores = await go({
        ...{ request, settings, run, session, task, name, device: opened.kind },
        batches: batchesOf(keptInMemory(sets.train, mostKept), { side, fit, augment, seed }),
        validation: batchesOf(keptInMemory(sets.validation, mostKept), {
          side,
          fit,
          order: "plain",
        }),
        held: sets.validation.size,
      });
      const { total } = session.memory();
      await session.close();
      signal?.throwIfAborted();
      const report: TrainReport = {
        folder: out,
        device: opened.device.name,
        classes,
        steps: settings.steps,
        bytes: total,
        pictures: { train: sets.train.size, validation: sets.validation.size },
        summary: sets.whole.summary,
        ...scores,
      };
      await run.save("result.json", `${JSON.stringify(report, null, 2)}\n`);
      return report;
    }).finally(() => run.checkpoint?.close());
  } finally {
    await weights.close();
  }
}

/** Processors' two devices round differently: a run that goes on unasked stays on the one that it began on. */
function begunOn({ log: [first] }: RunFolder): DeviceKind | undefined {
  if (process.env.INARCH_DEVICE) return undefined;
  const device = first && "validation" in first ? first.device : undefined;
  return device === "cpu" || device === "native" ? device : undefined;
}

async function openSets(
  { set, validation, part = 0.2, signal, onProgress }: TrainRequest,
  seed: number,
) {
  const reading = {
    signal,
    onProgress: (done: number, all: number) => onProgress?.(done, all, "pictures"),
  };
  const whole = await openSet(set, reading);
  const namesOf = (of: DataSet, items: readonly number[]) => items.map((i) => of.names[i]!);
  if (validation) {
    const held = await openSet(validation, reading);
    checkAlike(whole, held);
    return { whole, train: whole, validation: held, names: whole.names, held: held.names };
  }
  const parts = holdOut(whole.size, part, seed);
  return {
    whole,
    train: subsetOf(whole, parts.training),
    validation: subsetOf(whole, parts.validation),
    names: namesOf(whole, parts.training),
    held: namesOf(whole, parts.validation),
  };
}

/** Both sets must have the same tasks, and these the same classes. */
function checkAlike(train: DataSet, validation: DataSet): void {
  const [own, other] = [train, validation].map(({ tasks }) => JSON.stringify(tasks));
  if (own === other) return;
  throw diagnose("E1101", {
    message: `the set to validate on has the tasks ${other}, and the one to train on ${own}`,
    help: "describe the targets of both alike",
  });
}

/** The one task of labels that a set has. */
function taskOf({ tasks }: DataSet) {
  const [first, ...others] = Object.entries(tasks);
  const [name, { kind, classes }] = first!;
  if (others.length > 0 || kind !== "labels" || classes === undefined)
    throw diagnose("E1101", {
      message: `the set has ${Object.entries(tasks)
        .map(([task, one]) => `${task} (${one.kind})`)
        .join(", ")}, and one task of masks or classes is trained`,
      help: "describe the targets of one task",
    });
  return { name, classes };
}

interface Going {
  readonly request: TrainRequest;
  readonly settings: RunSettings;
  readonly run: RunFolder;
  readonly session: TrainingSession;
  /** The kind of device. */
  readonly device: string;
  readonly task: Task;
  /** The task's name in batches. */
  readonly name: string;
  readonly batches: Batches;
  readonly validation: Batches;
  /** Pictures to validate on. */
  readonly held: number;
}

/** Bytes of decoded pictures that are kept, of each set. */
const mostKept = 2 ** 30;

/** The steps that are left, with their validations. */
async function go(going: Going) {
  const { request, settings, run, session, device, task, name, batches } = going;
  const { signal, onProgress, onPhase, onLine } = request;
  const { steps, batch, validateEvery } = settings;
  const found = run.log.flatMap((line) => ("validation" in line ? [line] : []));
  const validated = async (step: number) => {
    const validation = await validate(going);
    const line = { step, validation, ...(step === 0 ? { device } : {}) };
    if (isBetter(line.validation, bestOf(found)?.validation))
      await run.save("adapter.safetensors", await session.saveAdapter());
    found.push(line);
    run.tell(line);
    onLine?.(line);
    onPhase?.(words(line));
    await run.saveCheckpoint(await session.save());
  };
  if (run.steps === 0 && found.length === 0) await validated(0);
  else onPhase?.(`going on after step ${run.steps}`);
  const left = { step: run.steps, end: steps, batch };
  let step = run.steps;
  for await (const given of batchesInTurn(batches, left)) {
    const inputs = task.inputs(given, given.targets[name]!);
    const { loss, terms, norm, rate, vetoed } = await session.step(inputs);
    step++;
    const line: StepLine = { step, loss, terms, norm, rate, vetoed };
    run.tell(line);
    onLine?.(line);
    onProgress?.(step, steps, "steps");
    if (step % validateEvery === 0 || step === steps) await validated(step);
    if (!signal?.aborted) continue;
    await run.saveCheckpoint(await session.save());
    break;
  }
  const [first] = found;
  const best = bestOf(found)!;
  return {
    before: first!.validation,
    best: { ...best.validation, step: best.step },
    last: found.at(-1)!.validation,
  };
}

type Found = { readonly step: number; readonly validation: Validation };

const isBetter = (one: Validation, best: Validation | undefined) =>
  best === undefined || (one.score ?? -1) > (best.score ?? -1);

const bestOf = (found: readonly Found[]) =>
  found.reduce<Found | undefined>(
    (best, one) => (isBetter(one.validation, best?.validation) ? one : best),
    undefined,
  );

/** The loss and the counts of all that is held out. */
async function validate({ session, task, name, validation, held }: Going): Promise<Validation> {
  const counts = confusion(task.classes.length);
  let loss = 0;
  for (let item = 0; item < held; item++) {
    const batch = await validation.take({ step: item, batch: 1 });
    const found = await session.evaluate(task.inputs(batch, batch.targets[name]!));
    counts.addCounts(found.metrics.counts!);
    loss += found.loss / held;
  }
  const { classes, meanIou, accuracy } = counts.scores();
  const known = (score: number | undefined) => score ?? null;
  return {
    loss,
    score: known(task.kind === "mask" ? classes[1]!.iou : meanIou.value),
    iou: Object.fromEntries(task.classes.map((of, i) => [of, known(classes[i]!.iou)])),
    accuracy: known(accuracy),
  };
}

const words = ({ step, validation: { loss, score } }: Found) =>
  `after ${step} steps: loss ${loss.toFixed(4)}, IoU ${score === null ? "undefined" : score.toFixed(4)}`;
