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

// Pictures of a formula, resized by Pillow 12.3 with BILINEAR and BICUBIC, and the FNV-1a hash of what each made.
const resizings = [
  [150, 97, 128, 83, 0xc9fd1681, 0x6d5b4256],
  [37, 53, 71, 102, 0x51e0e9c1, 0x21507a55],
  [200, 3, 64, 1, 0xad1bef37, 0xb5ba9874],
  [2, 300, 4, 128, 0x0344cdab, 0xc419e6db],
  [1, 250, 3, 32, 0x03e9cca8, 0xf95ebd40],
  [7, 5, 7, 2, 0x20a57371, 0xa554ec05],
  [7, 5, 3, 5, 0xf5c0feef, 0x339974cd],
  [64, 48, 64, 48, 0x4328564d, 0x4328564d],
  [301, 199, 32, 21, 0xfb6960bf, 0xad1be446],
] as const;

for (const [width, height, toWidth, toHeight, ...hashes] of resizings)
  for (const [i, filter] of (["bilinear", "bicubic"] as const).entries())
    test(`${width} x ${height} to ${toWidth} x ${toHeight}, ${filter}, gives Pillow's bytes`, () => {
      const size = { width: toWidth, height: toHeight };
      const resized = resizeImage(formula(width, height), size, filter);
      expect(resized.data.length).toBe(toWidth * toHeight * 3);
      expect(fnv(resized.data)).toBe(hashes[i]);
    });

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
