/** What is known of an opened device of any kind. */
import type { Device } from "../devices/device.ts";

/** What a device says of itself. A GPU's has more: `GpuSummary`. */
export interface DeviceSummary {
  /** The name of the GPU with its driver, or of the processor. */
  readonly description: string;
  /** `software` is a GPU that the processor plays; `processor` works without one. */
  readonly kind: "hardware" | "software" | "processor";
}

/** What opens a device of a kind gives. */
export interface Opening {
  readonly device: Device;
  /** Where it is not given, the device is a processor of its own name. */
  readonly summary?: DeviceSummary;
}

export interface OpenedDevice<Summary extends DeviceSummary = DeviceSummary> {
  readonly device: Device;
  /** What `--device` and INARCH_DEVICE call it. */
  readonly kind: string;
  /** Why it is this one, in words: "there is no hardware GPU". */
  readonly why: string;
  readonly summary: Summary;
  /** @deprecated The old word for `summary`. */
  readonly adapter: Summary;
  /** @deprecated Use `device.capabilities`: for `deviceProfile(device.capabilities)`. */
  readonly facts: Device["capabilities"];
}

/** In one line which device it is, and why. */
export const deviceWords = ({ kind, device, why }: OpenedDevice): string =>
  `${kind} (${device.name}): ${why}`;
