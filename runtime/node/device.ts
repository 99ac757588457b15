/** Devices in Node, ready for sessions. */
import type { Device } from "../devices/device.ts";
import { type ReferenceOptions, referenceDevice } from "../devices/reference.ts";
import { webgpuDevice } from "../devices/webgpu.ts";
import { type GpuOptions, type GpuSummary, requestGpu } from "./gpu.ts";

/** How devices of each kind are opened: a further kind is a line here. */
const kinds = {
  webgpu: openWebGpu,
  reference: async (options: ReferenceOptions) => ({ device: referenceDevice(options) }),
} as const;

export type DeviceKind = keyof typeof kinds;
export const deviceKinds = Object.keys(kinds) as readonly DeviceKind[];

/** The kind, `webgpu` unless given, and what devices of that kind can be told. */
export type DeviceOptions<K extends DeviceKind = DeviceKind> = {
  readonly kind?: K;
} & Parameters<(typeof kinds)[K]>[0];

type Opened<K extends DeviceKind> = ReturnType<(typeof kinds)[K]>;

export interface OpenedDevice {
  readonly device: Device;
  readonly summary: GpuSummary;
  /** @deprecated The old word for `summary`. */
  readonly adapter: GpuSummary;
  /** @deprecated Use `device.capabilities`: for `deviceProfile(device.capabilities)`. */
  readonly facts: Device["capabilities"];
}

/**
 * Opens a device: Dawn's, or `{ kind: "reference" }`, which checks every access of every thread and is
 * thousands of times slower. Call `device.destroy()` when done, so that the process can end.
 * @throws what `requestGpu` throws, E400 to E406.
 */
export function openDevice<K extends DeviceKind = "webgpu">(options?: DeviceOptions<K>): Opened<K> {
  const { kind = "webgpu", ...rest }: { readonly kind?: DeviceKind } = options ?? {};
  return kinds[kind](rest) as Opened<K>;
}

async function openWebGpu(options: GpuOptions): Promise<OpenedDevice> {
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
