/** The WebGPU device of Dawn, ready for sessions. */
import type { Device } from "../devices/device.ts";
import { webgpuDevice } from "../devices/webgpu.ts";
import { type GpuOptions, type GpuSummary, requestGpu } from "./gpu.ts";

export interface OpenedDevice {
  readonly device: Device;
  readonly summary: GpuSummary;
  /** @deprecated The old word for `summary`. */
  readonly adapter: GpuSummary;
  /** @deprecated Use `device.capabilities`: for `deviceProfile(device.capabilities)`. */
  readonly facts: Device["capabilities"];
}

/** @throws what `requestGpu` throws, E400 to E406. */
export async function openDawn(options: GpuOptions): Promise<OpenedDevice> {
  const gpu = await requestGpu(options);
  const { summary, language } = gpu;
  const name = summary.description || summary.device;
  const { matrices } = summary;
  const onDestroy = () => gpu.destroy();
  const device = webgpuDevice(gpu.device, { name, onDestroy, idle, matrices, language });
  return { device, summary, adapter: summary, facts: device.capabilities };
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
