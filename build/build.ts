/** Compiles a model ahead of time into modules that the runtime loads with the compiler absent. */
import { compileAsync } from "../compiler/compile.ts";
import type { Model } from "../compiler/graph/model.ts";
import type { Dims } from "../compiler/graph/sources.ts";
import type { Plan } from "../compiler/plan.ts";
import { defaultProfile, type Profile } from "../compiler/profile.ts";
import type { Precision } from "../compiler/storage/formats.ts";
import { noTuning } from "../compiler/tuning/tuning.ts";
import { diagnose } from "../diagnostics/index.ts";
import type { WeightFormat } from "../formats/index.ts";
import type { Progress } from "../runtime/devices/device.ts";
import { nativeTarget } from "../runtime/devices/native.ts";
import { openWeightsFile } from "../runtime/node/weights.ts";
import { needsWeights } from "../runtime/states.ts";
import type { TrainingPlan } from "../runtime/training/plan.ts";
import { checkWholeFile } from "../runtime/weights/adapted.ts";
import { type FloatDtype, fitNames, namedBy } from "../runtime/weights/index.ts";
import { readAdapters, type StoredAdapter } from "./bundle-adapters.ts";
import { checkFacts, type ProfileEntry, profileEntry, sameness } from "./bundle-content.ts";
import { checkFolder, writeBundleFolder } from "./bundle-folder.ts";
import { planWeights, weightsFiles, writeWeights } from "./bundle-weights.ts";
import { type LoadedModel, traceLoaded } from "./load-model.ts";
import { type Module, profileModule } from "./modules.ts";
import { librariesFor } from "./native-libraries.ts";
import type { BuildProfile } from "./profiles.ts";
import { standalone } from "./standalone.ts";
import { compiledTraining, partsOf, readBy } from "./training.ts";
import { trainingWrapper } from "./training-wrapper.ts";
import { generateWrapper } from "./wrapper.ts";

export interface BuildRequest {
  readonly loaded: LoadedModel;
  readonly out: string;
  readonly programs: readonly string[];
  readonly dims: Dims;
  /** In the order in which a device prefers them. One that is the same as another is left out. */
  readonly profiles: readonly BuildProfile[];
  /** `f32` unless given. */
  readonly precision?: Precision;
  /** Of frozen parameters; unless given the precision says. */
  readonly weightFormat?: WeightFormat | undefined;
  /** Whether the bundle is of the model's training: `programs` are then those that run between its steps. */
  readonly train?: boolean;
  /** The path of a checkpoint. */
  readonly weights?: string | undefined;
  /** The format that the file of weights has them in: `f32` unless given. */
  readonly dtype?: FloatDtype | undefined;
  /** Paths of adapters' files, whose base the weights are; the first is used unless another is asked for. */
  readonly adapters?: readonly string[];
  /** The most bytes that a file may have. */
  readonly split?: number | undefined;
  /** Whether the module carries the runtime, for pages without a bundler. */
  readonly standalone?: boolean;
  readonly onProgress: Progress;
  /** Stops compiling: nothing is written. */
  readonly signal?: AbortSignal | undefined;
}

export interface BuildReport {
  readonly out: string;
  readonly name: string;
  /** By profile and program. */
  readonly profiles: Readonly<Record<string, ProgramCounts>>;
  /** Every file but the weights, by path. */
  readonly files: readonly string[];
  /** Of those files. */
  readonly bytes: number;
  readonly weights: { readonly files: readonly string[]; readonly bytes: number } | null;
  /** Names of its adapters. */
  readonly adapters: readonly string[];
  /** Why kernels in C have no libraries beside them; null where they have, or are none. */
  readonly withoutLibraries: string | null;
}

type ProgramCounts = Readonly<Record<string, { readonly steps: number; readonly kernels: number }>>;

type Plans = ReadonlyMap<string, Plan>;

/**
 * Compiles the programs and writes the folder, all of it or nothing.
 * @throws E250 (programs that disagree about a state), E400 and E401 (a standalone module needs the package
 * esbuild), E435 and E436 (an adapter's file of other settings), E600 (the folder holds other files), E601 and E205
 * (weights), E242 (a weight beyond `dtype`), E621 (a `dtype` for a base of adapters), E602 (names), E618 (a module is longer than files may be), what tracing and compiling throw.
 */
