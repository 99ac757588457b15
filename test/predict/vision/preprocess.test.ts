import { expect, test } from "vitest";
import { image, splitMasks } from "../../../predict/vision/image.ts";
import {
  frameOf,
  normalize,
  preprocess,
  toModelPixels,
} from "../../../predict/vision/preprocess.ts";
import { fixture } from "../../support/fixtures.ts";

/** Picture `index` of a reference tensor `[count, 3, height, width]`. */
function pictureOf(file: string, name: string, index = 0) {
  const { shape, data } = fixture(file).tensors.get(name)!;
  const [height, width] = [shape[2]!, shape[3]!];
  const area = height * width;
  const at = (i: number) => index * 3 * area + (i % 3) * area + Math.floor(i / 3);
  return image(
    width,
    height,
    Uint8Array.from({ length: area * 3 }, (_, i) => Number(data[at(i)])),
  );
}

for (const [file, count] of [
  ["sam_nano.safetensors", 2],
  ["sam_nano_padded.safetensors", 1],
] as const) {
  test(`${file}: normalised and padded pictures equal the reference bit by bit`, () => {
    const expected = fixture(file).tensors.get("image_normalized")!.data as Float32Array;
    for (let index = 0; index < count; index++) {
      const input = normalize(pictureOf(file, "image_rgb", index), 128);
      const from = index * 3 * 128 * 128;
      expect(differing(input, expected.slice(from, from + 3 * 128 * 128))).toBe(0);
    }
  });
}

test("a picture of any size becomes the reference's input in one step", () => {
  const file = "sam_nano_padded.safetensors";
  const { input, frame } = preprocess(pictureOf(file, "original_rgb"), 128);
  const expected = fixture(file).tensors.get("image_normalized")!.data as Float32Array;
  expect(differing(input, expected)).toBe(0);
  expect(frame).toEqual({
    originalSize: { width: 150, height: 97 },
    inputSize: { width: 128, height: 83 },
    modelSize: 128,
  });
});

test("positions move by the ratio of the rounded sizes, each axis by its own", () => {
  const moved = toModelPixels(
    [
      [75, 48.5],
      [150, 97],
    ],
    frameOf({ width: 150, height: 97 }, 128),
  );
  expect([...moved]).toEqual([64, 41.5, 128, 83]);
});

test("E300: a picture has a width and a height", () => {
  expect(() => image(0, 5, new Uint8Array(0))).toThrow(/E300.*0 x 5 pixels/);
  expect(() => image(2.5, 2, new Uint8Array(15))).toThrow(/E300.*2\.5 x 2/);
  expect(() => image(Number.NaN, 2, new Uint8Array(0))).toThrow(/E300.*NaN x 2/);
  expect(() => frameOf({ width: -3, height: 2 }, 128)).toThrow(/E300.*-3 x 2/);
});

test("E301: the bytes fill the picture", () => {
  expect(() => image(4, 2, new Uint8Array(23))).toThrow(/E301.*4 x 2 x 3 is 24 bytes.*of 23/);
  const clamped = new Uint8ClampedArray(24) as unknown as Uint8Array;
  expect(() => image(4, 2, clamped)).toThrow(/E301.*Uint8ClampedArray of 24/);
  const alpha = { width: 2, height: 2, channels: 4 as 3, data: new Uint8Array(16) };
  expect(() => preprocess(alpha, 128)).toThrow(/E301.*3 channels.*this one has 4/);
  expect(() => splitMasks(new Uint8Array(9), { width: 2, height: 2 })).toThrow(/E301.*9 bytes/);
});

test("E302: a picture larger than the model's input is not cropped in silence", () => {
  expect(() => normalize(image(5, 2, new Uint8Array(30)), 4)).toThrow(/E302.*5 x 2.*4 x 4/);
});

/** How many values differ; a difference in length counts too. */
function differing(actual: Float32Array, expected: Float32Array): number {
  const unequal = actual.filter((value, i) => value !== expected[i]);
  return unequal.length + Math.abs(actual.length - expected.length);
}
