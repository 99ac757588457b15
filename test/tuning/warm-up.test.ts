/** A GPU is kept at work before it is measured, a processor is not. */
import { expect, test } from "vitest";
import type { DeviceClass } from "../../compiler/capabilities.ts";
import { warmUp } from "../../tuning/warm-up.ts";

async function runsOn(deviceClass: DeviceClass): Promise<number> {
  let runs = 0;
  await warmUp({ deviceClass }, async () => {
    runs++;
    await new Promise((resolve) => setTimeout(resolve, 20));
  });
  return runs;
}

test("a GPU is given work for more than half a second", async () => {
  const begun = performance.now();
  expect(await runsOn("discrete")).toBeGreaterThan(1);
  expect(performance.now() - begun).toBeGreaterThan(500);
});

test.each(["software", "processor"] as const)("a %s device is given none", async (deviceClass) => {
  expect(await runsOn(deviceClass)).toBe(0);
});
