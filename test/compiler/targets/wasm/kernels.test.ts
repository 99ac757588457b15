/** Random kernels give on the processor what they give on the reference device, bit for bit. */
import { expect, test } from "vitest";
import { cpuDevice } from "../../../../runtime/devices/cpu.ts";
import { referenceDevice } from "../../../../runtime/devices/reference.ts";
import { drawKernel, drawnInputs, unsigned } from "../../../support/drawn-kernels.ts";
import { runKernel } from "../../../support/one-kernel.ts";

test("random kernels do what they mean", async () => {
  const [cpu, reference] = [cpuDevice(), referenceDevice()];
  for (let seed = 0; seed < 400; seed++) {
    const kernel = drawKernel(seed);
    const wanted = unsigned(await runKernel(reference, kernel, drawnInputs));
    const got = unsigned(await runKernel(cpu, kernel, drawnInputs));
    expect(got, `seed ${seed}`).toEqual(wanted);
  }
});
