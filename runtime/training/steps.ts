/** Steps of training: the passes of each micro-step, then the update, submitted together. */
import type { Plan } from "../../compiler/plan.ts";
import { bug, diagnose } from "../../diagnostics/index.ts";
import { elementsIn } from "../../formats/index.ts";
import type { CallOptions, Turn } from "../calls.ts";
import type { Submitted } from "../devices/device.ts";
import { type CheckedInput, checkInputs, entriesOf, type Inputs } from "../inputs.ts";
import type { Placement } from "../placement.ts";
import { findOutputs, keep, prepareRun, type Results, readTensors, submit } from "../runs.ts";
import type { Progress } from "./checkpoint.ts";
import { readPacked, writePacked } from "./gradients.ts";
import {
  comparePlaces,
  isWholeSum,
  type ParameterGroup,
  sumsBefore,
  type TrainingPlan,
} from "./plan.ts";
import { meanOverRanks, type Reducer } from "./reducer.ts";
import { checkTargets } from "./targets.ts";
import { stateOf, type Trained } from "./trained.ts";

export interface LossReport {
  /** The sum of all terms, before the parameters changed: the mean over the parts of the step. */
  readonly loss: number;
  readonly terms: Readonly<Record<string, number>>;
}

export interface UpdateReport {
  /** From 0. */
  readonly step: number;
  /** Of all gradients together, before clipping. */
  readonly norm: number;
  readonly rate: number;
  /**
   * Where the first NaN or infinity was found: the name of the trained tensor whose gradient has it,
   * or "loss". Such a step changes nothing.
   */
  readonly vetoed: string | undefined;
}

export interface StepReport extends LossReport, UpdateReport {}

/** The plans of a step, in place. */
interface StepPlacements {
  readonly backward: Placement;
  readonly sums: Placement | undefined;
  readonly accumulate: Placement | undefined;
  readonly update: Placement;
}

export interface Steps {
  /** Steps that were submitted. */
  count(): number;
  progress(): Progress;
  /** Checks and copies the inputs of each micro-step; what is returned takes the step, in a turn. */
  prepare(inputs: readonly Inputs[]): (turn: Turn) => Promise<StepReport>;
  /** As `prepare`, for the passes alone. */
  prepareGradients(inputs: readonly Inputs[]): (turn: Turn) => Promise<LossReport>;
  /** The update alone, of gradients that there are. */
  update(turn: Turn): Promise<UpdateReport>;
  /** @throws E445 unless there are gradients that no update has used, or, not `wanted`, if there are. */
  checkWaiting(wanted: boolean): void;
}

interface Stepping {
  readonly rateOf: (step: number) => number;
  readonly reducer: Reducer | undefined;
}

/** The inputs of a micro-step, for each plan that takes some. */
interface MicroInputs {
  readonly backward: readonly CheckedInput[];
  readonly sums: readonly CheckedInput[];
}

