/** A device in Node, ready for sessions, with what a compile profile needs to know of its adapter. */
import type { Device } from "../devices/device.ts";
import { webgpuDevice } from "../devices/webgpu.ts";
import { type AdapterSummary, type GpuOptions, requestGpu } from "./gpu.ts";

export interface OpenedDevice {
  readonly device: Device;
  readonly adapter: AdapterSummary;
  /** @deprecated Use `device.capabilities`: for `deviceProfile(device.capabilities)`. */
  readonly facts: Device["capabilities"];
}

/** Opens Dawn's device. Errors as `requestGpu`. Call `device.destroy()` when done. */
export async function openDevice(options: GpuOptions = {}): Promise<OpenedDevice> {
  const gpu = await requestGpu(options);
  const { adapter } = gpu;
  const name = adapter.description || adapter.device;
  const { matrices } = adapter;
  const { language } = gpu;
  const onDestroy = () => gpu.destroy();
  const device = webgpuDevice(gpu.device, { name, onDestroy, idle, matrices, language });
  return { device, adapter, facts: device.capabilities };
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
