/** Steps of training: the passes of each micro-step, then the update, submitted together. */
import type { Plan } from "../../compiler/plan.ts";
import { bug, diagnose } from "../../diagnostics/index.ts";
import type { Turn } from "../calls.ts";
import type { Submitted } from "../devices/device.ts";
import { type CheckedInput, checkInputs, type Inputs } from "../inputs.ts";
import type { Placement } from "../placement.ts";
import { findOutputs, keep, prepareRun, type Results, readTensors, submit } from "../runs.ts";
import type { Progress } from "./checkpoint.ts";
import type { Trained } from "./files.ts";
import { comparePlaces, type ParameterGroup, type TrainingPlan } from "./plan.ts";
import { checkTargets } from "./targets.ts";

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

/** The plans of a step, in place. */
interface StepPlacements {
  readonly backward: Placement;
  readonly accumulate: Placement | undefined;
  readonly update: Placement;
}

export interface Steps {
  /** Steps that were submitted. */
  count(): number;
  progress(): Progress;
  /** Checks and copies the inputs of each micro-step; what is returned takes the step, in a turn. */
  prepare(inputs: readonly Inputs[]): (turn: Turn) => Promise<StepReport>;
}

export function createSteps(
  trained: Trained,
  { backward, accumulate, update }: StepPlacements,
  begun: Progress,
  rateOf: (step: number) => number,
): Steps {
  const { plan, seed } = trained;
  let { step, passes } = begun;
  const groups = plan.tensors.map((t) => plan.groups[t.group] ?? bug(`no group ${t.group}`));
  const fixed = updateInputs(plan, groups);
  const isKeyed = plan.backward.inputs.some((t) => t.name === "key");
  const placements = [backward, ...(accumulate ? [accumulate] : []), update];
  /** What never changes is written once. */
  const inputsOf = (p: Placement, constants: Inputs, values: Inputs = {}) => {
    const fresh = Object.entries(constants).filter(([name]) => !p.given.has(name));
    return checkInputs(p.plan, { ...Object.fromEntries(fresh), ...values }, false);
  };

  /** Submits all of a step; nothing is awaited that the device computes. */
  async function submitStep(
    micro: readonly (readonly CheckedInput[])[],
    updating: readonly CheckedInput[],
    signal: AbortSignal | undefined,
  ): Promise<Promise<void>[]> {
    const submitted: Submitted[] = [];
    for (const inputs of micro) {
      const key = isKeyed ? inputsOf(backward, {}, { key: [seed >>> 0, passes] }) : [];
      submitted.push(await submit(backward, [...inputs, ...key], signal));
      if (accumulate) {
        const { chunk_tensor } = fixed;
        submitted.push(await submit(accumulate, inputsOf(accumulate, { chunk_tensor }), signal));
      }
      passes++;
    }
    submitted.push(await submit(update, updating, signal));
    step++;
    return submitted.map(({ accepted }) => accepted);
  }

  return {
    count: () => step,
    progress: () => ({ step, passes }),
    prepare(inputs) {
      checkMicro(plan, inputs.length);
      const micro = inputs.map((one) => {
        const checked = checkInputs(plan.backward, one, backward.device.doubles === true);
        checkComplete(plan.backward, one, isKeyed ? ["key"] : []);
        checkTargets(plan.targets, plan.backward.inputs, one);
        return checked;
      });
      return async (turn) => {
        const number = step;
        const rate = checkRate(rateOf(step), `the rate of step ${step}`);
        const rates = groups.map((g) => g.rate * rate);
        const updating = inputsOf(update, fixed, { rates });
        await keepStep(turn);
        const accepted = await submitStep(micro, updating, turn.signal);
        // Both are copied before the next step is submitted.
        const outcomes = Promise.all([
          readTensors(backward, findOutputs(plan.backward, lossesOf(plan))),
          readTensors(update, findOutputs(plan.update, ["norm", "broken"])),
        ]);
        turn.leave();
        await turn.wait(Promise.all([outcomes, ...accepted]));
        return reportOf(plan, number, rate, ...(await outcomes));
      };
    },
  };

  /** Copies what a step changes, if it may be aborted. */
  function keepStep(turn: Turn): Promise<void> {
    const before = { step, passes };
    return keep(
      placements,
      placements.flatMap((p) => p.plan.inputs),
      turn,
      () => {
        ({ step, passes } = before);
      },
    );
  }
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

const lossesOf = (plan: TrainingPlan) => ["loss", ...plan.terms.map((name) => `term.${name}`)];

function reportOf(
  plan: TrainingPlan,
  step: number,
  rate: number,
  losses: Results,
  outcome: Results,
): StepReport {
  const broken = outcome.broken![0]!;
  return {
    step,
    loss: losses.loss![0]!,
    terms: Object.fromEntries(plan.terms.map((name) => [name, losses[`term.${name}`]![0]!])),
    norm: outcome.norm![0]!,
    rate,
    vetoed: broken < 0 ? undefined : (plan.tensors[broken]?.name ?? "loss"),
  };
}

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
