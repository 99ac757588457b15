/**
 * A compile profile: the limits that every kernel and every buffer must respect. `default` is what
 * WebGPU guarantees everywhere; an adapter's own limits make another one.
 */
import type { AdapterFacts } from "./plan.ts";

export interface Profile {
  readonly name: string;
  /** Bytes of one storage binding: the largest tensor a kernel can read or write. */
  readonly maxBindingBytes: number;
  /** Bytes of one buffer: the largest arena. */
  readonly maxBufferBytes: number;
  /** Storage buffers of one kernel. */
  readonly maxBindings: number;
  /** Bytes of workgroup memory. */
  readonly maxSharedBytes: number;
  /** Threads of a workgroup. */
  readonly maxThreads: number;
  /** Workgroups along one axis. */
  readonly maxGroups: number;
  /** Alignment in bytes of a binding's offset. */
  readonly alignment: number;
  /**
   * Kernels whose workgroup is one subgroup of exactly this many threads, which pass values among
   * themselves; 0: kernels that share workgroup memory. Software devices run the former ten times
   * as fast: a barrier costs them a switch of every thread's state.
   */
  readonly subgroup: number;
  /**
   * Keeps drivers from unrolling loops. A software device compiles each load to a dozen instructions
   * per lane: an unrolled loop takes it seconds to compile.
   */
  readonly rolled: boolean;
  /** Whether kernels can load and store halves: what mixed precision needs. */
  readonly half: boolean;
}

/** The limits that every WebGPU device has. */
export const defaultProfile: Profile = {
  name: "default",
  maxBindingBytes: 128 * 1024 * 1024,
  maxBufferBytes: 256 * 1024 * 1024,
  maxBindings: 8,
  maxSharedBytes: 16 * 1024,
  maxThreads: 256,
  maxGroups: 65535,
  alignment: 256,
  subgroup: 0,
  rolled: true,
  half: false,
};

/** A profile with all that one adapter allows. Plans made with it may not run on others. */
export function adapterProfile({ name, limits, kind, subgroup, half }: AdapterFacts): Profile {
  return {
    name,
    maxBindingBytes: limits.maxStorageBufferBindingSize,
    maxBufferBytes: limits.maxBufferSize,
    maxBindings: limits.maxStorageBuffersPerShaderStage,
    maxSharedBytes: limits.maxComputeWorkgroupStorageSize,
    maxThreads: limits.maxComputeInvocationsPerWorkgroup,
    maxGroups: limits.maxComputeWorkgroupsPerDimension,
    alignment: Math.max(limits.minStorageBufferOffsetAlignment, 16),
    subgroup: kind === "software" ? subgroup : 0,
    rolled: kind === "software",
    half,
  };
}
