/** Copies of what a call may change, on the device: an aborted call is undone by them. */
import type { Device, DeviceBuffer } from "./devices/device.ts";

export interface Keeper {
  /** Copies buffers as they are; returns what makes them so again. */
  keep(buffers: readonly DeviceBuffer[]): Promise<() => Promise<void>>;
  /** Frees the copies. */
  free(): void;
}

/** The copies' memory is kept from call to call. */
export function createKeeper(device: Device): Keeper {
  const copies = new Map<DeviceBuffer, DeviceBuffer>();
  return {
    async keep(buffers) {
      const missing = buffers.filter((b) => !copies.has(b));
      const made = await device.allocate(
        missing.map(({ bytes }) => ({ role: "arena", bytes }) as const),
      );
      for (const [i, buffer] of missing.entries()) copies.set(buffer, made[i]!);
      const pairs = buffers.map((b) => [b, copies.get(b)!] as const);
      await device.copy(pairs);
      return async () => device.copy(pairs.map(([buffer, copy]) => [copy, buffer] as const));
    },
    free() {
      for (const copy of copies.values()) copy.destroy();
    },
  };
}
