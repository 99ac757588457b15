/** Every kernel of a training step, from what the reference device had in memory before it. */
import type { Plan, PlanKernel, PlanStep } from "../../compiler/plan.ts";
import type { Profile } from "../../compiler/profile.ts";
import { bug } from "../../diagnostics/index.ts";
import type { FormatName } from "../../formats/index.ts";
import { createTrainingSession } from "../../runtime/index.ts";
import { plansOf } from "../../runtime/training/plan.ts";
import type { Case, CaseOutput } from "./cases.ts";
import { apart, type RecordedStep, recordingDevice } from "./recording.ts";
import { inputs, trainingPlan, weights } from "./sam.ts";

/** One case for each kernel of the second training step: the first has moved what begins as zeros. */
export async function stepCases(profile: Profile, tolerance: number): Promise<readonly Case[]> {
  const plans = new Map(plansOf(trainingPlan("cuda", profile)).map((p) => [p.name, p]));
  const wanted = new Map([...plans].map(([name, plan]) => [name, firstUses(plan)]));
  const seen: RecordedStep[] = [];
  let isSecond = false;
  const device = recordingDevice(
    (plan, step) => isSecond && wanted.get(plan)!.has(step),
    (step) => seen.push(step),
  );
  const session = await createTrainingSession(trainingPlan("reference", profile), device, {
    ...{ weights: weights(), rate: 1e-3, seed: 1 },
  });
  await session.step(inputs());
  isSecond = true;
  await session.step(inputs());
  await session.close();
  const cases: Case[] = [];
  for (const step of seen) cases.push(await caseOfStep(plans.get(step.plan)!, step, tolerance));
  return cases;
}

/** The first step of each kernel. */
function firstUses({ steps }: Plan): ReadonlySet<number> {
  const known = new Set<number>();
  return new Set(
    steps.flatMap(({ kernel }, i) => {
      if (known.has(kernel)) return [];
      known.add(kernel);
      return [i];
    }),
  );
}

async function caseOfStep(plan: Plan, recorded: RecordedStep, tolerance: number): Promise<Case> {
  const { number, before } = recorded;
  const step = plan.steps[number]!;
  const kernel = plan.kernels[step.kernel]!;
  const name = `${plan.name} step ${number}: ${kernel.name}`;
  checkApart(step, name);
  return {
    name,
    ...{ kernels: [kernel], commits: [] },
    steps: [{ ...apart(step), kernel: 0 }],
    buffers: step.bindings.map(({ bytes }, i) => ({
      bytes,
      ...(before[i] ? { holds: bytesOf(before[i]) } : {}),
    })),
    outputs: await outputsOf(kernel, recorded, name, tolerance),
  };
}

const bytesOf = ({ buffer }: Uint32Array) => new Uint8Array(buffer);

/**
 * Where a sum cancels, roundings are more than its tolerance: what the last bits of the operands change
 * is allowed too, several times.
 */
async function outputsOf(
  { params }: PlanKernel,
  { before, after, again }: RecordedStep,
  name: string,
  tolerance: number,
): Promise<readonly CaseOutput[]> {
  const moved = await again(before.map((words, i) => words && nudged(words, params[i]!.scalar)));
  return params.flatMap(({ scalar, writes }, i): CaseOutput[] => {
    if (!writes) return [];
    const words = after[i] ?? bug(`${name} leaves a part of parameter ${i} unwritten`);
    const place = { buffer: i, offset: 0 };
    if (scalar !== "f32") return [{ name: `parameter ${i}`, place, wanted: words, tolerance: 0 }];
    const [wanted, other] = [singles(words), singles(moved[i]!)];
    const largest = wanted.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    const change = wanted.reduce((most, v, j) => Math.max(most, Math.abs(v - other[j]!)), 0);
    const allowed = tolerance + (largest > 0 ? (8 * change) / largest : 0);
    return [{ name: `parameter ${i}`, place, wanted, tolerance: allowed }];
  });
}

const singles = ({ buffer }: Uint32Array) => new Float32Array(buffer as ArrayBuffer);

/** Singles with the last bit of every third one turned; other words as they are. */
const nudged = (words: Uint32Array<ArrayBuffer>, scalar: FormatName): Uint32Array<ArrayBuffer> =>
  scalar === "f32" ? words.map((w, i) => w ^ (w === 0 ? 0 : (i % 3) & 1)) : words;

/** Each binding becomes a buffer of its own. */
function checkApart({ bindings }: PlanStep, name: string): void {
  for (const [i, a] of bindings.entries())
    for (const b of bindings.slice(i + 1))
      if (a.buffer === b.buffer && a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes)
        bug(`two bindings of ${name} overlap`);
}
