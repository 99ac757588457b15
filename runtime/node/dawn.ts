/** The WebGPU device of Dawn, ready for sessions. */
import { webgpuDevice } from "../devices/webgpu.ts";
import { type Gpu, type GpuOptions, requestGpu, requestHardware } from "./gpu.ts";

/** @throws what `requestGpu` throws, E400 to E406. */
export const openDawn = async (options: GpuOptions) => deviceOf(await requestGpu(options));

/** The device of a hardware GPU, or why there is none. */
export async function openHardware() {
  const gpu = await requestHardware();
  return typeof gpu === "string" ? gpu : deviceOf(gpu);
}

function deviceOf(gpu: Gpu) {
  const { summary, language } = gpu;
  const name = summary.description || summary.device;
  const { matrices } = summary;
  const onDestroy = () => gpu.destroy();
  const device = webgpuDevice(gpu.device, { name, onDestroy, idle, matrices, language });
  return { device, summary };
}

const never = new Int32Array(new SharedArrayBuffer(4));

/**
 * Sleeps for a moment, then lets Dawn see what has finished: a millisecond at first, later a
 * twentieth of what was waited for so far. With hundreds of kernels being compiled each look costs
 * as much as such a sleep, and would take a core from the compiler.
 */
async function idle(waited: number): Promise<void> {
  Atomics.wait(never, 0, 0, Math.min(25, Math.max(1, waited / 20)));
  await new Promise((resolve) => setImmediate(resolve));
}
