/**
 * Memory of the processor device: one memory of WebAssembly that grows, and buffers as ranges of it. Kernels
 * may read a little beyond a buffer, so there is room at both ends.
 */
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
const mostPages = 65536;

interface Range {
  address: number;
  bytes: number;
}

export class CpuMemory {
  readonly memory: WasmMemory;
  /** By address; no two touch. */
  readonly #free: Range[] = [{ address: room, bytes: firstPages * pageBytes - room - room }];

  constructor({ Memory }: Pick<ReturnType<typeof wasmEngine>, "Memory">) {
    this.memory = new Memory({ initial: firstPages, maximum: mostPages });
  }

  /** All of it. It is another one once the memory has grown. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.memory.buffer);
  }

  /** @throws E423 where the engine gives no more memory. */
  allocate(bytes: number): CpuBuffer {
    const size = Math.max(alignment, Math.ceil(bytes / alignment) * alignment);
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
  range(buffer: DeviceBuffer, offset: number, bytes: number): Uint8Array<ArrayBuffer> {
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
    if (before / pageBytes + pages > mostPages) return undefined;
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

function outOfMemory(bytes: number): never {
  throw diagnose("E423", {
    message: `the processor device has no ${bytes} bytes left: its memory ends at 4 GiB, or the engine gives no more`,
    help: "close sessions, use a smaller batch or image, or compile with a narrower weightFormat",
  });
}
