/** The devices that a command can be told to use. */
import type { Device } from "../../runtime/devices/device.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { openDevice as openWebGpu } from "../../runtime/node/device.ts";

export const deviceNames = ["webgpu", "reference"] as const;
export type DeviceName = (typeof deviceNames)[number];

/**
 * Opens a device; `destroy()` lets the process end. The reference device checks every access of every
 * thread, and is thousands of times slower.
 * @throws E400 to E406 where there is no WebGPU.
 */
export async function openDevice(name: DeviceName): Promise<Device> {
  switch (name) {
    case "reference":
      return referenceDevice();
    case "webgpu":
      return (await openWebGpu()).device;
  }
}
