/**
 * Pictures and masks as plain values: bytes, row after row, from the top left. No decoder is needed
 * to make one, so a browser fills it from a canvas and Node from a file.
 */
import { diagnose } from "../../diagnostics/index.ts";
import { atOnce, type Steps } from "./slices.ts";

/** Width and height in pixels, whole and at least 1. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** An opaque RGB picture. `data` is `[height, width, 3]`, one byte per sample. */
export interface Image extends Size {
  readonly channels: 3;
  readonly data: Uint8Array;
}

/**
 * A canvas's pixels: `data` is `[height, width, 4]`, red, green, blue and alpha, which is dropped. A canvas keeps no
 * colours where alpha is 0.
 */
export interface CanvasPixels extends Size {
  readonly channels?: undefined;
  readonly data: Uint8ClampedArray;
}

/** What is taken for a picture: an image, or the `ImageData` that a canvas gives. */
export type Picture = Image | CanvasPixels;

/** Which pixels belong to something. `data` is `[height, width]`, 1 inside and 0 outside. */
export interface Mask extends Size {
  readonly data: Uint8Array;
}

/**
 * Makes a picture of bytes, `[height, width, 3]`, which it keeps and does not copy.
 *
 * @throws E300 for a size that no picture has, E301 for bytes that do not fill it.
 */
export function image(width: number, height: number, data: Uint8Array): Image {
  return checkImage({ width, height, channels: 3, data });
}

/**
 * Returns the picture if it is one; of a canvas's pixels the colours. `where` names it in the message.
 *
 * @throws E300 for a size that no picture has, E301 for bytes that do not fill it, E365 for what a page shows and
 * that has no pixels yet.
 */
export function checkImage(picture: Picture, where?: string): Image {
  checkPicture(picture, where);
  return atOnce(colours(picture));
}

/** @throws what `checkImage` throws. */
export function checkPicture(picture: Picture, where?: string): void {
  checkShown(picture, where);
  checkSize(picture, "an image", where);
  if (isCanvasPixels(picture)) {
    checkPixels(picture, where);
    return;
  }
  const { width, height, channels, data } = picture;
  if (channels !== 3) {
    throw diagnose("E301", {
      message: `an image has 3 channels (red, green, blue), but this one ${channels === undefined ? "does not say how many it has" : `has ${channels}`}`,
      where,
      help: "drop the alpha channel, or repeat a grey one three times, and say so: image(width, height, data)",
    });
  }
  checkBytes(data, width * height * 3, `${width} x ${height} x 3`, where);
}

/**
 * Returns the mask if it is one.
 *
 * @throws E300 for a size that no mask has, E301 for bytes that do not fill it.
 */
export function checkMask(mask: Mask, where?: string): Mask {
  checkSize(mask, "a mask", where);
  checkBytes(mask.data, mask.width * mask.height, `${mask.width} x ${mask.height}`, where);
  return mask;
}

/**
 * Returns the size if something can have it. `what` says what: "an image".
 *
 * @throws E300 unless both sides are whole numbers of at least 1.
 */
export function checkSize(size: Size, what: string, where?: string): Size {
  const { width, height } = size;
  if ([width, height].every((side) => Number.isSafeInteger(side) && side >= 1)) return size;
  throw diagnose("E300", {
    message: `${what} cannot be ${width} x ${height} pixels`,
    where,
    help: "width and height are whole numbers, at least 1",
  });
}

/** Cuts `[count, height, width]` bytes into masks. They share the bytes. */
export function splitMasks(data: Uint8Array, { width, height }: Size): Mask[] {
  const area = width * height;
  checkSize({ width, height }, "a mask");
  if (data.length % area !== 0) {
    throw diagnose("E301", {
      message: `${data.length} bytes are not a whole number of ${width} x ${height} masks`,
    });
  }
  const starts = Array.from({ length: data.length / area }, (_, i) => i * area);
  return starts.map((start) => ({ width, height, data: data.subarray(start, start + area) }));
}

