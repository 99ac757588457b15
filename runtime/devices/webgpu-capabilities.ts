/** What a WebGPU device can: WebGPU's names of limits and features, translated to the neutral ones. */
import type { Capabilities, DeviceClass } from "../../compiler/capabilities.ts";
import { type MatrixConfig, matrixUnits, subgroupWidths } from "./matrices.ts";

export interface CapabilityOptions {
  /** The GPU's `subgroupMatrixConfigs`, where the device's own info lacks them (Dawn in Node). */
  readonly matrices?: readonly MatrixConfig[];
  /** What WGSL can say beyond features: `wgslLanguageFeatures` of `navigator.gpu` unless given. */
  readonly language?: ReadonlySet<string>;
}

/** What is looked at of a `GPUDevice`. */
export type DescribedGpu = Pick<GPUDevice, "features" | "limits" | "adapterInfo">;

/** Software devices are known by their names, or as fallback adapters. */
export function webgpuCapabilities(
  gpu: DescribedGpu,
  options: CapabilityOptions = {},
): Capabilities {
  const { adapterInfo: info, limits, features } = gpu;
  const { vendor, architecture, device, description } = info;
  const software = isSoftware(info);
  const { navigator } = globalThis as { readonly navigator?: { readonly gpu?: GPU } };
  const language = options.language ?? navigator?.gpu?.wgslLanguageFeatures;
  const subgroups = {
    ...subgroupWidths(info),
    numbered: language?.has("subgroup_id") ?? false,
  };
  const matrices = matrixUnits(gpu, options.matrices);
  return {
    name: description || device || "WebGPU",
    deviceClass: software ? "software" : classOf(vendor, architecture),
    maxBindingBytes: limits.maxStorageBufferBindingSize,
    maxBufferBytes: limits.maxBufferSize,
    maxBindings: limits.maxStorageBuffersPerShaderStage,
    maxSharedBytes: limits.maxComputeWorkgroupStorageSize,
    maxThreads: limits.maxComputeInvocationsPerWorkgroup,
    maxGroups: limits.maxComputeWorkgroupsPerDimension,
    // Four words are loaded at once, from the beginning of a binding on.
    alignment: Math.max(limits.minStorageBufferOffsetAlignment, 16),
    ...(features.has("subgroups") ? { subgroups } : {}),
    half: features.has("shader-f16"),
    ...(matrices ? { matrices } : {}),
    slowBarriers: software,
    slowCompiler: software,
    identity: { vendor, architecture, device, description },
  };
}

/** Whether the processor plays the GPU. */
export const isSoftware = (info: GPUAdapterInfo): boolean =>
  info.isFallbackAdapter ||
  /llvmpipe|lavapipe|swiftshader/i.test(
    `${info.vendor} ${info.architecture} ${info.device} ${info.description}`,
  );

const integratedVendors: ReadonlySet<string> = new Set(["apple", "arm", "img-tec", "qualcomm"]);

/** WebGPU does not say what a device is, but its vendor and architecture mostly do. */
function classOf(vendor: string, architecture: string): DeviceClass {
  if (vendor === "nvidia") return "discrete";
  if (vendor === "intel") return /hpg/.test(architecture) ? "discrete" : "integrated";
  return integratedVendors.has(vendor) ? "integrated" : "unknown";
}
