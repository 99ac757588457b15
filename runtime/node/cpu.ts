/** The processor device in Node, whose engine may have to be asked for `fma`. */
import { cpus } from "node:os";
import { setFlagsFromString } from "node:v8";
import { type CpuOptions, cpuDevice } from "../devices/cpu.ts";
import { hasFma, wasmEngine } from "../devices/web-assembly.ts";

/** Node 20 has relaxed SIMD behind a flag, which counts for what is compiled after it is set. */
const flag = "--experimental-wasm-relaxed-simd";

/** @throws what `cpuDevice` throws, E480 and E481. */
export async function openCpu(options: CpuOptions) {
  if (!hasFma(wasmEngine())) setFlagsFromString(flag);
  const device = cpuDevice(options);
  const description = cpus()[0]?.model.trim() || device.name;
  return { device, summary: { description, kind: "processor" } as const };
}
