/**
 * `inarch build MODEL --out DIR`: modules that the runtime loads with the compiler absent; with `--target cuda` a
 * folder that a program in C runs.
 */
import type { BuildReport } from "../build/build.ts";
import type { CudaReport } from "../build/cuda.ts";
import type { LoadedModel } from "../build/load-model.ts";
import { diagnose } from "../diagnostics/index.ts";
import { floatNames } from "../formats/index.ts";
import { defineCommand } from "./arguments/command.ts";
import { parseDims } from "./arguments/dims.ts";
import { methodFlag } from "./arguments/method.ts";
import { modelArguments, modelOf, programsOf } from "./arguments/model.ts";
import { precisionFlags, precisionOf } from "./arguments/precision.ts";
import { profilesFlag, profilesOf } from "./arguments/profiles.ts";
import { tuningFlag } from "./arguments/tuning.ts";

export const command = defineCommand({
  description: "compile a model ahead of time into modules that the runtime loads",
  args: async () =>
    ({
      ...modelArguments,
      out: { type: "string", required: true, valueHint: "DIR", description: "the folder to write" },
      weights: {
        type: "string",
        valueHint: "FILE",
        description: "a checkpoint: the parameters that the programs need go into the folder",
      },
      adapter: {
        type: "string",
        repeated: true,
        valueHint: "FILE",
        description:
          "an adapter of which --weights are the base; may be repeated: the model changes between them as it runs",
      },
      train: {
        type: "boolean",
        description:
          "the model's training instead of its programs: what its file exports as training; of a SAM with --method, its mask's",
      },
      method: {
        ...(await methodFlag()),
        description: "what is grafted on a SAM; a file brings its own adapters",
      },
      target: {
        type: "enum",
        options: ["cuda"],
        description:
          "a folder for NVIDIA's GPUs in place of modules: PTX, cubins where ptxas is there, weights, a manifest, and a program in C that runs it through libcuda",
      },
      profiles: await profilesFlag(),
      standalone: {
        type: "boolean",
        description: "put the runtime into the module, for a page without a bundler",
      },
      split: {
        type: "string",
        valueHint: "SIZE",
        description: "the most that a file may have, such as 24MiB: weights are cut into pieces",
      },
      dtype: {
        type: "enum",
        options: floatNames,
        description:
          "format of the weights in their file: f32 unless given; f16 takes half the room",
      },
      ...precisionFlags,
      tuning: tuningFlag,
    }) as const,
  async run(given, { progress }) {
    const { out, weights, standalone, train, adapter: adapters } = given;
    if (given.target === "cuda") {
      const { usualProfiles } = await import("../build/usual-profiles.ts");
      checkForCuda(given, usualProfiles);
      const { buildCuda } = await import("../build/cuda.ts");
      const { cudaTarget } = await import("../runtime/devices/cuda.ts");
      const loaded = await adaptedModel(await modelOf(given, weights), given.method, []);
      const [profile] = await profilesOf(cudaTarget, given.tuning);
      const report = await buildCuda({
        ...{ loaded, out, weights, profile: profile!, dims: parseDims(given.dim) },
        programs: await programsOf(loaded.model, given.program),
        ...precisionOf(given),
        onProgress: progress.report,
      });
      return { report, text: describeCuda(report) };
    }
    const { build } = await import("../build/build.ts");
    if (train) checkTraining(given);
    const split = sizeOf(given.split);
    if (adapters.length > 0 && weights === undefined) throw withoutBase();
    const loaded = await adaptedModel(await modelOf(given, weights), given.method, adapters);
    const profiles = await profilesOf(given.profiles, given.tuning);
    const report = await build({
      loaded,
      out,
      programs:
        train && given.program.length === 0 ? [] : await programsOf(loaded.model, given.program),
      train,
      dims: parseDims(given.dim),
      profiles,
      ...precisionOf(given),
      weights,
      adapters,
      split,
      dtype: given.dtype,
      standalone,
      onProgress: progress.report,
    });
    return { report, text: describe(report, train) };
  },
});

