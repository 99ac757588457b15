/**
 * The CUDA device: runs kernels of PTX, which the driver of an NVIDIA GPU assembles. The driver is that of
 * `CudaMachine`, which only Node has. A program is recorded once, and a run is one launch of what was recorded.
 */
import type { Capabilities } from "../../compiler/capabilities.ts";
import type { PlanKernel } from "../../compiler/plan.ts";
import { formatOf, storedBytes, wholeWords } from "../../formats/index.ts";
import {
  checkHeld,
  type Device,
  type DeviceBuffer,
  deviceLost,
  type Program,
  type Progress,
  type StepTime,
} from "./device.ts";
import { checkFits } from "./fits.ts";

/** What its kernels are. */
export const cudaTarget = "ptx";

/** What every GPU has that the target is printed for: compute capability 8.0 and later. */
export const cudaCapabilities = {
  name: "cuda",
  deviceClass: "discrete",
  maxBindingBytes: 2 ** 32 - 256,
  maxBufferBytes: 2 ** 32 - 256,
  maxBindings: 64,
  maxSharedBytes: 48 * 1024,
  maxThreads: 1024,
  maxGroups: 65535,
  alignment: 256,
  subgroups: { least: 32, most: 32, numbered: true },
  half: true,
  bfloat: true,
  matrices: {
    ...{ width: 32, widths: "fixed", numbered: true, sharedBytes: 99 * 1024 },
    products: [
      { operand: "f16", rows: 16, columns: 16, depth: 16 },
      { operand: "f16", rows: 16, columns: 8, depth: 16 },
      { operand: "bf16", rows: 16, columns: 16, depth: 16 },
      { operand: "bf16", rows: 16, columns: 8, depth: 16 },
    ],
  },
  slowBarriers: false,
  slowCompiler: false,
} as const satisfies Capabilities;

/** Bytes of shared memory that a launch gives to a kernel: none, unless it has more than kernels have by themselves. */
export const givenBytes = ({ sharedBytes }: PlanKernel): number =>
  sharedBytes > cudaCapabilities.maxSharedBytes ? sharedBytes : 0;

export type Address = bigint;

/** A kernel of the driver. */
export type CudaKernel = bigint;

export interface CudaLaunch {
  readonly kernel: CudaKernel;
  readonly groups: readonly [number, number, number];
  readonly threads: readonly [number, number, number];
  /** See `givenBytes`. */
  readonly given: number;
  readonly buffers: readonly Address[];
}

export interface CudaCopy {
  readonly from: Address;
  readonly to: Address;
  readonly bytes: number;
}

/** A GPU. Work is done in the order in which it was given. What is wrong is thrown as a coded error. */
export interface CudaMachine {
  /** What it says of itself. */
  readonly identity: NonNullable<Capabilities["identity"]>;
  /** Bytes of shared memory that a launch can give to a kernel. */
  readonly sharedBytes: number;
  /** @throws E423 */
  allocate(bytes: number): Address;
  /** Once what was given before is done. */
  free(address: Address): void;
  clear(address: Address, bytes: number): void;
  /** The bytes are copied when it returns. */
  write(to: Address, bytes: Uint8Array): void;
  copy(copy: CudaCopy): void;
  read(from: Address, bytes: number): Promise<Uint8Array<ArrayBuffer>>;
  /** @throws E425, E447 */
  compile(kernels: readonly PlanKernel[], onProgress: Progress): Promise<readonly CudaKernel[]>;
  /** Records work. @returns what starts it. It is there for as long as its owner. */
  record(launches: readonly CudaLaunch[], copies: readonly CudaCopy[], owner: object): () => void;
  /** Milliseconds of one launch. */
  time(launch: CudaLaunch): Promise<number>;
  /** Resolves with the reason when nothing more can be done. */
  readonly lost: Promise<string>;
  close(): void;
}

interface CudaBuffer extends DeviceBuffer {
  readonly address: Address;
  isFreed: boolean;
}

