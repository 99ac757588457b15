/** What is asked of a GPU when a device is opened: the features and limits that decide how fast kernels are. */
import { matrixFeature, widthFeature } from "./matrices.ts";

/** Each is asked for where the GPU has it. */
export const usualFeatures: readonly GPUFeatureName[] = [
  ...(["timestamp-query", "shader-f16", "subgroups"] as const),
  ...[widthFeature, matrixFeature],
];

/** Limits of which plans know, as high as the GPU has them. */
export const usualLimits = [
  ...(["maxBufferSize", "maxStorageBufferBindingSize", "maxStorageBuffersPerShaderStage"] as const),
  ...(["maxComputeWorkgroupStorageSize", "maxComputeInvocationsPerWorkgroup"] as const),
  ...([
    "maxComputeWorkgroupSizeX",
    "maxComputeWorkgroupSizeY",
    "maxComputeWorkgroupSizeZ",
  ] as const),
  ...(["maxComputeWorkgroupsPerDimension", "minStorageBufferOffsetAlignment"] as const),
] as const;
