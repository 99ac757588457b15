/**
 * Memory of the processor device: one memory of WebAssembly that grows, and buffers as ranges of it. Kernels
 * may read a little beyond a buffer, so there is room at both ends.
 */
import { formatBytes } from "../../diagnostics/bytes.ts";
import { diagnose } from "../../diagnostics/index.ts";
import { checkHeld, type DeviceBuffer } from "./device.ts";
import type { WasmMemory, wasmEngine } from "./web-assembly.ts";

export interface CpuBuffer extends DeviceBuffer {
  /** Its first byte in the device's memory. */
  readonly address: number;
  isFreed: boolean;
}

/** Bytes that stay unused at both ends. */
const room = 256;
/** What addresses are multiples of: a line of a cache. */
const alignment = 64;
const pageBytes = 65536;
const firstPages = 16;
/** As many as addresses of 32 bits reach. */
const reachedPages = 65536;

/** What a buffer takes. */
const sizeOf = (bytes: number): number =>
  Math.max(alignment, Math.ceil(bytes / alignment) * alignment);

interface Range {
  address: number;
  bytes: number;
}

export class CpuMemory {
  readonly memory: WasmMemory;
  /** Whether threads share it. */
  readonly isShared: boolean;
  /** Of 64 KiB, to which it grows. */
  readonly mostPages: number;
  /** By address; no two touch. */
  readonly #free: Range[] = [{ address: room, bytes: firstPages * pageBytes - room - room }];

  /** @throws E423 where the engine gives none. */
  constructor(engine: Pick<ReturnType<typeof wasmEngine>, "Memory">, isShared: boolean) {
    this.isShared = isShared;
    [this.memory, this.mostPages] = openMemory(engine, isShared);
  }

  /** All of it. It is another one once the memory has grown. */
  get bytes(): Uint8Array {
    return new Uint8Array(this.memory.buffer);
  }

  /** @throws E423 for buffers that together are more than the memory can have, before it grows for any. */
  checkRoom(buffers: readonly number[]): void {
    const asked = buffers.reduce((sum, bytes) => sum + sizeOf(bytes), 0);
    const grown = this.memory.buffer.byteLength;
    const free = this.#free.reduce((sum, { bytes }) => sum + bytes, 0);
    if (asked > free + this.mostPages * pageBytes - grown) outOfMemory(asked, grown - free);
  }

  /** @throws E423 where the engine gives no more memory. */
  allocate(bytes: number): CpuBuffer {
    const size = sizeOf(bytes);
    const address = this.#take(size) ?? this.#grow(size) ?? outOfMemory(bytes);
    const release = () => this.#release({ address, bytes: size });
    const buffer: CpuBuffer = {
      ...{ bytes, address, isFreed: false },
      destroy() {
        if (!buffer.isFreed) release();
        buffer.isFreed = true;
      },
    };
    return buffer;
  }

  /** The bytes of a range of a buffer. @throws E427 for one that was freed. */
  range(buffer: DeviceBuffer, offset: number, bytes: number): Uint8Array {
    checkHeld(buffer);
    const first = (buffer as CpuBuffer).address + offset;
    return this.bytes.subarray(first, first + bytes);
  }

  #take(bytes: number): number | undefined {
    const i = this.#free.findIndex((range) => range.bytes >= bytes);
    const found = this.#free[i];
    if (!found) return undefined;
    const { address } = found;
    found.address += bytes;
    found.bytes -= bytes;
    if (found.bytes === 0) this.#free.splice(i, 1);
    return address;
  }

  #grow(bytes: number): number | undefined {
    const pages = Math.ceil(bytes / pageBytes);
    const before = this.memory.buffer.byteLength;
    if (before / pageBytes + pages > this.mostPages) return undefined;
    try {
      this.memory.grow(pages);
    } catch (cause) {
      if (cause instanceof RangeError) return undefined;
      throw cause;
    }
    this.#release({ address: before - room, bytes: pages * pageBytes });
    return this.#take(bytes);
  }

  #release(range: Range): void {
    const i = this.#free.findIndex(({ address }) => address > range.address);
    this.#free.splice(i < 0 ? this.#free.length : i, 0, range);
    for (let at = this.#free.length - 1; at > 0; at--) {
      const [a, b] = [this.#free[at - 1]!, this.#free[at]!];
      if (a.address + a.bytes !== b.address) continue;
      a.bytes += b.bytes;
      this.#free.splice(at, 1);
    }
  }
}

/** Shared memory is set aside as far as it may grow, and some engines have less than addresses reach. */
function openMemory(
  { Memory }: Pick<ReturnType<typeof wasmEngine>, "Memory">,
  shared: boolean,
): [WasmMemory, mostPages: number] {
  for (let maximum = reachedPages; maximum >= firstPages; maximum /= 2)
    try {
      return [new Memory({ initial: firstPages, maximum, shared }), maximum];
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
    }
  return outOfMemory(firstPages * pageBytes);
}

/** Memory that kernels use while they run: one range for each thread, since one step runs at a time. */
export class Scratch {
  readonly #memory: CpuMemory;
  readonly #threads: number;
  #held: CpuBuffer | undefined;
  readonly #outgrown: CpuBuffer[] = [];

  constructor(memory: CpuMemory, threads: number) {
    this.#memory = memory;
    this.#threads = threads;
  }

  /** Bytes between the ranges of two threads, of which each uses so many: no line of a cache is in both. */
  strideOf(bytes: number): number {
    return Math.ceil(bytes / alignment) * alignment;
  }

  /** Has room for kernels that use so many bytes. */
  hold(bytes: number): void {
    const all = this.strideOf(bytes) * this.#threads;
    if (all <= (this.#held?.bytes ?? 0)) return;
    const larger = this.#memory.allocate(all);
    if (this.#held) this.#outgrown.push(this.#held);
    this.#held = larger;
  }

  /** Where it begins, for a step that is about to run: none is running now. */
  enter(): number {
    for (const range of this.#outgrown.splice(0)) range.destroy();
    return this.#held?.address ?? 0;
  }
}

function outOfMemory(bytes: number, taken?: number): never {
  const beside = taken === undefined ? "" : ` beside the ${formatBytes(taken)} that are taken`;
  throw diagnose("E423", {
    message: `the processor device has no ${formatBytes(bytes)} left${beside}: its memory ends at 4 GiB, or the engine gives no more`,
    help: 'close sessions, use a smaller batch or image, compile with { precision: "mixed" } or train with a budget; or open another device (inarch plan --target wasm says what a model takes)',
  });
}
