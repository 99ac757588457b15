/** Pictures, masks and logits in files. */
import { diagnose } from "../../diagnostics/index.ts";
import { checkOptions } from "../../diagnostics/options.ts";
import { saveTo } from "../../runtime/node/save.ts";
import { checkImage, checkMask, type Image, type Mask, type Size } from "../vision/image.ts";
import { checkLevelsOptions, type Levels, type LevelsOptions, levelsOf } from "../vision/levels.ts";
import { decodeNpy, encodeNpy, isNpy } from "../vision/npy.ts";
import type { Logits } from "../vision/postprocess.ts";
import { type DecodeOptions, decodeImage } from "./decode.ts";
import { decodeLabels } from "./labels.ts";
import { loadSharp } from "./sharp.ts";
import { readSource } from "./source.ts";

export { type DecodeOptions, largestImage } from "./decode.ts";

/**
 * Reads a picture from a file or from the bytes of one: PNG, JPEG, WebP, TIFF, GIF or AVIF, told by how it begins;
 * 1 to 16 bits, grey, colour or palette. 16 bits become 8 by dividing by 257 and rounding.
 * Alpha is dropped (colours under it stay as stored), the EXIF orientation is applied, CMYK becomes
 * RGB, and RGB profiles are not applied. A TIFF of 3 or 4 bands is red, green, blue whatever it says of them. Of
 * several pictures in a file the first is read, and `onNote` is told.
 *
 * @throws E300 and E302 to E307, naming the file; E400 and E401 without the package sharp.
 */
export async function readImage(
  source: string | Uint8Array,
  options: DecodeOptions = {},
): Promise<Image> {
  checkOptions<DecodeOptions>("readImage", options, { onNote: true });
  const { bytes, where } = await readSource(source);
  return decodeImage(bytes, where, options);
}

/**
 * Writes a picture as an 8-bit RGB PNG, or a mask as a grey one: 255 inside, 0 outside.
 *
 * @throws E300 and E301 for what is neither, E241 where the file cannot be written, E400 and E401
 * without the package sharp.
 */
export async function writePng(path: string, picture: Image | Mask): Promise<void> {
  if (!("channels" in picture)) {
    const { width, height, data } = checkMask(picture);
    return writeLevels(path, { width, height, data: data.map((inside) => (inside ? 255 : 0)) });
  }
  const sharp = await loadSharp();
  const { width, height, data } = checkImage(picture);
  const encoded = sharp(data, { raw: { width, height, channels: 3 } });
  await saveTo(path, await encoded.png().toBuffer());
}

export interface GreyLevels extends Size {
  /** `[height, width]`. */
  readonly data: Uint8Array;
}

/**
 * Writes grey levels from 0 to 255, `[height, width]`, as an 8-bit PNG: the numbers of classes, say.
 *
 * @throws E241 where the file cannot be written, E400 and E401 without the package sharp.
 */
export async function writeLevels(path: string, picture: GreyLevels): Promise<void> {
  const sharp = await loadSharp();
  const { width, height, data } = picture;
  const encoded = sharp(data, { raw: { width, height, channels: 1 } }).toColourspace("b-w");
  await saveTo(path, await encoded.png().toBuffer());
}

/**
 * Saves low-resolution logits without loss, as a NumPy file of float32 `[count, height, width]`.
 *
 * @throws E241 where the file cannot be written, E320 for values that do not fill the shape.
 */
export async function writeLogits(path: string, logits: Logits): Promise<void> {
  await saveTo(path, encodeNpy(logits));
}

/**
 * Reads logits that `writeLogits` or `numpy.save` wrote: `[count, height, width]`, or one mask's
 * `[height, width]`, or a batch of one.
 *
 * @throws E306 for a file that cannot be read, E321 and E322 for one that holds something else.
 */
export async function readLogits(source: string | Uint8Array): Promise<Logits> {
  const { bytes, where } = await readSource(source);
  return toLogits(bytes, where);
}

/**
 * Reads a mask prompt from a file: logits if it is a NumPy file, otherwise a picture. Which of its pixels are inside
 * its values say: white on black, two values of which one is 0, or `maskValue`; indices of a palette are values.
 *
 * @throws what `readLogits` and `readImage` throw, E363 for a picture that can be read in several ways, E364 for one
 * that does not hold `maskValue`.
 */
export async function readMaskFile(
  path: string,
  options: Pick<LevelsOptions, "maskValue" | "onNote"> = {},
): Promise<{ kind: "logits"; logits: Logits } | { kind: "picture"; picture: Levels }> {
  checkLevelsOptions("readMaskFile", options);
  const { bytes, where } = await readSource(path);
  if (isNpy(bytes)) {
    if (options.maskValue !== undefined)
      throw diagnose("E364", {
        message: "the mask is logits, which have no value to choose",
        where,
        help: "leave the mask's value out, or give a picture",
      });
    return { kind: "logits", logits: toLogits(bytes, where) };
  }
  const labels = await decodeLabels(bytes, where, options);
  return { kind: "picture", picture: levelsOf(labels, { ...options, where }) };
}

function toLogits(bytes: Uint8Array, where: string | undefined): Logits {
  const { shape, data } = decodeNpy(bytes, where);
  const [width, height, count = 1, ...batch] = [...shape].reverse();
  if (width && height && count > 0 && batch.every((side) => side === 1)) {
    return { shape: [count, height, width], data };
  }
  throw diagnose("E322", {
    message: `mask logits are masks x height x width, but the file holds shape (${shape.join(", ")})`,
    where,
    help: "save the low-resolution logits of one prediction",
  });
}
