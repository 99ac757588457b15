/**
 * What a device can, in words that belong to no interface. Each device says it of itself; the compile
 * profile is made of it (`deviceProfile`). Plain data: it can be kept as JSON, to compile for a device
 * that is elsewhere.
 */
import type { MatrixUnits } from "./plan.ts";

/** What the model of a tile's time needs to know of a device: how wide it is, how far its memory. */
export type DeviceClass = "discrete" | "integrated" | "software" | "processor" | "unknown";

export interface Capabilities {
  /** A few words for messages, and the name of the profile. */
  readonly name: string;
  readonly deviceClass: DeviceClass;
  /** Bytes of the largest range of a buffer that a kernel can read or write. */
  readonly maxBindingBytes: number;
  /** Bytes of the largest buffer. */
  readonly maxBufferBytes: number;
  /** Buffers of one kernel. */
  readonly maxBindings: number;
  /** Bytes of workgroup memory. */
  readonly maxSharedBytes: number;
  /** Threads of a workgroup. */
  readonly maxThreads: number;
  /** Workgroups along one axis. */
  readonly maxGroups: number;
  /** What the offset of a binding must be a multiple of, in bytes. */
  readonly alignment: number;
  /** Undefined: its kernels have no subgroups. */
  readonly subgroups?: Subgroups;
  /** Whether kernels can load and store halves. */
  readonly half: boolean;
  /** Whether kernels can load and store bfloat16; undefined: they cannot. */
  readonly bfloat?: boolean;
  /**
   * Whether kernels can ask for `fma` rounded once. Undefined: they cannot, or it is the device's own affair, as on
   * GPUs.
   */
  readonly fma?: boolean;
  /**
   * Vector registers of a processor whose kernels are compiled as C; undefined: its kernels are WebAssembly, or
   * it is no processor.
   */
  readonly registers?: number;
  /** Whether two vectors that follow each other are computed at once, whatever the target says of vectors. */
  readonly pairs?: boolean;
  /** The matrix fragments that it multiplies; undefined: none. */
  readonly matrices?: MatrixUnits;
  /**
   * Whether a barrier takes far more time than values that threads of a subgroup pass to each other,
   * as where a processor does the work and a barrier switches the state of every thread.
   */
  readonly slowBarriers: boolean;
  /** Whether long texts take its compiler seconds: loops must then not be unrolled. */
  readonly slowCompiler: boolean;
  /** What the device says of itself: whose tuning fits it. */
  readonly identity?: DeviceIdentity;
}

export interface Subgroups {
  /** The fewest and the most threads that a full subgroup may have: equal if there is one width. */
  readonly least: number;
  readonly most: number;
  /** Whether a kernel can number the subgroups of its workgroup: it can then combine them. */
  readonly numbered: boolean;
  /** Widths, one of which kernels may ask for: they are compiled for it. Unless given all have the one width. */
  readonly widths?: readonly number[];
}

/** In the words of the device and its driver; what they do not say is the empty string. */
export interface DeviceIdentity {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  /** The driver's version included. */
  readonly description: string;
}

/** The one width that all subgroups have; 0 if there are several, or none. */
export const subgroupWidth = ({ subgroups }: Pick<Capabilities, "subgroups">): number =>
  subgroups && subgroups.least === subgroups.most ? subgroups.most : 0;
