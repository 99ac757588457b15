/** What a bundle holds of its plans: modules of profiles, and what the wrapper says of each. Everything in a fixed order. */
import { isDeepStrictEqual } from "node:util";
import type { KernelSource, Plan } from "../compiler/plan.ts";
import { diagnose } from "../diagnostics/index.ts";
import { type BundleProfile, contentHash, type ProfileContent } from "../runtime/bundle/bundle.ts";
import { type Needs, needsOf } from "../runtime/devices/fits.ts";
import { type TrainingPlan, withPlans } from "../runtime/training/plan.ts";
import { bySimilarity } from "./similar.ts";

/** The programs of a model for one kind of device: all for one target and one profile. */
export interface CompiledProfile {
  readonly name: string;
  /** By program. */
  readonly plans: ReadonlyMap<string, Plan>;
  /** Of the bundle of a training: what the plans are parts of. */
  readonly training?: TrainingPlan | undefined;
  /** Made for software devices, or for all others; undefined: for any. */
  readonly software?: boolean | undefined;
}

/** A profile as it is written: what the wrapper says of it, and what its module holds. */
export interface ProfileEntry extends Omit<BundleProfile, "load"> {
  readonly content: ProfileContent;
}

/** The same for profiles whose plans differ in nothing but the profile's name. */
export const sameness = ({ plans, training }: CompiledProfile): string => {
  const nameless = (plan: Plan) => ({ ...plan, profile: "" });
  const all = new Map([...plans].map(([name, plan]) => [name, nameless(plan)]));
  return contentHash(contentOf(all, training && withPlans(training, nameless)));
};

/** Plans and kernels, each kernel once, whichever programs share it. The same plans give the same bytes. */
export function profileEntry({ name, plans, training, software }: CompiledProfile): ProfileEntry {
  const content = contentOf(plans, training);
  const [{ target }] = [...plans.values()] as [Plan];
  const own: Needs = {
    ...needsOfPlans([...plans.values()]),
    ...(software === undefined ? {} : { software }),
  };
  return { name, target, needs: own, hash: contentHash(content), content };
}

function contentOf(
  plans: ReadonlyMap<string, Plan>,
  training: TrainingPlan | undefined,
): ProfileContent {
  const sources = [...plans.values()].flatMap(({ kernels }) => kernels.map((one) => one.source));
  const texts = bySimilarity(unique(sources.filter((source) => typeof source === "string")));
  const bytes = unique(sources.filter((source) => typeof source !== "string").map(asText));
  const kernels = [...texts, ...bytes.sort((a, b) => a.length - b.length)];
  const numbers = new Map(kernels.map((text, i) => [text, i]));
  const placed = (source: KernelSource) =>
    typeof source === "string"
      ? { text: numbers.get(source) }
      : { bytes: numbers.get(asText(source)) };
  const numbered = (plan: Plan) => {
    const own = plan.kernels.map(({ source, ...kernel }) => ({ ...kernel, ...placed(source) }));
    return { ...plan, kernels: own as unknown as Plan["kernels"] };
  };
  const whole = training
    ? withPlans(training, numbered)
    : Object.fromEntries([...plans].map(([program, plan]) => [program, numbered(plan)]));
  return { plans: JSON.stringify(whole), kernels };
}

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];

/** A character for each byte: compressed, that is three quarters of base64. */
const asText = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

function needsOfPlans(plans: readonly Plan[]): Needs {
  const kernels = needsOf(plans.flatMap((plan) => plan.kernels));
  const steps = plans.flatMap((plan) => plan.steps);
  const offsets = steps.flatMap(({ bindings }) => bindings.map(({ offset }) => offset));
  return {
    ...kernels,
    bufferBytes: Math.max(0, ...plans.flatMap(({ buffers }) => buffers.map(({ bytes }) => bytes))),
    groups: Math.max(0, ...steps.flatMap(({ groups }) => groups)),
    // No device asks for more than 4096 bytes.
    alignment: offsets.reduce(commonDivisor, 4096),
  };
}

const commonDivisor = (a: number, b: number): number => (b === 0 ? a : commonDivisor(b, a % b));

/** JSON drops functions and turns NaN into null, without a word. Errors: E602. */
export function checkFacts(name: string, facts: object): void {
  const lost = Object.entries(facts).filter(([, fact]) => {
    const text: string | undefined = JSON.stringify(fact);
    return text === undefined || !isDeepStrictEqual(JSON.parse(text), fact);
  });
  if (lost.length === 0) return;
  throw diagnose("E602", {
    message: `facts of the model ${name} are not JSON: ${lost.map(([key]) => key).join(", ")}`,
    help: "give strings, finite numbers, booleans, null, and lists and plain objects of them",
  });
}
