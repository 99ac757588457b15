/** Every op's samples and derivatives as C, in lanes. */
import { afterAll } from "vitest";
import { deviceProfile } from "../../../compiler/profile.ts";
import { describeNative, openQuickDevice } from "../../support/native.ts";
import { onDevice, testSamples } from "../../support/op-samples.ts";

const device = await openQuickDevice();
afterAll(() => device?.destroy());

describeNative("on the native device", () => {
  if (!device) return;
  testSamples(onDevice(device), [["in lanes", "fused", deviceProfile(device.capabilities)]]);
});
