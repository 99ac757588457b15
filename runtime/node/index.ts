/** `inarch/node`: what only Node has. A WebGPU device from Dawn, and files: weights and pictures. */
export { openBundleFolder } from "./bundle.ts";
export { type OpenedDevice, openDevice } from "./device.ts";
export { fileSource } from "./files.ts";
export {
  type AdapterSummary,
  type Gpu,
  type GpuOptions,
  type LimitName,
  requestGpu,
  requestNullGpu,
} from "./gpu.ts";
export { readImage, readLogits, readMaskFile, writeLogits, writePng } from "./image.ts";
export { openWeightsFile } from "./weights.ts";
