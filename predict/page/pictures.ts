/** Pictures as pages have them, and masks as pages draw them. */
import { diagnose } from "../../diagnostics/index.ts";
import { checkOptions } from "../../diagnostics/options.ts";
import { abortable, type CallOptions, signalOf } from "../../runtime/calls.ts";
import { checkMask, colours, type Image, type Mask } from "../vision/image.ts";
import { polygonsOf } from "../vision/rings.ts";
import { atOnce, inSlices, type Steps } from "../vision/slices.ts";

/**
 * Reads the pixels of what a page has: a `Blob` or `File` of a picture, an `ImageBitmap`, `ImageData`, a canvas, a
 * `VideoFrame`, an `<img>` or a `<video>`, as it looks now. Large pictures are read in parts, so that the page
 * goes on meanwhile. Pixels are 8 bits, red, green and blue; alpha is dropped, and where it is not 255 colours are
 * those that a canvas keeps. The EXIF orientation is applied, colour profiles are not.
 * @throws E624 for what the browser cannot read as a picture.
 */
export async function readImage(
  source: ImageBitmapSource,
  options: CallOptions = {},
): Promise<Image> {
  checkOptions<CallOptions>("readImage", options, { signal: true });
  const signal = signalOf(options);
  signal?.throwIfAborted();
  const bitmap = await abortable(bitmapOf(source), signal, (late) => late.close());
  try {
    return await inSlices(pixelsOf(bitmap), signal);
  } finally {
    bitmap.close();
  }
}

async function bitmapOf(source: ImageBitmapSource): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(source, {
      colorSpaceConversion: "none",
      premultiplyAlpha: "none",
    });
  } catch (cause) {
    const kind = Object.prototype.toString.call(source).slice(8, -1);
    throw diagnose("E624", {
      message: `the browser reads no picture from this ${kind} (${(cause as Error).message})`,
      help: "give a Blob of a PNG, JPEG, WebP or AVIF, an ImageBitmap or VideoFrame that is not closed, ImageData, a canvas, or an <img> or <video> that has loaded",
      cause,
    });
  }
}

/** Pixels that are drawn and read at a time. */
const part = 2 ** 18;

function* pixelsOf(bitmap: ImageBitmap): Steps<Image> {
  const { width, height } = bitmap;
  const rows = Math.min(height, Math.ceil(part / width));
  const context = new OffscreenCanvas(width, rows).getContext("2d", { willReadFrequently: true })!;
  // What one part leaves transparent does not show the part before.
  context.globalCompositeOperation = "copy";
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y += rows) {
    context.drawImage(bitmap, 0, -y);
    const strip = context.getImageData(0, 0, width, Math.min(rows, height - y));
    data.set(atOnce(colours(strip)).data, y * width * 3);
    yield;
  }
  return { width, height, channels: 3, data };
}

export interface MaskImageOptions {
  /** Red, green, blue and alpha of the pixels inside, 0 to 255; those outside are transparent. @default [30, 144, 255, 128] */
  readonly colour?: readonly [red: number, green: number, blue: number, alpha: number] | undefined;
}

/**
 * A mask as `ImageData` of its size, for `context.putImageData`.
 * @throws E300 and E301 for what is no mask.
 */
export function imageDataOf(mask: Mask, options: MaskImageOptions = {}): ImageData {
  checkOptions<MaskImageOptions>("imageDataOf", options, { colour: true });
  const { width, height, data } = checkMask(mask);
  const { colour = [30, 144, 255, 128] } = options;
  const [inside] = new Uint32Array(Uint8Array.from(colour).buffer);
  const pixels = new Uint32Array(data.length);
  for (let i = 0; i < data.length; i++) if (data[i]) pixels[i] = inside!;
  return new ImageData(new Uint8ClampedArray(pixels.buffer), width, height);
}

/**
 * The outline of a mask, along the edges of its pixels: `context.stroke(path)` draws it,
 * `context.fill(path, "evenodd")` fills the mask. `polygonsOf` gives its corners as numbers.
 * @throws E300 and E301 for what is no mask.
 */
export function outlineOf(mask: Mask): Path2D {
  const path = new Path2D();
  for (const { outer, holes } of polygonsOf(checkMask(mask).data, mask))
    for (const ring of [outer, ...holes]) {
      path.moveTo(ring[0]!, ring[1]!);
      for (let i = 2; i < ring.length; i += 2) path.lineTo(ring[i]!, ring[i + 1]!);
      path.closePath();
    }
  return path;
}
