/** What only Node has: a WebGPU device from Dawn, and files. */
export { type DeviceKind, type DeviceOptions, openDevice, withDevice } from "./device.ts";
export { fileSource } from "./files.ts";
export {
  type AdapterSummary,
  type Gpu,
  type GpuOptions,
  type GpuSummary,
  type LimitName,
  requestGpu,
  requestNullGpu,
} from "./gpu.ts";
export { offerBuilds } from "./native-libraries.ts";
export type { DeviceSummary, OpenedDevice } from "./opened.ts";
export { saveTo } from "./save.ts";
export { openWeightsFile } from "./weights.ts";
