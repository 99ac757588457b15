/** A device in Node, ready for sessions, with what a compile profile needs to know of its adapter. */
import type { Device } from "../devices/device.ts";
import { webgpuDevice } from "../devices/webgpu.ts";
import { type AdapterSummary, type GpuOptions, requestGpu } from "./gpu.ts";

export interface OpenedDevice {
  readonly device: Device;
  readonly adapter: AdapterSummary;
  /** For `adapterProfile(facts)`: the device's limits, and its subgroups where all have one width. */
  readonly facts: {
    readonly name: string;
    readonly limits: GPUSupportedLimits;
    readonly kind: "hardware" | "software";
    readonly subgroup: number;
  };
}

/** Opens Dawn's device. Errors as `requestGpu`. Call `device.destroy()` when done. */
export async function openDevice(options: GpuOptions = {}): Promise<OpenedDevice> {
  const gpu = await requestGpu(options);
  const { adapter } = gpu;
  const name = `${adapter.device} (${adapter.description})`;
  const device = webgpuDevice(gpu.device, { name, onDestroy: () => gpu.destroy(), idle });
  const { subgroupMinSize: least, subgroupMaxSize: most } = gpu.device.adapterInfo;
  const subgroup = gpu.device.features.has("subgroups") && least === most ? least : 0;
  const { limits } = gpu.device;
  return { device, adapter, facts: { name, limits, kind: adapter.kind, subgroup } };
}

const never = new Int32Array(new SharedArrayBuffer(4));

/** Sleeps for a millisecond, then lets Dawn see what has finished. */
async function idle(): Promise<void> {
  Atomics.wait(never, 0, 0, 1);
  await new Promise((resolve) => setImmediate(resolve));
}
