/** Calls on a SAM: prompts and pictures are copied, an aborted call never was, a lost device says so. */
import { describe, expect, test } from "vitest";
import { hashedWeights } from "../../models/sam/hashed.ts";
import { compileSam, Sam } from "../../models/sam/sam.ts";
import { createSamPredictor } from "../../predict/sam.ts";
import { image } from "../../predict/vision/index.ts";
import type { Device } from "../../runtime/devices/device.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { webgpuDevice } from "../../runtime/devices/webgpu.ts";
import { requestGpu, requestNullGpu } from "../../runtime/node/index.ts";
import { randomNumbers } from "../../verify/ops/evaluate.ts";
import { deviceTest } from "../support/device.ts";
import { tinySam } from "../support/sam-small.ts";
import { refusal } from "../support/weights-files.ts";

const weights = hashedWeights(tinySam, "test");
const noise = (width: number, height: number, seed: number) =>
  image(width, height, Uint8Array.from(randomNumbers(width * height * 3, seed, [0, 255])));
const load = (device: Device) => Sam.load(weights, { device, config: tinySam });

describe("calls on a SAM", () => {
  test("own what they were given: prompts and pixels may be used again", async () => {
    const sam = await load(referenceDevice());
    const picture = noise(45, 31, 1);
    const set = sam.setImage(picture);
    const expected = sam.predict({ points: [[7, 9]], labels: [1] });
    const point: [number, number] = [7, 9];
    const labels: (0 | 1)[] = [1];
    const mine = sam.predict({ points: [point], labels });
    picture.data.fill(0);
    point[0] = 40;
    labels[0] = 0;
    await set;
    expect(await mine).toEqual(await expected);
    await sam.close();
  });

  test("a picture whose encoding is aborted leaves the one before", async () => {
    const sam = await load(referenceDevice());
    await sam.setImage(noise(45, 31, 1));
    const before = await sam.predict({ points: [[7, 9]] });
    for (const wait of [undefined, 5]) {
      const controller = new AbortController();
      const set = sam.setImage(noise(20, 40, 2), { signal: controller.signal });
      const after = sam.predict({ points: [[7, 9]] });
      if (wait !== undefined) await new Promise((resolve) => setTimeout(resolve, wait));
      controller.abort(new RangeError("enough"));
      const outcome = await set.catch((error) => error.message);
      if (outcome !== "enough") break;
      expect(sam.frame()!.originalSize.width).toBe(45);
      expect(await after).toEqual(before);
    }
    await sam.close();
  });

  test("a prediction that is aborted stops at once, whatever is compiled for it", async () => {
    const plans = compileSam(tinySam, { target: "reference" });
    const decode = (bucket: number) =>
      bucket > 8 ? new Promise<never>(() => {}) : plans.decode(bucket);
    const device = referenceDevice();
    const sam = await createSamPredictor({ plans: { ...plans, decode }, weights, device });
    await sam.setImage(noise(45, 31, 1));
    const points = Array.from({ length: 9 }, (_, i) => [i, i] as const);
    const controller = new AbortController();
    const { signal } = controller;
    const predicted = sam.predict({ points, signal });
    const after = sam.predict({ points: [[7, 9]] });
    setTimeout(() => controller.abort(new RangeError("enough")), 5);
    await expect(predicted).rejects.toThrow("enough");
    expect((await after).masks.length).toBe(1);
    await expect(sam.predict({ signal })).rejects.toThrow("enough");
  });

  test("the signal of loading has no say in what is loaded later", async () => {
    const controller = new AbortController();
    const sam = await Sam.load(weights, {
      ...{ device: referenceDevice(), config: tinySam, signal: controller.signal },
    });
    controller.abort();
    await sam.setImage(noise(45, 31, 1));
    const points = Array.from({ length: 9 }, (_, i) => [i, i] as const);
    expect((await sam.predict({ points })).masks.length).toBe(1);
    await sam.close();
  });

  test("loading can be aborted, whatever the weights are doing", async () => {
    const never = () => ({ next: () => new Promise<never>(() => {}) });
    const hung = { ...weights, chunks: () => ({ [Symbol.asyncIterator]: never }) };
    const controller = new AbortController();
    const loading = createSamPredictor({
      plans: compileSam(tinySam, { target: "reference" }),
      ...{ weights: hung, device: referenceDevice(), signal: controller.signal },
    });
    setTimeout(() => controller.abort(new RangeError("enough")), 5);
    await expect(loading).rejects.toThrow("enough");
  });

  test("a device that is lost while it loads rejects the loading (E422)", async () => {
    const gpu = await requestNullGpu();
    const loading = load(webgpuDevice(gpu.device));
    setTimeout(() => gpu.device.destroy(), 0);
    expect((await refusal(() => loading)).code).toBe("E422");
    gpu.destroy();
  });

  deviceTest("a lost device is E422 in every call, and told by `lost`", async () => {
    const gpu = await requestGpu();
    const sam = await load(webgpuDevice(gpu.device));
    const set = sam.setImage(noise(45, 31, 1));
    gpu.device.destroy();
    expect((await refusal(() => set)).code).toBe("E422");
    expect((await refusal(() => sam.predict({ points: [[7, 9]] }))).code).toBe("E422");
    expect((await refusal(() => sam.setImage(noise(45, 31, 1)))).code).toBe("E422");
    expect(await sam.lost).toContain("destroyed");
    await sam.close();
    gpu.destroy();
  });
});
