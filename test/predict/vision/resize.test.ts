import { expect, test } from "vitest";
import type { Image } from "../../../predict/vision/image.ts";
import { image } from "../../../predict/vision/image.ts";
import { longestSideSize, resizeImage, resizeLongestSide } from "../../../predict/vision/resize.ts";
import { fixture } from "../../support/fixtures.ts";

const { tensors } = fixture("sam_nano_padded.safetensors");

test("a photograph shrinks to the very bytes of the Python Imaging Library", () => {
  const resized = resizeLongestSide(pictureOf("original_rgb"), 128);
  expect([resized.width, resized.height]).toEqual([128, 83]);
  expect(Buffer.compare(resized.data, pictureOf("image_rgb").data)).toBe(0);
});

// Pictures of a formula, resized by Pillow 12.3 with BILINEAR, and the FNV-1a hash of what it made.
const resizings = [
  [150, 97, 128, 83, 0xc9fd1681],
  [37, 53, 71, 102, 0x51e0e9c1],
  [200, 3, 64, 1, 0xad1bef37],
  [2, 300, 4, 128, 0x0344cdab],
  [1, 250, 3, 32, 0x03e9cca8],
  [7, 5, 7, 2, 0x20a57371],
  [7, 5, 3, 5, 0xf5c0feef],
  [64, 48, 64, 48, 0x4328564d],
  [301, 199, 32, 21, 0xfb6960bf],
] as const;

for (const [width, height, toWidth, toHeight, hash] of resizings) {
  test(`${width} x ${height} to ${toWidth} x ${toHeight} gives Pillow's bytes`, () => {
    const resized = resizeImage(formula(width, height), { width: toWidth, height: toHeight });
    expect(resized.data.length).toBe(toWidth * toHeight * 3);
    expect(fnv(resized.data)).toBe(hash);
  });
}

test("the longest side becomes the model's, the other rounds half up, and none vanishes", () => {
  const cases: [width: number, height: number, toWidth: number, toHeight: number][] = [
    [150, 97, 1024, 662],
    [97, 150, 662, 1024],
    [1024, 1024, 1024, 1024],
    [2048, 1, 1024, 1],
    [5000, 1, 1024, 1],
    [1, 5000, 1, 1024],
  ];
  for (const [width, height, toWidth, toHeight] of cases) {
    const size = longestSideSize({ width, height }, 1024);
    expect(size, `${width} x ${height}`).toEqual({ width: toWidth, height: toHeight });
  }
});

test("a flat picture stays flat at any scale", () => {
  const flat = image(31, 17, new Uint8Array(31 * 17 * 3).fill(255));
  for (const longest of [1, 7, 30, 31, 32, 257]) {
    expect(resizeLongestSide(flat, longest).data.every((byte) => byte === 255)).toBe(true);
  }
});

test("E300: a picture cannot be resized to no pixels", () => {
  expect(() => resizeLongestSide(formula(4, 4), 0)).toThrow(/E300.*0 x 0 pixels/);
  expect(() => resizeImage(formula(4, 4), { width: 2.5, height: 2 })).toThrow(/E300.*2\.5 x 2/);
});

/** A planar reference tensor `[1, 3, height, width]` as a picture. */
function pictureOf(name: string): Image {
  const { shape, data } = tensors.get(name)!;
  const [height, width] = [shape[2]!, shape[3]!];
  const area = height * width;
  const bytes = Uint8Array.from({ length: area * 3 }, (_, i) =>
    Number(data[(i % 3) * area + Math.floor(i / 3)]),
  );
  return image(width, height, bytes);
}

const formula = (width: number, height: number) =>
  image(
    width,
    height,
    Uint8Array.from({ length: width * height * 3 }, (_, i) => Math.imul(i, 2654435761) >>> 24),
  );

const fnv = (bytes: Uint8Array) =>
  bytes.reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193) >>> 0, 0x811c9dc5);