/** Whether these are what a canvas gives. */
export const isCanvasPixels = (
  picture: Size & { readonly data: unknown },
): picture is CanvasPixels =>
  !("channels" in picture) && kindOf(picture.data) === "Uint8ClampedArray";

function checkPixels({ width, height, data }: CanvasPixels, where: string | undefined): void {
  const wanted = 4 * width * height;
  if (data.length !== wanted)
    throw diagnose("E301", {
      message: `${width} x ${height} x 4 is ${wanted} bytes, but the ImageData has ${data.length}`,
      where,
      help: "ImageData that was transferred to another thread has none left: read it anew",
    });
}

/** A copy of a picture, with alpha if it has any. @throws what `checkImage` throws. */
export function copyPicture(picture: Picture): Picture {
  checkPicture(picture);
  const { width, height } = picture;
  return isCanvasPixels(picture)
    ? { width, height, data: new Uint8ClampedArray(picture.data) }
    : { width, height, channels: 3, data: new Uint8Array(picture.data) };
}

/** A picture, without alpha; it has been checked. */
export function* colours(picture: Picture): Steps<Image> {
  if (!isCanvasPixels(picture)) return picture;
  const { width, height, data } = picture;
  const own = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let i = y * width; i < (y + 1) * width; i++) {
      own[3 * i] = data[4 * i]!;
      own[3 * i + 1] = data[4 * i + 1]!;
      own[3 * i + 2] = data[4 * i + 2]!;
    }
    yield;
  }
  return { width, height, channels: 3, data: own };
}

const canvas = 'pass canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)';
const inPage = "await readImage(it) of inarch/page";
const ofBytes =
  "await readImage(new Uint8Array(it)) of inarch/node, or readImage(new Blob([it])) of inarch/page";
const ofPath =
  "await readImage(it) of inarch/node; in a page readImage of inarch/page takes the blob of fetch(it)";

/** Values that show or store a picture and are no pixels, each with how to get its pixels. */
const shown: Readonly<Record<string, string>> = {
  ImageBitmap: inPage,
  VideoFrame: inPage,
  SVGImageElement: inPage,
  HTMLImageElement: inPage,
  HTMLVideoElement: inPage,
  HTMLCanvasElement: inPage,
  OffscreenCanvas: inPage,
  CanvasRenderingContext2D: "pass context.getImageData(0, 0, width, height)",
  Blob: inPage,
  File: inPage,
  Response: `${inPage}, of its blob: await it.blob()`,
  ArrayBuffer: ofBytes,
  Uint8Array: ofBytes,
  String: ofPath,
  URL: ofPath.replace("it", "fileURLToPath(it)"),
  Promise: "await it",
};

/** The kind of a value by its string tag: objects of another window have classes of their own. */
const kindOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);

/** Errors: E365. */
function checkShown(picture: unknown, where: string | undefined): void {
  const isObject = typeof picture === "object" && picture !== null;
  const kind = kindOf(picture);
  const known = Object.hasOwn(shown, kind) ? shown[kind] : undefined;
  if (isObject && known === undefined && "data" in picture) return;
  const isCanvas = isObject && "getContext" in picture;
  throw diagnose("E365", {
    message: `a picture is { width, height, channels: 3, data }, or the ImageData of a canvas, but this is ${isObject || known ? kind : String(picture)}`,
    where,
    help: known ?? (isCanvas ? canvas : "make one: image(width, height, data)"),
  });
}

function checkBytes(data: Uint8Array, length: number, product: string, where?: string): void {
  if (data instanceof Uint8Array && data.length === length) return;
  const held = ArrayBuffer.isView(data)
    ? `${data.constructor.name} of ${data.length}`
    : typeof data;
  throw diagnose("E301", {
    message: `${product} is ${length} bytes, but the data is ${held}`,
    where,
    help: `pass a Uint8Array of length ${length}, row after row from the top left`,
  });
}
