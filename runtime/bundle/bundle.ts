/**
 * Bundles: models compiled ahead of time by `inarch build`, as modules that any bundler carries.
 *
 *     MODEL.mjs  MODEL.d.mts  MODEL-PROFILE-HASH.mjs…  weights-HASH.safetensors
 *
 * `MODEL.mjs` exports `load` and the `bundle` itself. Each profile has a module of plans and kernels, which is
 * imported when it is wanted: a device takes one of them. The bundle has a hash of what each module holds, and
 * of the weights' header, which has one of every tensor: that of a tensor is checked as it is read.
 */
import type { Plan, PlanKernel, TargetName } from "../../compiler/plan.ts";
import { diagnose } from "../../diagnostics/index.ts";
import { checkOptions, shown } from "../../diagnostics/options.ts";
import { abortable } from "../calls.ts";
import { trust } from "../checked.ts";
import { asDevice } from "../devices/any.ts";
import type { Device } from "../devices/device.ts";
import type { Needs } from "../devices/fits.ts";
import { late } from "../late.ts";
import { type TrainingPlan, withPlans } from "../training/plan.ts";
import { hashOf } from "../weights/hash.ts";
import { isRecord } from "../weights/json.ts";
import type { Weights } from "../weights/weights.ts";
import { chooseProfile } from "./choose.ts";
import { notBuilt, openOwnWeights } from "./weights.ts";

/** The version of what generated modules hold. A runtime refuses others. */
export const bundleFormat = 5;
/** The same of those of a training. */
export const trainingBundleFormat = "training 5";

/** What a generated module exports as `bundle`. */
export interface Bundle {
  readonly format: typeof bundleFormat | typeof trainingBundleFormat;
  /** The model's name. */
  readonly name: string;
  /** What host-side code of the model needs, as the model gave it. */
  readonly facts?: Readonly<Record<string, unknown>>;
  /** In the order in which they are preferred. */
  readonly profiles: readonly BundleProfile[];
  readonly weights?: BundleWeights;
  /** Files of adapters, of which the first is used unless another is asked for; the weights are their base. */
  readonly adapters?: readonly BundleAdapter[];
}

/** A bundle; or the model that an app imports, in whose place the plugins of bundlers put its bundle. */
export type BundleSource = Bundle | { readonly name: string; readonly programs: object };

/** The programs of a model, compiled for one kind of device. */
export interface BundleProfile {
  readonly name: string;
  readonly target: TargetName;
  /** What a device must have. */
  readonly needs: Needs;
  /** Of what its module holds. */
  readonly hash: string;
  readonly load: () => Promise<ProfileContent>;
}

/** What the module of a profile exports. */
export interface ProfileContent {
  /**
   * JSON: the plans by program, or a training plan. In place of a kernel's source there is the number of one: `text` in `kernels`
   * as it is, or `bytes` there with a character for each.
   */
  readonly plans: string;
  readonly kernels: readonly string[];
}

/** A safetensors file. `checksum` is that of the file, which has the hash of each tensor. */
export interface BundleWeights {
  readonly bytes: number;
  readonly checksum: string;
  /** The names that it was written under: one, or its pieces in order. */
  readonly files: readonly string[];
  /** Where they are, wherever a bundler has put them. */
  readonly urls: () => readonly URL[];
}

export interface BundleAdapter extends BundleWeights {
  readonly name: string;
}

/** What is open of a bundle, whatever it holds. */
interface Opened {
  readonly bundle: Bundle;
  /** The name of the profile that was chosen. */
  readonly profile: string;
  /**
   * Opens the bundle's own weights; close them when they are uploaded. Errors: E615, E613, E614 for
   * another file, E461 for a changed one: of a tensor when it is read.
   */
  openWeights(): Promise<Weights>;
}

/** A bundle with the programs for one device. */
export interface OpenedBundle extends Opened {
  /** By program, whole: with their kernels' text or bytes. */
  readonly plans: Readonly<Record<string, Plan>>;
}

/** A bundle with the training for one device. */
export interface OpenedTraining extends Opened {
  readonly plan: TrainingPlan;
}

