/** Measures which tiles are the fastest on this machine's device, and writes them into a file. */
import { type LoadedModel, traceLoaded } from "../build/load-model.ts";
import { type Compilation, compileStagesAsync } from "../compiler/compile.ts";
import { candidatesOf } from "../compiler/forms/pick.ts";
import type { Region } from "../compiler/fuse/region.ts";
import type { Dims } from "../compiler/graph/sources.ts";
import { deviceProfile, type Profile } from "../compiler/profile.ts";
import { tuningFor, withTuning } from "../compiler/tuning/file.ts";
import { kernelKey } from "../compiler/tuning/kernel-key.ts";
import { deviceKey, noTuning, type TunedKernel, type Tuning } from "../compiler/tuning/tuning.ts";
import type { Progress } from "../runtime/devices/device.ts";
import { type DeviceKind, openDevice } from "../runtime/node/device.ts";
import { keepNativeBuilds } from "../runtime/node/native.ts";
import { deviceWords } from "../runtime/node/opened.ts";
import { timeNative } from "./speed.ts";
import { readTuningFile, writeTuningFile } from "./store.ts";
import { type TuneResult, tuneRegion } from "./tuner.ts";

export interface TuneRequest {
  readonly loaded: LoadedModel;
  readonly programs: readonly string[];
  readonly dims: Dims;
  /** The file that is written or added to: what it has of this device stays. */
  readonly file: string;
  /** How many tiles of each kernel are tried, from 2 up. */
  readonly candidates: number;
  /** How often each is measured, from 3 up. */
  readonly rounds: number;
  /** As `openDevice` chooses unless given. */
  readonly device?: DeviceKind | undefined;
  readonly onProgress: Progress;
  /** Which device is used, and why. */
  readonly onDevice?: ((words: string) => void) | undefined;
  /** Stops compiling, or tuning after the kernel that is measured. */
  readonly signal?: AbortSignal | undefined;
}

export interface TuneReport {
  /** What tunings of this device are kept by. */
  readonly device: string;
  readonly file: string;
  /** By their keys; those that the file had already are not among them. */
  readonly kernels: Readonly<Record<string, TuneResult>>;
}

/**
 * Measures every kernel of a model that has a choice of tiles. On `native` the model's programs are compiled and kept
 * too, with the tiles before and those that were found, and the device is timed: it may then be used unasked.
 * @throws E400 to E426 (the device), E820 (the file), E823, and what tracing and compiling throw.
 */
export async function tune(request: TuneRequest): Promise<TuneReport> {
  const { loaded, programs, dims, file, candidates, rounds, onProgress, onDevice, signal } =
    request;
  const before = await readTuningFile(file);
  const opened = await openDevice({ kind: request.device });
  const { device } = opened;
  onDevice?.(deviceWords(opened));
  try {
    const { target, capabilities } = device;
    const asked = { target, profile: deviceProfile(capabilities), signal };
    const compileAll = async (tuning: Tuning): Promise<Compilation[]> => {
      const all: Compilation[] = [];
      for (const program of programs) {
        const graph = traceLoaded(loaded, program, dims);
        all.push(await compileStagesAsync(graph, { ...asked, tuning }));
      }
      return all;
    };
    const compiled = await compileAll(noTuning);
    // What the target and the precision leave of the device: kernels are named and made by that.
    const { profile } = compiled[0]!;
    const key = deviceKey(device.capabilities);
    const regions = compiled.flatMap(({ fusion }) => fusion.regions);
    const todo = [...tunable(regions, profile)].filter(
      ([name]) => !Object.hasOwn(before.devices[key] ?? {}, name),
    );
    const results: Record<string, TuneResult> = {};
    const tuned: Record<string, TunedKernel> = {};
    for (const [done, [name, region]] of todo.entries()) {
      signal?.throwIfAborted();
      onProgress(done, todo.length, "kernels");
      const result = await tuneRegion(region, { device, profile, candidates, rounds });
      results[name] = result;
      const { form, tile } = result;
      tuned[name] = { form, tile, gain: Math.round(result.gain * 1000) / 1000 };
      // What was measured is not lost when a later kernel fails.
      await writeTuningFile(file, withTuning(before, key, tuned));
    }
    if (opened.kind === "native") {
      const after = tuningFor(withTuning(before, key, tuned), key, file);
      const plans = [...compiled, ...(await compileAll(after))].map(({ plan }) => plan.kernels);
      await keepNativeBuilds(plans);
      await timeNative();
    }
    return { device: key, file, kernels: results };
  } finally {
    device.destroy();
  }
}

/** One region of each kernel that has a choice of tiles, by its key. */
export function tunable(regions: readonly Region[], profile: Profile): Map<string, Region> {
  const found = new Map<string, Region>();
  for (const region of regions) {
    if (!region.variant || candidatesOf(region.anchor, profile).variants.length < 2) continue;
    const key = kernelKey(region, profile);
    if (!found.has(key)) found.set(key, region);
  }
  return found;
}
