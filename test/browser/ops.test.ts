/** A sample of every op, and its derivative, on WebGPU in a page. */
import { afterAll } from "vitest";
import type { Capabilities } from "../../compiler/capabilities.ts";
import { deviceProfile } from "../../compiler/profile.ts";
import { bundlePage, openChromium } from "../support/chromium.ts";
import { describeInBrowser, withoutBrowser } from "../support/device.ts";
import { type Place, testSamples } from "../support/op-samples.ts";

const source = `
import { createSession, webgpuDevice } from "./entries/runtime.ts";

const adapter = await navigator.gpu.requestAdapter();
const device = webgpuDevice(
  await adapter.requestDevice({ requiredFeatures: ["subgroups"], requiredLimits: { maxStorageBuffersPerShaderStage: adapter.limits.maxStorageBuffersPerShaderStage } }),
);

export const capabilities = () => device.capabilities;

export async function run(plan, inputs) {
  const session = await createSession(plan, device);
  const results = await session.run(inputs);
  await session.close();
  return results;
}
`;

async function openPlace(): Promise<Place & { close(): Promise<void> }> {
  const chromium = await openChromium();
  const page = await chromium.open({ script: await bundlePage(source), files: {} });
  return {
    target: "wgsl",
    capabilities: await page.call<Capabilities>("capabilities"),
    run: (plan, inputs) => page.call("run", plan, inputs),
    async close() {
      await page.close();
      await chromium.close();
    },
  };
}

const place = withoutBrowser ? undefined : await openPlace();
afterAll(() => place?.close());

describeInBrowser("in a page of Chromium", () => {
  if (!place) return;
  // A sample of each op, and its derivative: all of them take too long on a software device.
  testSamples(place, [["fused", "fused", deviceProfile(place.capabilities)]], "last");
});