export interface OpenBundleOptions {
  /** The folder with the files of weights, if a bundler has moved the module away from them. */
  readonly url?: string | URL | undefined;
  /** Stops opening: the promise rejects with its reason at once. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a bundle of programs for a device: chooses a profile, imports its module and checks what it holds. Weights
 * are left for `openWeights`.
 * @throws E610 for what is no bundle, E612 for one of another format, E616 where no profile is for the device,
 * E613 when a module is missing, E614 when one is not what was built, E421 and E516 for a plan that is of
 * another format or none.
 */
export async function openBundle(
  source: BundleSource,
  device: Device | GPUDevice,
  options?: OpenBundleOptions,
): Promise<OpenedBundle> {
  const { made, whole, ...opened } = await openAny(source, device, bundleFormat, options);
  const plans = made as Record<string, Plan>;
  for (const program in plans) plans[program] = whole(plans[program]!);
  return { ...opened, plans };
}

/** Opens the bundle of a training; the errors are those of `openBundle`. */
export async function openTrainingBundle(
  source: BundleSource,
  device: Device | GPUDevice,
  options?: OpenBundleOptions,
): Promise<OpenedTraining> {
  const { made, whole, ...opened } = await openAny(source, device, trainingBundleFormat, options);
  return { ...opened, plan: withPlans(made as TrainingPlan, whole) };
}

async function openAny(
  source: BundleSource,
  device: Device | GPUDevice,
  format: Bundle["format"],
  options: OpenBundleOptions = {},
) {
  checkOptions<OpenBundleOptions>("openBundle", options, { url: true, signal: true });
  const { url, signal } = options;
  signal?.throwIfAborted();
  const bundle = checkBundle(source, format);
  const profile = chooseProfile(bundle, asDevice(device));
  const { plans, kernels } = await abortable(contentOf(bundle, profile), signal);
  return {
    bundle,
    profile: profile.name,
    openWeights: () => openOwnWeights(bundle, url, signal),
    // The hash says that the compiler made them so.
    made: JSON.parse(plans) as unknown,
    whole: (plan: Plan) => trust(withSources(plan as unknown as BundledPlan, kernels)),
  };
}

function checkBundle(value: BundleSource, wanted: Bundle["format"]): Bundle {
  const { format, name, profiles, programs }: Record<string, unknown> = isRecord(value)
    ? value
    : {};
  if (!format || !Array.isArray(profiles))
    throw diagnose("E610", {
      message: `what is given as a bundle is ${shown(value)}`,
      help: programs
        ? "compile it: with inarch build, or the plugin inarch/vite or inarch/esbuild"
        : 'import { load } from "./MODEL.mjs", which inarch build wrote',
    });
  if (format !== wanted)
    throw diagnose("E612", {
      message: `the bundle of ${name} has format ${format}, not ${wanted}`,
      help: "build it again with this version of inarch; --train is for trainBundle",
    });
  return value as Bundle;
}

async function contentOf({ name }: Bundle, profile: BundleProfile) {
  const where = `the bundle of ${name}, profile ${profile.name}`;
  const content = await late(profile.load(), where);
  const actual = contentHash(content);
  if (actual !== profile.hash)
    throw notBuilt("kernels", `their hash is ${actual}, the bundle says ${profile.hash}`, where);
  return content;
}

/** The hash of what a module holds, however a bundler has written it. */
export const contentHash = ({ plans, kernels }: ProfileContent): string =>
  hashOf(new TextEncoder().encode([plans, ...kernels].join("\0")));

interface BundledPlan extends Omit<Plan, "kernels"> {
  readonly kernels: readonly (Omit<PlanKernel, "source"> & {
    readonly text?: number;
    readonly bytes?: number;
  })[];
}

function withSources(plan: BundledPlan, texts: readonly string[]): Plan {
  const kernels = plan.kernels.map(({ text, bytes, ...rest }) => {
    const coded = texts[bytes!];
    const own = coded && Uint8Array.from(coded, (character) => character.charCodeAt(0));
    return { ...rest, source: own || texts[text!]! };
  });
  return { ...plan, kernels };
}
