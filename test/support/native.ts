/**
 * Tests that need a C compiler. Where there is none that answers, this says so, and they are counted as skipped.
 */
import { describe } from "vitest";
import type { Device } from "../../runtime/devices/device.ts";
import { nativeDevice } from "../../runtime/devices/native.ts";
import { findCompiler } from "../../runtime/node/native-compiler.ts";
import { openMachine } from "../../runtime/node/native-machine.ts";

export const compiler = await findCompiler().catch((cause: Error) => {
  console.warn(`the native device is not tested: ${cause.message}`);
});

/** `describe` where there is a compiler. */
export const describeNative = describe.skipIf(!compiler);

/** A device whose kernels are compiled in a third of the time, and run slower; undefined without a compiler. */
export async function openQuickDevice(threads = 1): Promise<Device | undefined> {
  if (!compiler) return undefined;
  const flags = compiler.flags.map((flag) => (flag === "-O3" ? "-O1" : flag));
  return nativeDevice(await openMachine({ ...compiler, flags }, threads));
}
