/** The native device: what it is opened with, where it was asked for and where it was not. */

import type { PlanKernel } from "../../compiler/plan.ts";
import { InarchError } from "../../diagnostics/index.ts";
import type { Device } from "../devices/device.ts";
import { type NativeOptions, nativeDevice, nativeLanes, nativeThreads } from "../devices/native.ts";
import { type Compiler, compiledLanes, findCompiler } from "./native-compiler.ts";
import { buildLibraries, type Libraries, librariesOf } from "./native-libraries.ts";
import { openMachine } from "./native-machine.ts";
import { keepTiming, keptTiming } from "./native-timing.ts";
import { type Lanes, machineLanes } from "./native-vectors.ts";
import type { Opening } from "./opened.ts";

/**
 * Opens a device that runs kernels which the machine's C compiler made: `cc`, `clang`, or what `INARCH_CC` names.
 * What a bundle brings beside it is taken from there; what is compiled is kept in a folder (`XDG_CACHE_HOME`, else
 * `~/.cache`), and the compiler is asked for what neither has.
 * @throws E400 and E401 where the package koffi does not load, E465 for a number of threads that cannot be,
 * E484 for threads that cannot be had, E487 for vectors that the processor lacks, E482 without a compiler, E483 and E485 where it fails, or makes what cannot be
 * loaded.
 */
export async function openNative(options: NativeOptions = {}): Promise<{ device: Device }> {
  const threads = nativeThreads(options);
  let found: Promise<Compiler> | undefined;
  const compiler = () => {
    found ??= findCompiler();
    return found;
  };
  const most = machineLanes() ?? (await compiledLanes(await compiler()));
  const lanes = nativeLanes(most, options);
  const libraries = librariesOf({ lanes, compiler, compiles: "always" });
  return { device: await opened(libraries, threads, options) };
}

async function opened(libraries: Libraries, threads: number, options: NativeOptions) {
  const machine = await openMachine(libraries, threads);
  return nativeDevice(machine, options);
}

/**
 * As it is used unasked: where it was found to be faster than the processor device, with what is kept, and with no
 * compiler at the start. Otherwise why not.
 */
export async function openKeptNative(): Promise<Opening | string> {
  const timing = await keptTiming();
  if (!timing) return "native was not timed on this machine (inarch doctor does that)";
  const { native, cpu, lanes, compiler } = timing;
  if (native >= cpu) return "native was no faster when it was timed";
  const { INARCH_CC: asked } = process.env;
  if (asked && asked !== compiler.command)
    return "native was timed with another compiler (inarch doctor times it again)";
  const libraries = librariesOf({ lanes, compiler: async () => compiler, compiles: "later" });
  try {
    return { device: await opened(libraries, nativeThreads({}), {}) };
  } catch (cause) {
    if (isNoBuild(cause)) return "no build of native is kept (inarch doctor makes one)";
    if (!(cause instanceof InarchError) || cause.kind !== "environment") throw cause;
    return `native cannot be used (${cause.code} ${cause.details.message})`;
  }
}

/** Compiles the kernels of programs, so that they are kept. @throws E482, E483 */
export async function keepNativeBuilds(
  programs: readonly (readonly PlanKernel[])[],
): Promise<void> {
  const { compiler, lanes } = await ownCompiler();
  const libraries = librariesOf({ lanes, compiler: async () => compiler, compiles: "always" });
  for (const kernels of programs) await (await libraries.ofKernels(kernels)).release();
}

/**
 * What `inarch build` puts beside a bundle for vectors of `lanes` numbers: libraries by file name.
 * @throws E482, E483
 */
export const buildNative = async (
  lanes: Lanes,
  programs: readonly (readonly PlanKernel[])[],
): Promise<ReadonlyMap<string, Uint8Array<ArrayBuffer>>> =>
  buildLibraries(await findCompiler(), lanes, programs);

async function ownCompiler() {
  const compiler = await findCompiler();
  return { compiler, lanes: machineLanes() ?? (await compiledLanes(compiler)) };
}

/** Whether a device that is used unasked would have to wait for a compiler. */
export const isNoBuild = (cause: unknown): cause is InarchError =>
  cause instanceof InarchError && cause.code === "E486";

/** Keeps what both devices took for the same product, in milliseconds: from then on native may be used unasked. */
export async function keepNativeTiming(native: number, cpu: number): Promise<void> {
  await keepTiming({ native, cpu, ...(await ownCompiler()) });
}
