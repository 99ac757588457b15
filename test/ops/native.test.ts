/** Every op's samples and derivatives as C: in lanes, and in workgroups of many threads with barriers. */
import { afterAll } from "vitest";
import { defaultProfile, deviceProfile } from "../../compiler/profile.ts";
import { describeNative, openBatchDevice } from "../support/native.ts";
import { onDevice, testSamples } from "../support/op-samples.ts";

const opened = await openBatchDevice();
afterAll(() => opened?.device.destroy());

describeNative("on the native device", () => {
  if (!opened) return;
  const { device, add } = opened;
  testSamples({ ...onDevice(device), prepare: add }, [
    ["in lanes", "fused", deviceProfile(device.capabilities)],
    ["with barriers", "fused", defaultProfile],
  ]);
});
