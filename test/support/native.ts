/**
 * Tests that need a C compiler. Where there is none that answers, this says so, and they are counted as skipped.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe } from "vitest";
import type { Device } from "../../runtime/devices/device.ts";
import { nativeDevice } from "../../runtime/devices/native.ts";
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
const quick = compiler && ({ ...compiler, effort: "-Og" } as const);

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

/** The path of a compiler that is quick, for what opens its device by itself. */
export function quickCompiler(): string {
  const path = join(process.env.XDG_CACHE_HOME ?? tmpdir(), "inarch-quick-cc");
  mkdirSync(dirname(path), { recursive: true });
  // The last flag counts.
  writeFileSync(path, `#!/bin/sh\nexec ${compiler?.command} "$@" -Og\n`, { mode: 0o755 });
  return path;
}
