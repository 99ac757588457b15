/**
 * What the checks of training share: a run of fine-tuning with all of it given (first values, data,
 * noise), step by step beside the published one: the choice of experts, the gradients of the first
 * step, losses, predictions, and what the trained tensors become.
 */
import type { Model } from "../compiler/index.ts";
import { bug } from "../diagnostics/index.ts";
import type { Inputs } from "../runtime/session.ts";
import type { TrainingPlan } from "../runtime/training/plan.ts";
import {
  createTrainingSession,
  type StepReport,
  type TrainingSession,
} from "../runtime/training/session.ts";
import { compileTrainingAsync, type TrainingOptions } from "../training/index.ts";
import { type Check, compare } from "./compare.ts";
import type { Setting } from "./kinds.ts";
import { garbled, type Reference } from "./reference.ts";
import { compareFirstGradients, rounding } from "./training-gradients.ts";
import { type InitialTensors, readInitial } from "./training-initial.ts";

export interface TrainingRun {
  /** With its adapter and what trains. */
  readonly model: Model;
  readonly batch: number;
  readonly loss: TrainingOptions["loss"];
  readonly optimiser: TrainingOptions["optimiser"];
  /** The most that the norm of all gradients may be. */
  readonly clip?: number;
  readonly steps: number;
  readonly rate: (step: number) => number;
  /** The tensors beside noise that a step takes, by input. */
  inputs(step: number): Promise<Inputs>;
  /** Where the file has the noise of an input, by the place that draws it. */
  noise?(place: string, step: number): string;
  /** Numbers of a step that the file has for all steps. */
  readonly records: readonly StepRecord[];
}

export interface StepRecord {
  readonly name: string;
  /** One number for each step. */
  readonly reference: Float32Array;
  readonly relative: number;
  readonly of: (report: StepReport) => number;
}

/** Results, losses; and what is a sum over many steps or many numbers. */
export const [forward, trained] = [1e-4, 1e-3];

/**
 * Runs all steps and compares:
 * - `routing at step 0, PLACE`: the experts that anything was routed to
 * - `grad0.NAME`: gradients of the first step before clipping, the same ones and no more
 * - `step.S.prediction.NAME`, where the file has them
 * - the run's records
 * - `final.NAME`: what trained tensors have become, and that those without gradients stayed
 *
 * Biases of key projections are left out: their gradient is zero but for rounding.
 */
export async function* verifyTraining(
  reference: Reference,
  { device, profile, onProgress, signal }: Setting,
  run: TrainingRun,
): AsyncIterable<Check> {
  const initial = await readInitial(reference);
  const predicted = stepsWithPredictions(reference);
  const plan = await compileTrainingAsync(run.model, {
    loss: run.loss,
    optimiser: run.optimiser,
    ...(run.clip === undefined ? {} : { clip: run.clip }),
    dims: { batch: run.batch },
    noise: "given",
    programs: predicted.size > 0 ? { [forwardPass]: { batch: run.batch } } : {},
    target: device.target,
    profile,
    signal,
  });
  initial.check(plan);
  const session = await createTrainingSession(plan, device, {
    weights: initial.weights,
    rate: run.rate,
    onProgress,
  });
  try {
    const reports: StepReport[] = [];
    for (let step = 0; step < run.steps; step++) {
      const inputs = await run.inputs(step);
      if (predicted.has(step)) yield* comparePredictions(reference, session, inputs, step);
      const noise = await noiseOf(reference, plan, run, step);
      reports.push(await session.step({ ...inputs, ...noise }));
      if (step === 0) yield* compareFirstGradients(reference, session);
      onProgress(step + 1, run.steps, "steps of training");
    }
    yield* compareRecords(run, reports);
    yield* compareFinal(reference, session, initial);
  } finally {
    session.close();
  }
}

/** The program of a model that makes its outputs, without a loss. */
const forwardPass = "segment";

const prediction = /^step\.(\d+)\.prediction\.(.+)$/;

const stepsWithPredictions = ({ names }: Reference): ReadonlySet<number> =>
  new Set(
    names.flatMap((name) => {
      const step = prediction.exec(name)?.[1];
      return step === undefined ? [] : [Number(step)];
    }),
  );

async function* comparePredictions(
  reference: Reference,
  session: TrainingSession,
  inputs: Inputs,
  step: number,
): AsyncIterable<Check> {
  const names = reference.names.filter((name) => Number(prediction.exec(name)?.[1]) === step);
  const wanted = new Set(session.plan.programs[forwardPass]!.inputs.map((t) => t.name));
  const given = Object.fromEntries(Object.entries(inputs).filter(([name]) => wanted.has(name)));
  const results = await session.run(forwardPass, given);
  for (const name of names) {
    const { data } = await reference.read(name);
    const mine = results[prediction.exec(name)![2]!];
    if (!mine) throw garbled(reference.path, `${name} is of no output of this model`);
    yield compare(name, mine, data, { relative: forward });
  }
}

/** The noise of a step, which the file must have in the shape that the plan draws it in. */
async function noiseOf(
  reference: Reference,
  plan: TrainingPlan,
  run: TrainingRun,
  step: number,
): Promise<Inputs> {
  const inputs: Record<string, Float32Array<ArrayBuffer>> = {};
  for (const { name, shape } of plan.backward.inputs) {
    if (!name.startsWith("noise.")) continue;
    const stored = run.noise?.(name.slice("noise.".length), step) ?? bug(`${name} is not drawn`);
    const { shape: found, data } = await reference.read(stored);
    if (found.join() !== shape.join())
      throw garbled(
        reference.path,
        `${stored} is [${found.join(", ")}], but ${name} is drawn as [${shape.join(", ")}]`,
      );
    inputs[name] = data;
  }
  return inputs;
}

function* compareRecords({ records }: TrainingRun, reports: readonly StepReport[]) {
  const vetoed = reports.find((report) => report.vetoed !== undefined);
  if (vetoed)
    yield {
      name: `step ${vetoed.step}`,
      found: `no finite gradient of ${vetoed.vetoed}`,
      allowed: "none",
      passed: false,
    };
  for (const { name, reference, relative, of } of records)
    yield compare(name, reports.map(of), reference, { relative });
}

async function* compareFinal(
  reference: Reference,
  session: TrainingSession,
  initial: InitialTensors,
): AsyncIterable<Check> {
  const here = new Set(session.plan.tensors.map((t) => t.name));
  const stored = reference.names
    .filter((name) => name.startsWith(final))
    .map((name) => name.slice(final.length));
  for (const name of stored) {
    const { data } = await reference.read(`${final}${name}`);
    if (rounding(name)) continue;
    // What no loss reaches has no gradient, and stays as it was.
    const mine = here.has(name) ? await session.parameter(name) : initial.read(name);
    yield compare(`${final}${name}`, mine, data, { relative: trained });
  }
  for (const name of here)
    if (!stored.includes(name))
      yield { name: `${final}${name}`, found: "trained", allowed: "frozen", passed: false };
}

const final = "final.";