export async function build(request: BuildRequest): Promise<BuildReport> {
  const { loaded, out, split, dtype, adapters: paths = [], onProgress } = request;
  const { name, facts } = loaded.model;
  if (facts !== undefined) checkFacts(name, facts);
  // Before minutes of work, not after them.
  if (dtype !== undefined && paths.length > 0) throw otherBase(dtype);
  await checkFolder(out);
  const compiled = await compileProfiles(request);
  const plans = compiled.flatMap((one) => [...one.plans.values()]);
  const trainings = compiled.flatMap(({ training }) => training ?? []);
  const weights =
    request.weights === undefined
      ? undefined
      : fitNames(
          namedBy(await openWeightsFile(request.weights), loaded.model.tensorNames),
          [
            ...plans.flatMap((plan) => plan.parameters),
            ...trainings.flatMap(({ frozen, tensors }) => [...frozen, ...tensors]),
          ].map(({ name }) => name),
        );
  try {
    if (weights && paths.length === 0) for (const plan of plans) checkWholeFile(plan, weights);
    const adapters = weights ? await readAdapters(paths, plans, weights) : [];
    const isElsewhere = (name: string) => adapters.length > 0 && !weights?.tensors.has(name);
    const read = weights && trainings.map((training) => readBy(training, weights));
    const reading = read && read.length > 0 ? read : plans;
    const stored = weights && (await planWeights(weights, reading, onProgress, isElsewhere, dtype));
    const written = stored && {
      files: weightsFiles(stored, split),
      bytes: stored.totalBytes,
      checksum: stored.checksum!,
    };
    const libraries = await librariesOf(compiled);
    const modules = await modulesOf(request, compiled, {
      weights: written,
      adapters,
      hasLibraries: libraries.files.size > 0,
    });
    const { opened } = modules;
    const files = new Map<string, string | Uint8Array>([
      ...libraries.files,
      ...adapters.map(({ files: [file], content }) => [file!, content] as const),
      ...modules.files,
    ]);
    checkSizes(files, split);
    const content = { files, opened, more: written?.files ?? [] };
    await writeBundleFolder(out, content, async (folder) => {
      if (stored) await writeWeights(folder, weights, stored, request, onProgress);
    });
    const report = describe(request, compiled, files, written ?? null);
    const names = adapters.map(({ name }) => name);
    return { ...report, adapters: names, withoutLibraries: libraries.without ?? null };
  } finally {
    await weights?.close();
  }
}

/** What lies beside the modules. */
interface Beside {
  readonly weights: { files: readonly string[]; bytes: number; checksum: string } | undefined;
  readonly adapters: readonly StoredAdapter[];
  readonly hasLibraries: boolean;
}

/** Every module and the types, by name. What people open comes last of all. */
async function modulesOf(
  { loaded, ...request }: BuildRequest,
  compiled: readonly Compiled[],
  { weights, adapters, hasLibraries }: Beside,
) {
  const { name, doc, facts, bundle } = loaded.model;
  const all = compiled.flatMap(({ plans }) => [...plans.values()]);
  const { plans, training } = compiled[0]!;
  const wrapper = training
    ? trainingWrapper({ name, training, weights: weights ? "given" : "brought" })
    : generateWrapper({
        ...{ name, doc, plans, loader: bundle?.loader, hasLibraries },
        adapters: adapters.map((one) => one.name),
        weights: weights || !all.some(needsWeights) ? "given" : "brought",
      });
  const profiles = compiled.map(({ entry: { content: _, ...entry }, module: { file } }) => ({
    ...entry,
    file,
  }));
  const described = adapters.map(({ content: _, ...adapter }) => adapter);
  const text = wrapper.module({ name, facts, profiles, weights, adapters: described });
  const modules: readonly Module[] = request.standalone
    ? await standalone({ name, text, trains: training !== undefined, from: loaded.file })
    : [{ file: `${name}.mjs`, text }];
  const types = `${name}.d.mts`;
  const files = new Map([
    ...[...compiled.map((one) => one.module), ...modules].map(
      ({ file, text }) => [file, text] as const,
    ),
    [types, wrapper.declarations],
  ]);
  return { files, opened: [types, `${name}.mjs`] };
}

/** Errors: E618. */
const otherBase = (dtype: FloatDtype) =>
  diagnose("E621", {
    message: `the base would be rounded to ${dtype}, and its adapters were trained on it as it was`,
    help: "leave --dtype out, or store the base in fewer bits on the device alone: --weight-format",
  });

