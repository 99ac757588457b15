/** Compiles a model ahead of time into a folder that the runtime loads with the compiler absent. */
import { compileAsync } from "../compiler/compile.ts";
import type { Model } from "../compiler/graph/model.ts";
import type { Dims } from "../compiler/graph/sources.ts";
import type { Plan } from "../compiler/plan.ts";
import type { Profile } from "../compiler/profile.ts";
import type { Precision } from "../compiler/storage/formats.ts";
import { noTuning, type Tuning } from "../compiler/tuning/tuning.ts";
import type { WeightFormat } from "../formats/index.ts";
import type { Progress } from "../runtime/devices/device.ts";
import { openWeightsFile } from "../runtime/node/weights.ts";
import { needsWeights } from "../runtime/states.ts";
import { checkWholeFile } from "../runtime/weights/adapted.ts";
import { fitNames, namedBy } from "../runtime/weights/index.ts";
import { bundleFiles } from "./bundle-files.ts";
import { checkFolder, writeBundleFolder } from "./bundle-folder.ts";
import { planWeights, weightsFile, writeWeights } from "./bundle-weights.ts";
import { type LoadedModel, traceLoaded } from "./load-model.ts";
import { librariesFor } from "./native-libraries.ts";
import { generateWrapper } from "./wrapper.ts";

export interface BuildRequest {
  readonly loaded: LoadedModel;
  readonly out: string;
  readonly programs: readonly string[];
  readonly dims: Dims;
  /** What kernels are printed as; the default target's unless given. */
  readonly target?: string;
  readonly profile: Profile;
  /** `f32` unless given. */
  readonly precision?: Precision;
  /** Of frozen parameters; unless given the precision says. */
  readonly weightFormat?: WeightFormat | undefined;
  /** Tiles that were measured; those of the model unless given. */
  readonly tuning?: Tuning;
  /** The path of a checkpoint. */
  readonly weights?: string | undefined;
  readonly onProgress: Progress;
  /** Stops compiling: nothing is written. */
  readonly signal?: AbortSignal | undefined;
}

export interface BuildReport {
  readonly out: string;
  readonly name: string;
  readonly programs: Readonly<Record<string, { readonly steps: number; readonly kernels: number }>>;
  /** Every file but the weights, by path. */
  readonly files: readonly string[];
  /** Of those files. */
  readonly bytes: number;
  readonly weights: { readonly file: string; readonly bytes: number } | null;
  /** Why kernels in C have no libraries beside them; null where they have, or are none. */
  readonly withoutLibraries: string | null;
}

/**
 * Compiles the programs and writes the folder, all of it or nothing.
 * @throws E250 (programs that disagree about a state), E435 and E436 (an adapter's file of other settings), E600 (the folder holds other files), E601 and E205 (weights), E602 (names), what tracing
 * and compiling throw.
 */
export async function build(request: BuildRequest): Promise<BuildReport> {
  const { loaded, out, onProgress } = request;
  const { name, doc, facts } = loaded.model;
  // Before minutes of work, not after them.
  await checkFolder(out);
  const plans = await compilePrograms(request);
  const weights =
    request.weights === undefined
      ? undefined
      : fitNames(
          namedBy(await openWeightsFile(request.weights), loaded.model.tensorNames),
          [...plans.values()].flatMap((plan) => plan.parameters.map(({ name }) => name)),
        );
  try {
    if (weights) for (const plan of plans.values()) checkWholeFile(plan, weights);
    const stored = weights && (await planWeights(weights, plans.values(), onProgress));
    const libraries = await librariesFor([...plans.values()], request.profile);
    const { files, manifest } = bundleFiles({
      others: libraries.files,
      name,
      doc,
      facts,
      plans,
      weights: stored && {
        file: weightsFile(stored),
        bytes: stored.totalBytes,
        checksum: stored.checksum!,
      },
    });
    const needed = [...plans.values()].some(needsWeights);
    const brings = stored || !needed ? "given" : "brought";
    const wrapper = generateWrapper(manifest, brings, loaded.model.bundle?.loader);
    files.set(`${name}.d.ts`, wrapper.declarations);
    files.set(`${name}.js`, wrapper.js);
    const written = await writeBundleFolder(out, { manifest, files }, async (folder) => {
      if (stored) await writeWeights(folder, weights, stored, onProgress);
    });
    const report = describe(request, plans, written, manifest.weights ?? null);
    return { ...report, withoutLibraries: libraries.without ?? null };
  } finally {
    await weights?.close();
  }
}

interface WantedPlan {
  /** What it is called in the bundle. */
  readonly as: string;
  readonly program: string;
  readonly dims: Dims;
}

/** A program, once for each of the sizes that the model's bundle has it in. */
function plansOf({ bundle }: Model, program: string, given: Dims): readonly WantedPlan[] {
  let wanted: readonly WantedPlan[] = [{ as: program, program, dims: given }];
  for (const [dim, all] of Object.entries(bundle?.sizes?.[program] ?? {})) {
    const sizes = given[dim] === undefined ? all : [given[dim]];
    wanted = wanted.flatMap(({ as, dims }) =>
      sizes.map((size) => ({ as: `${as}-${size}`, program, dims: { ...dims, [dim]: size } })),
    );
  }
  return wanted;
}

async function compilePrograms(request: BuildRequest) {
  const { loaded, programs, dims: given, profile, onProgress } = request;
  const { precision = "f32", weightFormat, tuning = noTuning, signal, target } = request;
  const wanted = programs.flatMap((program) => plansOf(loaded.model, program, given));
  const plans = new Map<string, Plan>();
  for (const { as, program, dims } of wanted) {
    const graph = traceLoaded(loaded, program, dims);
    const name = `${loaded.model.name}.${as}`;
    const printing = { precision, weightFormat, ...(target === undefined ? {} : { target }) };
    plans.set(as, await compileAsync(graph, { name, profile, tuning, signal, ...printing }));
    onProgress(plans.size, wanted.length, "programs");
  }
  return plans;
}

function describe(
  { loaded, out }: BuildRequest,
  plans: ReadonlyMap<string, Plan>,
  files: ReadonlyMap<string, string | Uint8Array>,
  weights: BuildReport["weights"],
): Omit<BuildReport, "withoutLibraries"> {
  const programs = [...plans].map(([program, plan]) => {
    const counts = { steps: plan.steps.length, kernels: plan.kernels.length };
    return [program, counts] as const;
  });
  return {
    out,
    name: loaded.model.name,
    programs: Object.fromEntries(programs),
    files: [...files.keys()].sort(),
    bytes: [...files.values()].reduce((sum, content) => sum + Buffer.byteLength(content), 0),
    weights,
  };
}