export function createSteps(
  trained: Trained,
  { backward, sums, accumulate, update }: StepPlacements,
  begun: Progress,
  { rateOf, reducer }: Stepping,
): Steps {
  const { plan, seed } = trained;
  let { step } = begun;
  /** Whether there are gradients that no update has used. */
  let isWaiting = false;
  const groups = plan.tensors.map((t) => plan.groups[t.group] ?? bug(`no group ${t.group}`));
  const fixed = updateInputs(plan, groups);
  const firstPart = (reducer?.rank ?? 0) * plan.micro;
  const passing = [backward, ...(sums ? [sums] : []), ...(accumulate ? [accumulate] : [])];
  /** What never changes is written once. */
  const inputsOf = (p: Placement, constants: Inputs, values: Inputs = {}) => {
    const fresh = Object.entries(constants).filter(([name]) => !p.given.has(name));
    return checkInputs(p.plan, { ...Object.fromEntries(fresh), ...values }, false);
  };

  const checkWaiting = (wanted: boolean) => {
    if (isWaiting !== wanted) throw wanted ? nothingWaits(plan) : somethingWaits(plan);
  };

  const checked = (inputs: readonly Inputs[]) => {
    checkMicro(plan, inputs.length);
    return inputs.map((one): MicroInputs => {
      const isDouble = backward.device.doubles === true;
      const ofSums = chosen(one, (name) => takes(plan.sums, name));
      // What no plan takes is refused here.
      const ofBackward = chosen(
        one,
        (name) => takes(plan.backward, name) || !takes(plan.sums, name),
      );
      const values = checkInputs(plan.backward, ofBackward, isDouble);
      const more = plan.sums ? checkInputs(plan.sums, ofSums, isDouble) : [];
      checkComplete(plan.backward, one, own);
      if (plan.sums) checkComplete(plan.sums, one, own);
      checkTargets(plan.targets, [...plan.backward.inputs, ...(plan.sums?.inputs ?? [])], one);
      return { backward: values, sums: more };
    });
  };

  /** Noise is drawn from the seed, the step and the part of it. */
  const keyFor = (placement: Placement, part: number) =>
    takes(placement.plan, "key") ? inputsOf(placement, {}, { key: [seed >>> 0, step, part] }) : [];

  /** Adds up what losses divide by, over the micro-steps and the ranks. */
  async function submitSums(
    { device }: Placement,
    micro: readonly MicroInputs[],
    signal: AbortSignal | undefined,
  ): Promise<Submitted[]> {
    const submitted: Submitted[] = [];
    for (const [i, inputs] of micro.entries()) {
      const before = inputsOf(sums!, {}, { [sumsBefore]: [Math.min(1, i)] });
      const all = [...inputs.sums, ...before, ...keyFor(sums!, firstPart + i)];
      submitted.push(await submit(sums!, all, signal));
    }
    if (!reducer) return submitted;
    for (const { name, bytes } of plan.sums!.states) {
      if (!isWholeSum(name)) continue;
      const buffer = stateOf(trained, name);
      const values = (await device.read(
        buffer,
        0,
        elementsIn("f32", bytes),
        "f32",
      )) as Float32Array<ArrayBuffer>;
      await reducer.allReduce(values);
      await device.write(buffer, 0, values);
    }
    return submitted;
  }

  /**
   * Submits the passes of each micro-step; nothing is awaited that the device computes, unless there are other ranks.
   * The losses come once the device has done it.
   */
  async function submitPasses(micro: readonly MicroInputs[], signal: AbortSignal | undefined) {
    const submitted: Submitted[] = sums ? await submitSums(sums, micro, signal) : [];
    const losses: Promise<LossReport>[] = [];
    for (const [i, inputs] of micro.entries()) {
      const all = [...inputs.backward, ...keyFor(backward, firstPart + i)];
      submitted.push(await submit(backward, all, signal));
      losses.push(readLosses());
      // Whoever waits for the step hears of it.
      losses.at(-1)!.catch(() => {});
      if (accumulate) {
        const { chunk_tensor } = fixed;
        submitted.push(await submit(accumulate, inputsOf(accumulate, { chunk_tensor }), signal));
      }
    }
    isWaiting = true;
    const accepted = Promise.all(submitted.map((one) => one.accepted));
    accepted.catch(() => {});
    const mean = Promise.all(losses).then((all) => meanOf(plan.terms, all));
    return { accepted, losses: reducer ? overRanks(await mean, reducer) : mean };
  }

  /** Averages gradients and losses. */
  async function overRanks(own: LossReport, ranks: Reducer): Promise<LossReport> {
    const packed = await readPacked(trained);
    await meanOverRanks(packed, ranks);
    await writePacked(trained, packed);
    const losses = Float32Array.from([own.loss, ...Object.values(own.terms)]);
    await meanOverRanks(losses, ranks);
    const terms = plan.terms.map((name, i) => [name, losses[i + 1]!]);
    return { loss: losses[0]!, terms: Object.fromEntries(terms) };
  }

  /** The rate of this step. A schedule is asked once for each step, before anything is submitted. */
  const nextRate = () => checkRate(rateOf(step), `the rate of step ${step}`);

  /** Submits the update; the report comes once the device has done it. */
  async function submitUpdate(rate: number, signal: AbortSignal | undefined) {
    const number = step;
    const rates = groups.map((g) => g.rate * rate);
    const { accepted } = await submit(update, inputsOf(update, fixed, { rates }), signal);
    step++;
    isWaiting = false;
    const outcome = readTensors(update, findOutputs(plan.update, ["norm", "broken"]));
    const report = outcome.then((found) => updateOf(plan, number, rate, found));
    return { accepted, report };
  }

  const readLosses = () =>
    readTensors(backward, findOutputs(plan.backward, lossesOf(plan))).then((found) =>
      reportOf(plan.terms, found),
    );

  return {
    count: () => step,
    progress: () => ({ step }),
    checkWaiting,
    prepare(inputs) {
      const micro = checked(inputs);
      return async (turn) => {
        checkWaiting(false);
        const rate = nextRate();
        await keepStep([...passing, update], turn);
        const passed = await submitPasses(micro, turn.signal);
        if (reducer) await passed.losses;
        const { accepted, report } = await submitUpdate(rate, turn.signal);
        // Both are copied before the next step is submitted.
        const reports = Promise.all([passed.losses, report]);
        turn.leave();
        await turn.wait(Promise.all([reports, accepted, passed.accepted]));
        const [losses, updated] = await reports;
        return { ...updated, ...losses };
      };
    },
    prepareGradients(inputs) {
      const micro = checked(inputs);
      return async (turn) => {
        checkWaiting(false);
        await keepStep(passing, turn);
        const { accepted, losses } = await submitPasses(micro, turn.signal);
        if (reducer) await losses;
        turn.leave();
        await turn.wait(Promise.all([losses, accepted]));
        return losses;
      };
    },
    async update(turn) {
      checkWaiting(true);
      const rate = nextRate();
      await keepStep([update], turn);
      const { accepted, report } = await submitUpdate(rate, turn.signal);
      turn.leave();
      await turn.wait(Promise.all([report, accepted]));
      return report;
    },
  };

  /** Copies what passes change, if they may be aborted. */
  function keepStep(all: readonly Placement[], turn: Turn): Promise<void> {
    const before = { step, isWaiting };
    return keep(
      all,
      all.flatMap((p) => p.plan.inputs),
      turn,
      () => {
        ({ step, isWaiting } = before);
      },
    );
  }
}