function checkSizes(files: ReadonlyMap<string, string | Uint8Array>, split = Infinity): void {
  for (const [file, content] of files) {
    const bytes = Buffer.byteLength(content);
    if (bytes > split)
      throw diagnose("E618", {
        message: `${file} has ${bytes} bytes, more than the ${split} that a file may have`,
        help: "weights alone can be cut: give --split more, or build fewer programs with --program",
      });
  }
}

export interface WantedPlan {
  /** What it is called in the bundle. */
  readonly as: string;
  readonly program: string;
  readonly dims: Dims;
}

/** A program, once for each of the sizes that the model's bundle has it in. */
export function plansOf({ bundle }: Model, program: string, given: Dims): readonly WantedPlan[] {
  let wanted: readonly WantedPlan[] = [{ as: program, program, dims: given }];
  for (const [dim, all] of Object.entries(bundle?.sizes?.[program] ?? {})) {
    const sizes = given[dim] === undefined ? all : [given[dim]];
    wanted = wanted.flatMap(({ as, dims }) =>
      sizes.map((size) => ({ as: `${as}-${size}`, program, dims: { ...dims, [dim]: size } })),
    );
  }
  return wanted;
}

/** Of the profile of kernels in C, if there is one. */
async function librariesOf(compiled: readonly Compiled[]) {
  const native = compiled.find(({ entry }) => entry.target === nativeTarget);
  return librariesFor([...(native?.plans.values() ?? [])], native?.profile ?? defaultProfile);
}

interface Compiled {
  readonly profile: Profile;
  readonly plans: Plans;
  readonly training: TrainingPlan | undefined;
  readonly same: string;
  readonly entry: ProfileEntry;
  readonly module: Module;
}

/** A profile whose plans are those of one before it is left out: whatever runs it runs the other. */
async function compileProfiles(request: BuildRequest): Promise<readonly Compiled[]> {
  const { loaded, programs, dims, profiles, onProgress } = request;
  const wanted = request.train
    ? []
    : programs.flatMap((program) => plansOf(loaded.model, program, dims));
  const compiled: Compiled[] = [];
  let done = 0;
  const count = (request.train ? 1 : wanted.length) * profiles.length;
  const report = () => onProgress(++done, count, "programs");
  // From the last on: of two that are equal the one stays that asks for less.
  for (const one of profiles.toReversed()) {
    const training = request.train ? await compiledTraining(request, one) : undefined;
    if (training) report();
    const plans = training
      ? partsOf(training)
      : await compilePrograms(request, wanted, one, report);
    const own = { name: one.name, software: one.software, plans, training };
    const same = sameness(own);
    if (compiled.some((other) => other.same === same)) continue;
    const entry = profileEntry(own);
    compiled.unshift({
      profile: one.profile,
      plans,
      training,
      same,
      entry,
      module: profileModule(loaded.model.name, entry),
    });
  }
  return compiled;
}

export async function compilePrograms(
  request: Pick<BuildRequest, "loaded" | "precision" | "weightFormat" | "signal">,
  wanted: readonly WantedPlan[],
  { target, profile, tuning = noTuning }: BuildProfile,
  report: () => void,
): Promise<Plans> {
  const { loaded, precision = "f32", weightFormat, signal } = request;
  const plans = new Map<string, Plan>();
  for (const { as, program, dims } of wanted) {
    const graph = traceLoaded(loaded, program, dims);
    const name = `${loaded.model.name}.${as}`;
    const options = { name, target, profile, tuning, signal, precision, weightFormat };
    plans.set(as, await compileAsync(graph, options));
    report();
  }
  return plans;
}

function describe(
  { loaded, out }: BuildRequest,
  compiled: readonly Compiled[],
  files: ReadonlyMap<string, string | Uint8Array>,
  weights: BuildReport["weights"],
): Omit<BuildReport, "adapters" | "withoutLibraries"> {
  const counts = ({ steps, kernels }: Plan) => ({ steps: steps.length, kernels: kernels.length });
  const programs = (plans: Plans) =>
    Object.fromEntries([...plans].map(([program, plan]) => [program, counts(plan)]));
  return {
    out,
    name: loaded.model.name,
    profiles: Object.fromEntries(compiled.map(({ entry, plans }) => [entry.name, programs(plans)])),
    files: [...files.keys()].sort(),
    bytes: [...files.values()].reduce((sum, content) => sum + Buffer.byteLength(content), 0),
    weights: weights && { files: weights.files, bytes: weights.bytes },
  };
}
