/** The processor device in Node, whose engine may have to be asked for `fma`. */
import { cpus } from "node:os";
import { setFlagsFromString } from "node:v8";
import { type CpuOptions, cpuDevice } from "../devices/cpu.ts";
import { hasFma, wasmEngine } from "../devices/web-assembly.ts";
import { startedWithPairs, turnOnPairs } from "./pairs.ts";

/** Node 20 has relaxed SIMD behind a flag, which counts for what is compiled after it is set. */
const flag = "--experimental-wasm-relaxed-simd";

/**
 * `pairs` turns on what makes pairs of V8, for the whole process, if that is there and computes what it should; else
 * the device has none. It is on where Node was started with it, unless told.
 * @throws what `cpuDevice` throws, E480 and E481.
 */
export async function openCpu(options: CpuOptions) {
  if (!hasFma(wasmEngine())) setFlagsFromString(flag);
  const { pairs = startedWithPairs() } = options;
  const device = cpuDevice({ ...options, ...(pairs ? { pairs: turnOnPairs() } : {}) });
  const description = cpus()[0]?.model.trim() || device.name;
  return { device, summary: { description, kind: "processor" } as const };
}