/** The inputs of each micro-step, then options or none. */
export type StepArguments = readonly Inputs[] | readonly [...Inputs[], CallOptions];

/** Options are known by their signal, which no inputs have: inputs are lists of numbers. */
export function stepArguments(given: StepArguments) {
  const last = given.at(-1) as CallOptions | undefined;
  const isOptions = typeof last?.signal?.aborted === "boolean";
  return {
    inputs: (isOptions ? given.slice(0, -1) : given) as readonly Inputs[],
    options: isOptions ? last : undefined,
  };
}

/** @throws E720 for what is no number from 0 up that 32 bits hold: it would destroy every parameter. */
export function checkRate(rate: number, what: string): number {
  if (typeof rate === "number" && rate >= 0 && Number.isFinite(Math.fround(rate))) return rate;
  throw diagnose("E720", {
    message: `${what} is ${String(rate)}`,
    help: "give a number from 0 up, such as 1e-4",
  });
}

/** A forward pass: all inputs are given, so that none is that of another batch. */
export function prepareForward(
  placement: Placement,
  inputs: Inputs,
  names: readonly string[] | undefined,
): (turn: Turn) => Promise<Results> {
  checkComplete(placement.plan, inputs, []);
  return prepareRun(placement, inputs, names);
}

/** The loss and its terms of inputs, and the plan's other outputs as metrics. */
export function prepareEvaluation(plan: TrainingPlan, placement: Placement, inputs: Inputs) {
  checkTargets(plan.targets, placement.plan.inputs, inputs);
  const run = prepareForward(placement, inputs, undefined);
  return async (turn: Turn) => {
    const found = await run(turn);
    const terms = namesAfter("term.", found);
    const metrics = namesAfter("metric.", found).map((name) => [name, found[`metric.${name}`]!]);
    return { ...reportOf(terms, found), metrics: Object.fromEntries(metrics) };
  };
}

