/** Every op's samples and derivatives on the processor device, fused and not, with subgroups and without. */
import { afterAll } from "vitest";
import { defaultProfile, deviceProfile } from "../../compiler/profile.ts";
import { openDevice } from "../../runtime/node/index.ts";
import { onDevice, testSamples, type Way } from "../support/op-samples.ts";

const { device } = await openDevice({ kind: "cpu" });
afterAll(() => device.destroy());

const own = deviceProfile(device.capabilities);
const { fma: _, ...withoutFma } = own;
const runs: readonly Way[] = [
  ["fused", "fused", own],
  ["unfused, without fma", "unfused", withoutFma],
  // Workgroups of many threads, with barriers.
  ["with barriers", "fused", defaultProfile],
  ["unfused, with barriers", "unfused", defaultProfile],
  ["with reductions", "unfused", { ...own, subgroup: 0, reduces: true }],
];

testSamples(onDevice(device), runs);
