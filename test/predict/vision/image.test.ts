/** What is taken for a picture, and what is said of things that a page shows and that have no pixels. */
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import {
  checkImage,
  drawOverlay,
  frameOf,
  type Image,
  logitsOfPicture,
  type Picture,
  preprocess,
  resizeImage,
} from "../../../predict/vision/index.ts";
import { labelsOf, levelsOf } from "../../../predict/vision/levels.ts";
import { refusal } from "../../support/weights-files.ts";

const rgba = [10, 20, 30, 255, 40, 50, 60, 0];
const plain: Image = {
  ...{ width: 2, height: 1, channels: 3 },
  data: Uint8Array.of(10, 20, 30, 40, 50, 60),
};

/** As a page has it: width, height, data and more stand on the prototype. */
class ImageData {
  get width() {
    return 2;
  }
  get height() {
    return 1;
  }
  readonly data: unknown = Uint8ClampedArray.from(rgba);
  get colorSpace() {
    return "srgb";
  }
  get [Symbol.toStringTag]() {
    return "ImageData";
  }
}
const canvasPixels = new ImageData() as Picture;

test("the ImageData of a canvas is a picture without its alpha, wherever one is taken", () => {
  expect(checkImage(canvasPixels)).toEqual(plain);
  expect(preprocess(canvasPixels, 8)).toEqual(preprocess(plain, 8));
  const size = { width: 4, height: 2 };
  expect(resizeImage(canvasPixels, size)).toEqual(resizeImage(plain, size));
  expect(drawOverlay(canvasPixels, [])).toEqual(plain);
});

test("ImageData of another window has another window's arrays", () => {
  const data = runInNewContext(`Uint8ClampedArray.of(${rgba})`) as Uint8ClampedArray;
  expect(data instanceof Uint8ClampedArray).toBe(false);
  expect(checkImage({ width: 2, height: 1, data })).toEqual(plain);
});

test("the copy of a canvas's pixels stays as it was", () => {
  const own = new ImageData() as { data: Uint8ClampedArray } & Picture;
  const picture = checkImage(own as Picture);
  own.data.fill(0);
  expect(picture).toEqual(plain);
});

test("E301: ImageData whose bytes are gone, or are no bytes", async () => {
  const gone = { width: 2, height: 1, data: new Uint8ClampedArray(0) };
  expect((await refusal(() => checkImage(gone))).details.help).toContain("transferred");
  const floats = { width: 2, height: 1, data: new Float32Array(8) } as unknown as Picture;
  expect((await refusal(() => checkImage(floats))).code).toBe("E301");
  const bytes = { width: 2, height: 1, data: Uint8Array.from(rgba) } as unknown as Picture;
  expect((await refusal(() => checkImage(bytes))).details.message).toContain("does not say");
});

const tagged = (tag: string, more: object = {}) => ({ [Symbol.toStringTag]: tag, ...more });
const size = { width: 2, height: 1 };

test.each<[what: string, picture: unknown, help: RegExp]>([
  ["an ImageBitmap", tagged("ImageBitmap", size), /readImage\(it\) of inarch\/page/],
  ["a VideoFrame", tagged("VideoFrame"), /inarch\/page/],
  ["an img", tagged("HTMLImageElement", size), /inarch\/page/],
  ["a video", tagged("HTMLVideoElement", size), /inarch\/page/],
  ["a canvas", tagged("HTMLCanvasElement", size), /inarch\/page/],
  ["a canvas of a worker", tagged("OffscreenCanvas", size), /inarch\/page/],
  ["a canvas of a package", { ...size, getContext() {} }, /getImageData/],
  ["a context", tagged("CanvasRenderingContext2D"), /getImageData/],
  ["a Blob", new Blob(["x"]), /readImage\(it\) of inarch\/page/],
  ["a File", tagged("File"), /readImage\(it\)/],
  ["a Response", new Response("x"), /await it\.blob\(\)/],
  [
    "bytes of a file",
    Uint8Array.of(1),
    /readImage\(new Uint8Array\(it\)\).*inarch\/node.*new Blob/,
  ],
  ["a Buffer", Buffer.from("x"), /readImage\(new Uint8Array\(it\)\)/],
  ["an ArrayBuffer", new ArrayBuffer(1), /readImage\(new Uint8Array\(it\)\)/],
  ["a path", "scene.png", /await readImage\(it\).*fetch\(it\)/],
  ["an address", new URL("file:///scene.png"), /fileURLToPath/],
  ["a promise", Promise.resolve(plain), /await it/],
  ["nothing", undefined, /image\(width, height, data\)/],
  ["null", null, /image\(width, height, data\)/],
  ["a number", 7, /image\(width, height, data\)/],
  ["an object of something else", {}, /image\(width, height, data\)/],
  ["a function", () => plain, /image\(width, height, data\)/],
])("E365: %s is no picture yet", async (_, picture, help) => {
  for (const use of [checkImage, (p: Picture) => preprocess(p, 8), labelsOf]) {
    const { code, details } = await refusal(() => use(picture as Picture));
    expect([code, details.help]).toEqual(["E365", expect.stringMatching(help)]);
  }
});

test("a mask that a page draws is read by the same rules as a file", async () => {
  const pixels = (...values: number[]) => ({
    ...{ width: values.length / 4, height: 1 },
    data: Uint8ClampedArray.from(values),
  });
  const inside = (picture: Picture) => [...levelsOf(labelsOf(picture)).inside];
  expect(inside(pixels(0, 0, 0, 255, 1, 1, 1, 255))).toEqual([0, 255]);
  expect(inside(pixels(0, 0, 0, 0, 0, 0, 0, 255))).toEqual([0, 255]);
  expect(inside(pixels(0, 0, 0, 0, 255, 0, 0, 255))).toEqual([0, 255]);
  const classes = pixels(0, 0, 0, 255, 128, 0, 0, 255, 0, 128, 0, 255);
  expect((await refusal(() => inside(classes))).code).toBe("E363");
  const chosen = levelsOf(labelsOf(classes), { maskValue: "#008000" });
  expect([...chosen.inside]).toEqual([0, 0, 255]);
});

test("a mask of 0 and 1, as a prediction gives it, is a prompt as it is", async () => {
  const frame = frameOf({ width: 2, height: 2 }, 8);
  const drawn = (data: Uint8Array) => [
    ...logitsOfPicture({ width: 2, height: 2, data }, frame, 2).data,
  ];
  expect(drawn(Uint8Array.of(1, 1, 1, 1))).toEqual([10, 10, 10, 10]);
  expect(drawn(Uint8Array.of(255, 255, 255, 255))).toEqual([10, 10, 10, 10]);
  expect(drawn(Uint8Array.of(1, 0, 1, 0))).toEqual(drawn(Uint8Array.of(255, 0, 255, 0)));
  expect((await refusal(() => drawn(Uint8Array.of(0, 1, 2, 0)))).code).toBe("E363");
  expect((await refusal(() => drawn(new Uint8Array(4)))).code).toBe("E366");
  expect((await refusal(() => drawn(new Uint8Array(16)))).code).toBe("E301");
});
