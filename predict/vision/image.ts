/**
 * Pictures and masks as plain values: bytes, row after row, from the top left. No decoder is needed
 * to make one, so a browser fills it from a canvas and Node from a file.
 */
import { diagnose } from "../../diagnostics/index.ts";

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
 * Returns the picture if it is one. `where` names it in the message.
 *
 * @throws E300 for a size that no picture has, E301 for bytes that do not fill it.
 */
export function checkImage(picture: Image, where?: string): Image {
  checkSize(picture, "an image", where);
  const { width, height, channels, data } = picture;
  if (channels !== 3) {
    throw diagnose("E301", {
      message: `an image has 3 channels (red, green, blue), but this one has ${channels}`,
      where,
      help: "drop the alpha channel, or repeat a grey one three times",
    });
  }
  checkBytes(data, width * height * 3, `${width} x ${height} x 3`, where);
  return picture;
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
