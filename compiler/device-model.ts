/**
 * Devices as the models of kernels' time see them. The numbers are those of a usual device of each
 * class, not of any one: they rank tiles, and measuring decides where that is not enough.
 */
import type { DeviceClass } from "./capabilities.ts";
import type { Profile } from "./profile.ts";

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
  /** Clocks of a round of copies to workgroup memory, in which each thread copies 16 numbers. */
  readonly copy: number;
  /** The part of the time for reading workgroup memory that multiplications do not hide. */
  readonly exposed: number;
  /** Sums that a thread can keep in registers beside all else: those of a product, of a walk. */
  readonly sums: number;
  readonly kept: number;
  /** Clocks that a barrier takes for each thread. */
  readonly barrier: number;
  /** Stands for devices with more cores and with fewer: how full the last wave is cannot be known. */
  readonly isFamily: boolean;
  /** Multiplications that take as long as one dispatch more. */
  readonly dispatch: number;
  /** One thing after the other: nothing hides behind anything, and every thread of a width loads by itself. */
  readonly serial: boolean;
}

interface Need {
  readonly threads: number;
  readonly sharedBytes: number;
  /** Of one thread. */
  readonly registers: number;
}

/**
 * `copy`, `exposed` and `kept` fit what was measured of 90 tiles of attention and of products on an H200. With
 * this `dispatch` a training step of ViT-B took 0.95 of the time there that it took with a hundredth of it.
 */
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
  copy: 1200,
  exposed: 0.5,
  sums: 64,
  kept: 40,
  barrier: 0.25,
  isFamily: true,
  dispatch: 1e8,
  serial: false,
};

const integrated: DeviceModel = {
  ...discrete,
  cores: 12,
  threads: 1024,
  sharedBytes: 48 * 1024,
  bytesPerClock: 16,
  latency: 400,
  copy: 800,
  sums: 32,
  dispatch: 1e6,
};

const models: Readonly<Record<DeviceClass, DeviceModel>> = {
  discrete,
  integrated,
  // It may be a processor: what only GPUs have is not counted.
  unknown: {
    ...{ ...integrated, cores: 32, sharedBytes: 32 * 1024 },
    ...{ copy: 0, exposed: 0, isFamily: false },
  },
  // Threads are lanes of a processor's vectors; a barrier stores and loads the state of each.
  software: {
    ...{ cores: 2, lanes: 8, width: 8, threads: 256, registers: 2 ** 20, sharedBytes: 2 ** 20 },
    ...{ sharedBytesPerClock: 3, bytesPerClock: 1, latency: 50, sums: 64, barrier: 50 },
    ...{ copy: 0, exposed: 0, kept: Number.POSITIVE_INFINITY, isFamily: false },
    ...{ dispatch: 1e6, serial: true },
  },
  // Lanes of its own vectors; between barriers they take turns.
  processor: {
    ...{ cores: 1, lanes: 4, width: 4, threads: 256, registers: 2 ** 20, sharedBytes: 2 ** 20 },
    ...{ sharedBytesPerClock: 16, bytesPerClock: 8, latency: 20, sums: 12, barrier: 4 },
    ...{ copy: 0, exposed: 0, kept: 24, isFamily: false, dispatch: 1e6, serial: false },
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

/**
 * How often all cores are filled, `perCore` workgroups on each at a time. Of a family of devices one workgroup more
 * is counted on each core, since the last time leaves some without.
 */
export function wavesOf({ cores, isFamily }: DeviceModel, groups: number, perCore: number): number {
  const waves = groups / (cores * perCore);
  return isFamily ? Math.max(1, waves + 1 / perCore) : Math.ceil(waves);
}

/**
 * Clocks of one step of the workgroups on a core: what its busiest unit takes, or as long as one of them takes by
 * itself where too few are there to hide its copies.
 */
export function stepOf(
  device: DeviceModel,
  { perCore, threads, work, shared, memory, rounds }: Step,
): number {
  const { lanes, width, exposed, copy, serial } = device;
  const multiplied = (work * Math.max(1, width / threads)) / lanes;
  const busy = serial
    ? multiplied + shared + memory
    : Math.max(multiplied + exposed * shared, shared, memory);
  return Math.max(perCore * busy, rounds * copy + work / Math.min(threads, lanes));
}

interface Step {
  readonly perCore: number;
  readonly threads: number;
  /** Multiplications, clocks of workgroup memory and of what is behind it, and rounds of copies, of a workgroup. */
  readonly work: number;
  readonly shared: number;
  readonly memory: number;
  readonly rounds: number;
}
