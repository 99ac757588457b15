/**
 * Devices as the models of kernels' time see them. The numbers are those of a usual device of each
 * class, not of any one: they rank tiles, and measuring decides where that is not enough.
 */
import type { DeviceClass } from "../capabilities.ts";
import type { Profile } from "../profile.ts";

export interface DeviceModel {
  /** Cores: what one workgroup runs on (a streaming multiprocessor, a compute unit). */
  readonly cores: number;
  /** Multiplications of a core in one clock. */
  readonly lanes: number;
  /** Threads that go in step. */
  readonly width: number;
  /** Threads of a core, its registers, and its bytes of workgroup memory. */
  readonly threads: number;
  readonly registers: number;
  readonly sharedBytes: number;
  /** Of workgroup memory, and of what is behind it, per core. */
  readonly sharedBytesPerClock: number;
  readonly bytesPerClock: number;
  /** Clocks until a load from memory is there. */
  readonly latency: number;
  /** Sums that a thread can keep in registers beside all else. */
  readonly sums: number;
  /** Clocks that a barrier takes for each thread. */
  readonly barrier: number;
}

interface Need {
  readonly threads: number;
  readonly sharedBytes: number;
  /** Of one thread. */
  readonly registers: number;
}

const discrete: DeviceModel = {
  cores: 80,
  lanes: 128,
  width: 32,
  threads: 1536,
  registers: 65536,
  sharedBytes: 96 * 1024,
  sharedBytesPerClock: 128,
  bytesPerClock: 32,
  latency: 600,
  sums: 64,
  barrier: 0.25,
};

const integrated: DeviceModel = {
  ...discrete,
  cores: 12,
  threads: 1024,
  sharedBytes: 48 * 1024,
  bytesPerClock: 16,
  latency: 400,
  sums: 32,
};

const models: Readonly<Record<DeviceClass, DeviceModel>> = {
  discrete,
  integrated,
  unknown: { ...integrated, cores: 32, sharedBytes: 32 * 1024 },
  // Threads are lanes of a processor's vectors; a barrier stores and loads the state of each.
  software: {
    ...{ cores: 2, lanes: 8, width: 8, threads: 256, registers: 2 ** 20, sharedBytes: 2 ** 20 },
    ...{ sharedBytesPerClock: 4, bytesPerClock: 4, latency: 50, sums: 16, barrier: 50 },
  },
  // Lanes of its own vectors; between barriers they take turns.
  processor: {
    ...{ cores: 1, lanes: 4, width: 4, threads: 256, registers: 2 ** 20, sharedBytes: 2 ** 20 },
    ...{ sharedBytesPerClock: 16, bytesPerClock: 8, latency: 20, sums: 12, barrier: 4 },
  },
};

export const deviceModel = (profile: Profile): DeviceModel => models[profile.deviceClass];

/** Workgroups that a core holds at once: as many as its threads, registers and memory allow. */
export const residentGroups = (device: DeviceModel, need: Need): number =>
  Math.floor(
    Math.min(
      16,
      device.threads / need.threads,
      device.registers / (need.registers * need.threads),
      device.sharedBytes / Math.max(1, need.sharedBytes),
    ),
  );