const namesAfter = (prefix: string, results: Results): string[] =>
  Object.keys(results).flatMap((name) =>
    name.startsWith(prefix) ? [name.slice(prefix.length)] : [],
  );

const lossesOf = (plan: TrainingPlan) => ["loss", ...plan.terms.map((name) => `term.${name}`)];

/** The loss and its terms, as a plan returns them. */
export const reportOf = (terms: readonly string[], losses: Results): LossReport => ({
  loss: losses.loss![0]!,
  terms: Object.fromEntries(terms.map((name) => [name, losses[`term.${name}`]![0]!])),
});

/** The mean over the parts of a step. */
function meanOf(terms: readonly string[], parts: readonly LossReport[]): LossReport {
  const mean = (of: (part: LossReport) => number) =>
    parts.reduce((sum, part) => sum + of(part), 0) / parts.length;
  const each = terms.map((name) => [name, mean((part) => part.terms[name]!)]);
  return { loss: mean((part) => part.loss), terms: Object.fromEntries(each) };
}

/** What nobody gives: the step does. */
const own = ["key", sumsBefore];

const takes = (plan: Plan | undefined, name: string): boolean =>
  plan?.inputs.some((t) => t.name === name) ?? false;

const chosen = (given: Inputs, isChosen: (name: string) => boolean): Inputs =>
  Object.fromEntries(entriesOf("inputs", given).filter(([name]) => isChosen(name))) as Inputs;

function updateOf(plan: TrainingPlan, step: number, rate: number, outcome: Results): UpdateReport {
  const broken = outcome.broken![0]!;
  const vetoed = broken < 0 ? undefined : (plan.tensors[broken]?.name ?? "loss");
  return { step, norm: outcome.norm![0]!, rate, vetoed };
}

const nothingWaits = ({ name }: TrainingPlan) =>
  diagnose("E445", {
    message: `${name} has no gradients that an update could use`,
    help: "call gradients(inputs) before, or step(inputs), which does both",
  });

const somethingWaits = ({ name }: TrainingPlan) =>
  diagnose("E445", {
    message: `${name} has gradients that no update has used`,
    help: "call update() first",
  });

function checkMicro({ name, micro }: TrainingPlan, count: number): void {
  if (count === micro) return;
  throw diagnose("E420", {
    message: `a step of ${name} takes the inputs of ${micro} micro-steps, not of ${count}`,
    help: `step(${micro > 3 ? `inputs1, …, inputs${micro}` : ["inputs1", "inputs2", "inputs3"].slice(0, micro).join(", ")})`,
  });
}

/** Refuses inputs of which one is missing, `known` ones apart: that of another batch is never taken. */
function checkComplete({ name, inputs }: Plan, given: Inputs, known: readonly string[]): void {
  const isMissing = (input: string) => !known.includes(input) && !Object.hasOwn(given, input);
  const missing = inputs.map((t) => t.name).filter(isMissing);
  if (missing.length === 0) return;
  throw diagnose("E420", {
    message: `${name} needs all of its inputs each time; missing: ${missing.join(", ")}`,
    help: `give { ${inputs.map((t) => `${t.name}: ...`).join(", ")} }`,
  });
}

/** What the update plan knows of its tensors. */
function updateInputs({ tensors }: TrainingPlan, groups: readonly ParameterGroup[]) {
  const numbers = [...tensors.keys()].sort((a, b) => comparePlaces(tensors[a]!, tensors[b]!));
  const chunkTensor = numbers.flatMap((i) =>
    Array<number>(Math.ceil(tensors[i]!.bytes / 256)).fill(i),
  );
  return {
    chunk_tensor: Int32Array.from(chunkTensor),
    decays: Float32Array.from(groups, (g) => g.decay),
  };
}
