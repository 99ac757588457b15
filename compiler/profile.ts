/**
 * A compile profile: the limits that every kernel and every buffer must respect. `default` is what
 * WebGPU guarantees everywhere; an adapter's own limits make another one.
 */
import type { AdapterFacts, MatrixUnits } from "./plan.ts";

/** What the model of a tile's time needs to know of a device: how wide it is, how far its memory. */
export type DeviceClass = "discrete" | "integrated" | "software" | "unknown";

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
   * Whether kernels may reduce over subgroups of whatever width, instead of through a tree in
   * workgroup memory with a barrier for each halving. Not together with `subgroup`.
   */
  readonly reduces: boolean;
  /**
   * Keeps drivers from unrolling loops. A software device compiles each load to a dozen instructions
   * per lane: an unrolled loop takes it seconds to compile.
   */
  readonly rolled: boolean;
  /** Whether kernels can load and store halves: without it mixed precision packs frozen parameters. */
  readonly half: boolean;
  /** The matrix fragments that kernels may multiply; undefined: none. */
  readonly matrices?: MatrixUnits;
  readonly deviceClass: DeviceClass;
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
  reduces: false,
  rolled: true,
  half: false,
  deviceClass: "unknown",
};

/** A profile with all that one adapter allows. Plans made with it may not run on others. */
export function adapterProfile(facts: AdapterFacts): Profile {
  const { name, limits, kind, subgroup, reduces, half, matrices } = facts;
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
    reduces: kind === "hardware" && reduces === true,
    rolled: kind === "software",
    half,
    deviceClass: classOf(facts),
    // A software device takes seconds to compile one kernel of fragments.
    ...(matrices && kind === "hardware" ? { matrices } : {}),
  };
}

const integratedVendors: ReadonlySet<string> = new Set(["apple", "arm", "img-tec", "qualcomm"]);

/** WebGPU does not say what a device is, but its vendor and architecture mostly do. */
function classOf({ kind, identity }: AdapterFacts): DeviceClass {
  if (kind === "software") return "software";
  const { vendor = "", architecture = "" } = identity ?? {};
  if (vendor === "nvidia") return "discrete";
  if (vendor === "intel") return /hpg/.test(architecture) ? "discrete" : "integrated";
  return integratedVendors.has(vendor) ? "integrated" : "unknown";
}
