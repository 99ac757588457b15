/** Random kernels give as C what they give on the reference device, bit for bit. */
import { expect, test } from "vitest";
import { referenceDevice } from "../../../../runtime/devices/reference.ts";
import { drawKernel, drawnInputs, unsigned } from "../../../support/drawn-kernels.ts";
import { describeNative, openQuickDevice } from "../../../support/native.ts";
import { runKernel, runKernels } from "../../../support/one-kernel.ts";

describeNative("random kernels", () => {
  test("do what they mean", async () => {
    const device = (await openQuickDevice(2))!;
    const reference = referenceDevice();
    for (let from = 0; from < 160; from += 40) {
      const kernels = Array.from({ length: 40 }, (_, i) => drawKernel(from + i));
      const all = await runKernels(device, kernels, drawnInputs);
      for (const [i, kernel] of kernels.entries()) {
        const wanted = unsigned(await runKernel(reference, kernel, drawnInputs));
        expect(unsigned(all[i]!), `seed ${from + i}`).toEqual(wanted);
      }
    }
    device.destroy();
  });
});
