/** Every op's samples and derivatives as C, in workgroups of many threads with barriers: a file of its own, since compiling takes long. */
import { afterAll } from "vitest";
import { defaultProfile } from "../../../compiler/profile.ts";
import { describeNative, openQuickDevice } from "../../support/native.ts";
import { onDevice, testSamples } from "../../support/op-samples.ts";

const device = await openQuickDevice();
afterAll(() => device?.destroy());

describeNative("on the native device", () => {
  if (!device) return;
  testSamples(onDevice(device), [["with barriers", "fused", defaultProfile]]);
});
