/**
 * A compile profile: the limits that every kernel and every buffer must respect. `default` is what
 * WebGPU guarantees everywhere; a device's own capabilities make another one.
 */
import { type Capabilities, type DeviceClass, subgroupWidth } from "./capabilities.ts";
import type { MatrixUnits } from "./plan.ts";

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
  /** The one width of the device's subgroups, in threads; 0 where it has several, or none is known. */
  readonly subgroup: number;
  /**
   * Whether a barrier takes far more time than values that the threads of a subgroup pass to each other.
   * A device of which nothing is known is taken for one where it does.
   */
  readonly slowBarriers: boolean;
  /** Whether kernels may reduce over subgroups of whatever width, and number them. */
  readonly reduces: boolean;
  /**
   * Keeps drivers from unrolling loops. A software device compiles each load to a dozen instructions
   * per lane: an unrolled loop takes it seconds to compile.
   */
  readonly rolled: boolean;
  /** Whether kernels can load and store halves: without it mixed precision packs frozen parameters. */
  readonly half: boolean;
  /** Kernels ask for `fma` rounded once: their plans are for devices that have it. */
  readonly fma?: true;
  /**
   * The threads of a tile's row fold what they have by shuffles in their subgroup instead of in workgroup memory.
   * Subgroups then have one width, and kernels can number them.
   */
  readonly shuffles?: true;
  /** Vector registers of a processor that runs C; undefined: of WebAssembly, or no processor's. */
  readonly registers?: number;
  /** Two vectors that follow each other are computed at once. */
  readonly pairs?: true;
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
  slowBarriers: true,
  reduces: false,
  rolled: true,
  half: false,
  deviceClass: "unknown",
};

/** The limits of `defaultProfile`, for hardware whose kernels can reduce over subgroups, as most can. */
export const subgroupProfile: Profile = {
  ...defaultProfile,
  name: "subgroups",
  slowBarriers: false,
  reduces: true,
  rolled: false,
};

/** The same for hardware that has halves too. */
export const halfProfile: Profile = { ...subgroupProfile, name: "f16", half: true };

/** The limits of `defaultProfile`, for software devices whose subgroups all have so many threads. */
export const softwareProfile = (subgroup: number): Profile => ({
  ...defaultProfile,
  name: `subgroups-${subgroup}`,
  subgroup,
  deviceClass: "software",
});

/** A profile with all that one device allows. Plans made with it may not run on others. */
export function deviceProfile(capabilities: Capabilities): Profile {
  const { subgroups, slowBarriers, slowCompiler, matrices, fma, registers, pairs } = capabilities;
  const subgroup = subgroupWidth(capabilities);
  const shuffles = subgroup > 0 && subgroups?.numbered === true;
  return {
    name: capabilities.name,
    maxBindingBytes: capabilities.maxBindingBytes,
    maxBufferBytes: capabilities.maxBufferBytes,
    maxBindings: capabilities.maxBindings,
    maxSharedBytes: capabilities.maxSharedBytes,
    maxThreads: capabilities.maxThreads,
    maxGroups: capabilities.maxGroups,
    alignment: capabilities.alignment,
    subgroup,
    slowBarriers,
    reduces: !slowBarriers && subgroups?.numbered === true,
    rolled: slowCompiler,
    half: capabilities.half,
    deviceClass: capabilities.deviceClass,
    ...(fma ? { fma } : {}),
    ...(shuffles ? { shuffles } : {}),
    ...(registers ? { registers } : {}),
    ...(pairs ? { pairs } : {}),
    // A slow compiler takes seconds for one kernel of fragments.
    ...(matrices && !slowCompiler ? { matrices } : {}),
  };
}

/**
 * Threads of a workgroup where each thread has one of `count` tasks of its own, at most so many. On a processor, which
 * has no idle threads to fill, they divide the count where they can: no vector then has threads without a task.
 */
export function threadsFor(count: number, { deviceClass, subgroup, maxThreads }: Profile): number {
  const most = Math.min(64, maxThreads);
  if (deviceClass !== "processor") return most;
  let threads = most;
  while (threads > subgroup && count % threads !== 0) threads /= 2;
  return count % threads === 0 ? threads : most;
}

/** @deprecated The name of `deviceProfile` in versions before this one. */
export const adapterProfile = deviceProfile;
