/** The native device: the machine's C compiler, found and asked. */
import type { Device } from "../devices/device.ts";
import { type NativeOptions, nativeDevice, nativeThreads } from "../devices/native.ts";
import { findCompiler } from "./native-compiler.ts";
import { openMachine } from "./native-machine.ts";

/**
 * Opens a device that compiles kernels with the machine's C compiler: `cc`, `clang`, or what `INARCH_CC` names.
 * What it compiled is kept in a folder (`XDG_CACHE_HOME`, else `~/.cache`).
 * @throws E400 and E401 where the package koffi does not load, E465 for a number of threads that cannot be,
 * E482 without a compiler, E483 and E485 where it fails, or makes what cannot be loaded.
 */
export async function openNative(options: NativeOptions = {}): Promise<{ device: Device }> {
  const threads = nativeThreads(options);
  const compiler = await findCompiler();
  return { device: nativeDevice(await openMachine(compiler, threads)) };
}
