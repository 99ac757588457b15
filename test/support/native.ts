/**
 * Tests that need a C compiler. Where there is none that answers, this says so, and they are counted as skipped.
 */
import { describe } from "vitest";
import type { Device } from "../../runtime/devices/device.ts";
import { nativeDevice } from "../../runtime/devices/native.ts";
import { compiledLanes, findCompiler } from "../../runtime/node/native-compiler.ts";
import { librariesOf } from "../../runtime/node/native-libraries.ts";
import { openMachine } from "../../runtime/node/native-machine.ts";
import { machineLanes } from "../../runtime/node/native-vectors.ts";

export const compiler = await findCompiler().catch((cause: Error) => {
  console.warn(`the native device is not tested: ${cause.message}`);
});

/** `describe` where there is a compiler. */
export const describeNative = describe.skipIf(!compiler);

/** A device whose kernels are compiled in a third of the time, and run slower; undefined without a compiler. */
export async function openQuickDevice(threads = 1): Promise<Device | undefined> {
  if (!compiler) return undefined;
  const quick = { ...compiler, effort: "-O1" } as const;
  const lanes = machineLanes() ?? (await compiledLanes(compiler));
  const libraries = librariesOf({ lanes, compiler: async () => quick, compiles: "always" });
  return nativeDevice(await openMachine(libraries, threads));
}
