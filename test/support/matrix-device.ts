/**
 * Tests on a device that multiplies matrix fragments. Few do: real GPUs with Dawn's experimental
 * features, and the newest software driver, in which `npm run test:matrix` runs these tests. Elsewhere
 * they are skipped, and say why; with INARCH_MATRICES=required they fail instead.
 */
import type { MatrixUnits } from "../../compiler/plan.ts";
import type { Device } from "../../runtime/devices/device.ts";
import { openDevice } from "../../runtime/node/index.ts";
import { deviceTest } from "./device.ts";

/** `test` on such a device, which is open until the work is done. */
export function matrixTest(
  claim: string,
  work: (device: Device, matrices: MatrixUnits) => Promise<void>,
): void {
  deviceTest(claim, async ({ skip }) => {
    const { device } = await openDevice({ toggles: ["allow_unsafe_apis"] });
    const { matrices, name } = device.capabilities;
    try {
      if (matrices) return await work(device, matrices);
      const reason = `${name} multiplies no matrix fragments`;
      if (process.env.INARCH_MATRICES === "required") throw new TypeError(reason);
      console.warn(`SKIPPED: ${reason}; npm run test:matrix brings a driver that does`);
      skip(reason);
    } finally {
      device.destroy();
    }
  });
}