/** @throws E1143 for flags of modules. */
function checkForCuda(
  given: {
    readonly standalone?: boolean | undefined;
    readonly train?: boolean | undefined;
    readonly split?: string | undefined;
    readonly dtype?: string | undefined;
    readonly profiles: string;
    readonly adapter: readonly string[];
  },
  usualProfiles: string,
): void {
  const { standalone, train, split, dtype, profiles, adapter } = given;
  const flags = [
    ...(standalone ? ["--standalone"] : []),
    ...(train ? ["--train"] : []),
    ...(split === undefined ? [] : ["--split"]),
    ...(dtype === undefined ? [] : ["--dtype"]),
    ...(profiles === usualProfiles ? [] : ["--profiles"]),
  ];
  if (flags.length > 0)
    throw diagnose("E1143", {
      message: `${flags.join(" and ")} ${flags.length === 1 ? "is" : "are"} of modules, which --target cuda does not write`,
      help: "leave them out; --precision mixed and --weight-format say how numbers are stored",
    });
  if (adapter.length > 0)
    throw diagnose("E1143", {
      message: "a folder for CUDA has one file of weights, and no adapters beside it",
      help: "merge them first: inarch merge MODEL --weights BASE --weights ADAPTER -o FILE; then --weights FILE",
    });
}

function describeCuda(report: CudaReport): string {
  const { out, name, programs, weights, assembled, without } = report;
  const missing = Object.entries(without);
  return [
    `built ${name} into ${out} for NVIDIA's GPUs${weights === null ? "" : `, ${(weights / 2 ** 20).toFixed(1)} MiB of weights`}`,
    ...Object.entries(programs).map(
      ([program, { steps, kernels }]) =>
        `  ${program}: ${steps} ${steps === 1 ? "step" : "steps"}, ${kernels} different kernels`,
    ),
    ...(assembled.length > 0 ? [`assembled for ${assembled.join(", ")}`] : []),
    ...(missing.length > 0
      ? [
          `NOT ASSEMBLED for ${missing.map(([arch]) => arch).join(", ")}: ${[...new Set(Object.values(without))].join("; ")}`,
          "there the driver assembles the PTX each time it is loaded",
        ]
      : []),
    `run it with: cc -O2 -o run ${out}/run.c -ldl && ./run ${out} ${Object.keys(programs)[0]} INPUT=FILE`,
  ].join("\n");
}

/** A bare SAM with a method on it, as the files say; any other model as it is. */
async function adaptedModel(
  loaded: LoadedModel,
  method: string | undefined,
  adapters: readonly string[],
): Promise<LoadedModel> {
  if (method === undefined) return loaded;
  const { withMethod } = await import("../training/forecast/method.ts");
  const { adaptersOf } = await import("../merge/node/merge-files.ts");
  return { ...loaded, model: withMethod(loaded.model, method, await adaptersOf(adapters)) };
}

/** @throws E503 for flags that a training does not heed. */
function checkTraining({
  adapter,
  tuning,
}: {
  adapter: readonly string[];
  tuning?: string | undefined;
}) {
  if (adapter.length === 0 && tuning === undefined) return;
  const [flag, help] =
    adapter.length > 0
      ? ["--adapter", "give the file where it trains: session.loadAdapter(await openWeights(…))"]
      : ["--tuning", "leave it out: tiles of a training are those of the model of tiles"];
  throw diagnose("E503", { message: `--train and ${flag} do not go together`, help });
}

const withoutBase = () =>
  diagnose("E503", {
    message: "--adapter needs the weights of its base",
    help: "add --weights FILE: the checkpoint that it was trained on",
  });

const units: Readonly<Record<string, number>> = {
  "": 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
};

/** A number of bytes as people write it. Errors: E503. */
function sizeOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, count, unit = ""] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim()) ?? [];
  const bytes = Math.floor(Number(count) * (units[unit.toUpperCase()] ?? Number.NaN));
  if (bytes >= 4096) return bytes;
  throw diagnose("E503", {
    message: `--split cannot be "${text}"`,
    help: "give at least 4KiB, such as --split 24MiB",
  });
}

function describe(report: BuildReport, trains: boolean): string {
  const { out, name, profiles, files, bytes, weights, withoutLibraries } = report;
  const rows = Object.entries(profiles).flatMap(([profile, programs]) =>
    Object.entries(programs).map(
      ([program, { steps, kernels }]) =>
        `  ${profile}, ${program}: ${steps} ${steps === 1 ? "step" : "steps"}, ${kernels} different kernels`,
    ),
  );
  const size = `${(bytes / 1024).toFixed(1)} KiB in ${files.length} files`;
  const stored = weights && `, ${(weights.bytes / 2 ** 20).toFixed(1)} MiB of weights`;
  return [
    `built ${name} into ${out}: ${size}${stored ?? ", without weights"}`,
    ...rows,
    ...(report.adapters.length > 0 ? [`adapters: ${report.adapters.join(", ")}`] : []),
    ...(withoutLibraries === null
      ? []
      : [`without libraries, so that machines compile the kernels: ${withoutLibraries}`]),
    `${trains ? "train it with: import { train }" : "load it with: import { load }"} from "./${name}.mjs"`,
  ].join("\n");
}
