/** What is no device, and what to pass instead (E440). */
import { describe, expect, test } from "vitest";
import { compile, graphOf, input } from "../../../compiler/index.ts";
import { hashedWeights } from "../../../models/sam/hashed.ts";
import { compileSam, Sam } from "../../../models/sam/sam.ts";
import { add } from "../../../ops/index.ts";
import { loadSamBundle } from "../../../predict/bundle.ts";
import { createSamPredictor } from "../../../predict/sam.ts";
import { loadBundle } from "../../../runtime/bundle/model.ts";
import { asDevice } from "../../../runtime/devices/any.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { requestNullGpu } from "../../../runtime/node/index.ts";
import { createSession } from "../../../runtime/session.ts";
import { tinySam } from "../../support/sam-small.ts";
import { refusal } from "../../support/weights-files.ts";

const things: readonly (readonly [string, unknown, string])[] = [
  ["nothing", undefined, "pass a GPUDevice, or the device of openDevice()"],
  ["null", null, "pass a GPUDevice"],
  ["an adapter of WebGPU", { requestDevice() {} }, "await adapter.requestDevice()"],
  ["navigator.gpu", { requestAdapter() {} }, "requestAdapter()).requestDevice()"],
  ["a promise", Promise.resolve(referenceDevice()), "await it first"],
  ["what openDevice returns", { device: referenceDevice() }, "const { device } ="],
  ["a name", "webgpu", "pass a GPUDevice"],
  ["a queue alone", { queue: {} }, "pass a GPUDevice"],
];

describe("E440 for", () => {
  test.each(things)("%s", async (_, given, help) => {
    const error = await refusal(() => asDevice(given as GPUDevice));
    expect(error.code).toBe("E440");
    expect(error.details.help).toContain(help);
  });

  test("nothing, wherever a device is asked for", async () => {
    const none = undefined as unknown as GPUDevice & ReturnType<typeof referenceDevice>;
    const plan = compile(graphOf([{ name: "y", tensor: add(input("x", "f32", [1]), 1) }]));
    const plans = compileSam(tinySam, { target: "reference" });
    const weights = hashedWeights(tinySam, "test");
    for (const load of [
      () => createSession(plan, none),
      () => loadBundle({} as never, none),
      () => loadSamBundle({} as never, none),
      () => createSamPredictor({ plans, weights, device: none }),
      () => Sam.load(weights, { device: none, config: tinySam }),
    ])
      expect((await refusal(load)).code).toBe("E440");
  });
});

test("one GPUDevice is one device, however often it is passed", async () => {
  const gpu = await requestNullGpu();
  expect(asDevice(gpu.device)).toBe(asDevice(gpu.device));
  const own = referenceDevice();
  expect(asDevice(own)).toBe(own);
  gpu.destroy();
});
