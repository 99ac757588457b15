/** `inarch/node`: what the runtime needs from Node. A WebGPU device; files and pictures. */
export {
  type AdapterSummary,
  type Gpu,
  type GpuOptions,
  type LimitName,
  requestGpu,
  requestNullGpu,
} from "./gpu.ts";
