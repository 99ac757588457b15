/**
 * Tests that need a C compiler. Where there is none that answers, this says so, and they are counted as skipped.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe } from "vitest";
import type { Plan, PlanKernel } from "../../compiler/plan.ts";
import { type Device, kernelText } from "../../runtime/devices/device.ts";
import { nativeDevice } from "../../runtime/devices/native.ts";
import type { LibraryFile } from "../../runtime/node/native-cache.ts";
import { compiledLanes, findCompiler } from "../../runtime/node/native-compiler.ts";
import { type Libraries, librariesOf } from "../../runtime/node/native-libraries.ts";
import { openMachine } from "../../runtime/node/native-machine.ts";
import { machineLanes } from "../../runtime/node/native-vectors.ts";

export const compiler = await findCompiler().catch((cause: Error) => {
  console.warn(`the native device is not tested: ${cause.message}`);
});

/** `describe` where there is a compiler. */
export const describeNative = describe.skipIf(!compiler);

/** Kernels are compiled in a third of the time, and run slower. */
const quick = compiler && ({ ...compiler, effort: "-O1" } as const);

async function quickLibraries(): Promise<Libraries | undefined> {
  if (!quick) return undefined;
  const lanes = machineLanes() ?? (await compiledLanes(quick));
  return librariesOf({ lanes, compiler: async () => quick, compiles: "always" });
}

/** A device whose kernels are compiled quickly; undefined without a compiler. */
export async function openQuickDevice(threads = 1): Promise<Device | undefined> {
  const libraries = await quickLibraries();
  return libraries && nativeDevice(await openMachine(libraries, threads));
}

export interface BatchDevice {
  readonly device: Device;
  /** The plan, whose kernels are compiled with those of all plans that were added since a program was loaded. */
  add(plan: Plan): Plan;
}

/** A quick device that compiles many plans at once: to start a compiler takes longer than a small kernel. */
export async function openBatchDevice(): Promise<BatchDevice | undefined> {
  const one = await quickLibraries();
  if (!one) return undefined;
  const batches = new Map<string, Batch>();
  let batch: Batch = { kernels: [], file: undefined };
  let added = 0;
  const ofKernels = (kernels: readonly PlanKernel[]) => {
    const own = batches.get(kernels[0]!.entry);
    if (!own) return one.ofKernels(kernels);
    own.file ??= one.ofKernels(own.kernels);
    return own.file;
  };
  return {
    device: nativeDevice(await openMachine({ ...one, ofKernels }, 1)),
    add(plan) {
      if (batch.file) batch = { kernels: [], file: undefined };
      const kernels = plan.kernels.map((kernel) => renamed(kernel, `${kernel.entry}_${added}`));
      added++;
      for (const kernel of kernels) batches.set(kernel.entry, batch);
      batch.kernels.push(...kernels);
      return { ...plan, kernels };
    },
  };
}

interface Batch {
  readonly kernels: PlanKernel[];
  file: Promise<LibraryFile> | undefined;
}

/** Names in its text end with that of the kernel. */
const renamed = (kernel: PlanKernel, entry: string): PlanKernel => ({
  ...kernel,
  entry,
  source: kernelText(kernel).replace(new RegExp(`${kernel.entry}\\b`, "g"), entry),
});

/** The path of a compiler that is quick, for what opens its device by itself. */
export function quickCompiler(): string {
  const path = join(process.env.XDG_CACHE_HOME ?? tmpdir(), "inarch-quick-cc");
  mkdirSync(dirname(path), { recursive: true });
  // The last flag counts.
  writeFileSync(path, `#!/bin/sh\nexec ${compiler?.command} "$@" -O1\n`, { mode: 0o755 });
  return path;
}