export function cudaDevice(machine: CudaMachine): Device {
  const { identity, sharedBytes } = machine;
  const matrices = { ...cudaCapabilities.matrices, sharedBytes };
  const capabilities: Capabilities = { ...cudaCapabilities, matrices, identity };
  let gone: string | undefined;
  let isDestroyed = false;
  const lost = new Promise<string>((resolve) => {
    void machine.lost.then((reason) => {
      gone = reason;
      resolve(reason);
    });
  });
  const checkAlive = () => {
    if (isDestroyed) throw deviceLost("it was destroyed");
    if (gone !== undefined) throw deviceLost(gone);
  };
  const addressOf = (buffer: DeviceBuffer, offset = 0): Address => {
    checkHeld(buffer);
    return (buffer as CudaBuffer).address + BigInt(offset);
  };
  const release = (address: Address) => {
    if (!isDestroyed && gone === undefined) machine.free(address);
  };
  return {
    target: cudaTarget,
    name: machine.identity.device,
    capabilities,
    lost,
    checkAlive,
    async allocate(buffers) {
      checkAlive();
      return allocateAll(machine, buffers, release);
    },
    write(to, offset, data) {
      checkAlive();
      const { buffer, byteOffset, byteLength } = data;
      machine.write(addressOf(to, offset), new Uint8Array(buffer, byteOffset, byteLength));
    },
    copy(pairs) {
      checkAlive();
      for (const [from, to] of pairs)
        machine.copy({ from: addressOf(from), to: addressOf(to), bytes: wholeWords(from.bytes) });
    },
    async read(from, offset, count, scalar) {
      checkAlive();
      const bytes = await machine.read(addressOf(from, offset), storedBytes(scalar, count));
      checkAlive();
      return new (formatOf(scalar).array!)(bytes.buffer, 0, count);
    },
    async load(plan, buffers, onProgress = () => {}) {
      checkAlive();
      checkFits(plan, capabilities);
      const kernels = await machine.compile(plan.kernels, onProgress);
      checkAlive();
      return programOf({ plan, kernels, buffers, machine, checkAlive, addressOf });
    },
    destroy() {
      if (isDestroyed) return;
      isDestroyed = true;
      machine.close();
    },
  };
}

/** All of them, or none. */
function allocateAll(
  machine: CudaMachine,
  buffers: Parameters<Device["allocate"]>[0],
  release: (address: Address) => void,
): DeviceBuffer[] {
  const made: CudaBuffer[] = [];
  try {
    for (const { bytes, role } of buffers) {
      const address = machine.allocate(wholeWords(bytes));
      const buffer: CudaBuffer = {
        ...{ bytes, address, isFreed: false },
        destroy() {
          if (!buffer.isFreed) release(address);
          buffer.isFreed = true;
        },
      };
      made.push(buffer);
      if (role === "state") machine.clear(address, wholeWords(bytes));
    }
  } catch (failure) {
    for (const buffer of made) buffer.destroy();
    throw failure;
  }
  return made;
}

interface Loaded {
  readonly plan: Parameters<Device["load"]>[0];
  readonly kernels: readonly CudaKernel[];
  readonly buffers: readonly DeviceBuffer[];
  readonly machine: CudaMachine;
  checkAlive(): void;
  addressOf(buffer: DeviceBuffer, offset: number): Address;
}

function programOf({ plan, kernels, buffers, machine, checkAlive, addressOf }: Loaded): Program {
  const launches = plan.steps.map(
    ({ kernel, groups, bindings }): CudaLaunch => ({
      kernel: kernels[kernel]!,
      groups,
      threads: plan.kernels[kernel]!.threads,
      given: givenBytes(plan.kernels[kernel]!),
      buffers: bindings.map(({ buffer, offset }) => addressOf(buffers[buffer]!, offset)),
    }),
  );
  const copies = plan.commits.map(
    ({ from, to }): CudaCopy => ({
      from: addressOf(buffers[from.buffer]!, from.offset),
      to: addressOf(buffers[to.buffer]!, to.offset),
      bytes: from.bytes,
    }),
  );
  const start = machine.record(launches, copies, buffers);
  const used = new Set(
    plan.steps.flatMap(({ bindings }) => bindings.map(({ buffer }) => buffers[buffer]!)),
  );
  const check = () => {
    checkAlive();
    for (const buffer of used) checkHeld(buffer);
  };
  return {
    run() {
      check();
      start();
      return { accepted: Promise.resolve() };
    },
    async profile(signal) {
      const times: StepTime[] = [];
      for (const [i, { label, kernel }] of plan.steps.entries()) {
        check();
        signal?.throwIfAborted();
        const milliseconds = await machine.time(launches[i]!);
        times.push({ label, kernel: plan.kernels[kernel]!.name, milliseconds });
      }
      return times;
    },
  };
}
