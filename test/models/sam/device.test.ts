/** A small SAM on a WebGPU device: the reference's numbers, from files to masks. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseSamConfig } from "../../../models/sam/config.ts";
import { hashedWeights } from "../../../models/sam/hashed.ts";
import { Sam } from "../../../models/sam/sam.ts";
import { image, pickLogits, threshold, upsampleMasks } from "../../../predict/vision/index.ts";
import type { Device } from "../../../runtime/devices/device.ts";
import { openDevice } from "../../../runtime/node/device.ts";
import { openWeightsFile } from "../../../runtime/node/weights.ts";
import type { Weights } from "../../../runtime/weights/index.ts";
import { randomNumbers, relativeError } from "../../../verify/ops/evaluate.ts";
import { describeOnDevice } from "../../support/device.ts";
import { fixture } from "../../support/fixtures.ts";
import { plainDecoder, plainEncoder } from "../../support/sam-plain.ts";
import { flat, oddSam, plainWeights } from "../../support/sam-small.ts";
import { fixturePath } from "../../support/weights-files.ts";

describeOnDevice("a SAM on a device", () => {
  let device: Device;
  let weights: Weights;
  beforeAll(async () => {
    ({ device } = await openDevice({ kind: "webgpu" }));
    weights = await openWeightsFile(fixturePath("sam_nano.pth"));
  });
  afterAll(async () => {
    await weights?.close();
    device?.destroy();
  });

  test("finds the reference's masks on a photograph, from its pixels to its pixels", async () => {
    const { tensors } = fixture("sam_nano_padded.safetensors");
    const [, , height, width] = tensors.get("original_rgb")!.shape as [
      number,
      number,
      number,
      number,
    ];
    const planes = tensors.get("original_rgb")!.data as Uint8Array;
    const area = width * height;
    const bytes = Uint8Array.from(
      { length: 3 * area },
      (_, i) => planes[(i % 3) * area + Math.floor(i / 3)]!,
    );
    const config = parseSamConfig(readFileSync(fixturePath("sam_nano.config.json"), "utf8"));
    const sam = await Sam.load(weights, { device, config });
    const frame = await sam.setImage(image(width, height, bytes));
    // The file's points lie in the padding, where no click can be; without any it has masks too.
    const { masks, scores, lowResLogits } = await sam.predict({ multimask: true });
    const reference = (name: string) => tensors.get(`none.multimask.${name}`)!.data as Float32Array;
    expect(relativeError(lowResLogits.data, reference("low_res_logits"))).toBeLessThan(1e-4);
    expect(relativeError(scores, reference("iou"))).toBeLessThan(1e-4);
    const full = threshold(upsampleMasks(reference("low_res_logits"), [3, 32, 32], frame));
    for (const [i, mask] of masks.entries()) {
      const inside = full.subarray(i * area, (i + 1) * area);
      const both = mask.data.reduce((sum, pixel, at) => sum + (pixel & inside[at]!), 0);
      const either = mask.data.reduce((sum, pixel, at) => sum + (pixel | inside[at]!), 0);
      expect(both / either).toBeGreaterThanOrEqual(0.999);
    }
    await sam.close();
  });

  test("equals the plain SAM at other sizes, for a picture higher than wide", async () => {
    const sam = await Sam.load(hashedWeights(oddSam, "test"), { device, config: oddSam });
    const pixels = Uint8Array.from(randomNumbers(50 * 84 * 3, 4, [0, 255]));
    // As high as the model's input: nothing is resized, so the input is known without a resizer.
    await sam.setImage(image(50, 84, pixels));
    const prediction = await sam.predict({ box: [3, 4, 40, 70], multimask: true });
    const [mean, deviation] = [
      [123.675, 116.28, 103.53],
      [58.395, 57.12, 57.375],
    ];
    const input = Float64Array.from({ length: 3 * 84 * 84 }, (_, i) => {
      const [c, y, x] = [Math.floor(i / 7056), Math.floor(i / 84) % 84, i % 84];
      return x < 50 ? (pixels[(y * 50 + x) * 3 + c]! - mean![c]!) / deviation![c]! : 0;
    });
    const at = plainWeights(oddSam, "test");
    const { output } = plainEncoder(oddSam, at, input);
    const plain = plainDecoder(oddSam, at, output, { points: [], labels: [], box: [3, 4, 40, 70] });
    const expected = flat(plain.masks.slice(1));
    expect(relativeError(prediction.lowResLogits.data, expected)).toBeLessThan(1e-5);
    expect(relativeError(prediction.scores, plain.iou.slice(1))).toBeLessThan(1e-5);

    const refined = await sam.predict({ mask: pickLogits(prediction.lowResLogits, 1) });
    const mask = prediction.lowResLogits.data.subarray(28 * 28);
    const again = plainDecoder(oddSam, at, output, { points: [], labels: [], mask });
    expect(relativeError(refined.lowResLogits.data, again.masks[0]!)).toBeLessThan(1e-5);
    await sam.close();
  });
});
