/**
 * A compile profile: the limits that every kernel and every buffer must respect. `default` is what
 * WebGPU guarantees everywhere; an adapter's own limits make another one.
 */
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
};
