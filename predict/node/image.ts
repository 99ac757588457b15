/**
 * Pictures, masks and logits in files. Decoding is left to `sharp`, but what its bytes mean is decided
 * here, as SAM's own tools see them: red, green and blue as stored, whatever the alpha channel or
 * a colour profile says, and the picture upright.
 */
import { readFile } from "node:fs/promises";
import type { Metadata, Sharp, SharpOptions } from "sharp";
import { diagnose } from "../../diagnostics/index.ts";
import { optionalPackage } from "../../diagnostics/packages.ts";
import { saveTo } from "../../runtime/node/save.ts";
import { checkImage, checkMask, type Image, type Mask } from "../vision/image.ts";
import { decodeNpy, encodeNpy, isNpy } from "../vision/npy.ts";
import type { Logits } from "../vision/postprocess.ts";

/** The most pixels that are decoded: 384 MiB as bytes, and room for the work on them. */
export const largestImage = 2 ** 27;

/**
 * Reads a picture from a file or from the bytes of one: PNG, JPEG, WebP, TIFF, AVIF and what else
 * sharp decodes; 1 to 16 bits, grey, colour or palette. 16 bits become 8 by dividing by 257 and rounding.
 * Alpha is dropped (colours under it stay as stored), the EXIF orientation is applied, CMYK becomes
 * RGB, and RGB profiles are not applied.
 *
 * @throws E300 and E302 to E307, naming the file; E400 and E401 without the package sharp.
 */
export async function readImage(source: string | Uint8Array): Promise<Image> {
  const { bytes, where } = await readSource(source);
  return decode(bytes, where);
}

/**
 * Writes a picture as an 8-bit RGB PNG, or a mask as a grey one: 255 inside, 0 outside.
 *
 * @throws E300 and E301 for what is neither, E241 where the file cannot be written, E400 and E401
 * without the package sharp.
 */
export async function writePng(path: string, picture: Image | Mask): Promise<void> {
  const sharp = await loadSharp();
  const { width, height } = picture;
  const encoded =
    "channels" in picture
      ? sharp(checkImage(picture).data, { raw: { width, height, channels: 3 } })
      : sharp(
          checkMask(picture).data.map((inside) => (inside ? 255 : 0)),
          {
            raw: { width, height, channels: 1 },
          },
        ).toColourspace("b-w");
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
 * Reads a mask prompt from a file: logits if it is a NumPy file, otherwise a picture.
 *
 * @throws what `readLogits` and `readImage` throw.
 */
export async function readMaskFile(
  path: string,
): Promise<{ kind: "logits"; logits: Logits } | { kind: "picture"; picture: Image }> {
  const { bytes, where } = await readSource(path);
  if (isNpy(bytes)) return { kind: "logits", logits: toLogits(bytes, where) };
  return { kind: "picture", picture: await decode(bytes, where) };
}

type SharpModule = (bytes: Uint8Array, options?: SharpOptions) => Sharp;

const loadSharp = async (): Promise<SharpModule> =>
  (await optionalPackage("sharp", () => import("sharp"))).default;

/** Sizes are checked here, where the message can say the limit. */
const lenient = { limitInputPixels: false, failOn: "error" } satisfies SharpOptions;

async function readSource(source: string | Uint8Array) {
  if (typeof source !== "string") return { bytes: source, where: undefined };
  try {
    return { bytes: await readFile(source), where: source };
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "unknown";
    const reasons: Record<string, string> = {
      ENOENT: "there is no such file",
      EISDIR: "it is a folder, not a file",
      EACCES: "reading it is not permitted",
    };
    throw diagnose("E306", {
      message: `cannot read ${source}: ${reasons[code] ?? code}`,
      where: source,
      help: "check the path; it is relative to the folder you are in",
      cause,
    });
  }
}

async function decode(bytes: Uint8Array, where: string | undefined): Promise<Image> {
  const sharp = await loadSharp();
  if (bytes.length === 0) {
    throw diagnose("E305", { message: "the image file is empty (0 bytes)", where });
  }
  const metadata = await readMetadata(sharp, bytes, where);
  const deep = metadata.depth === "ushort";
  // A CMYK picture means nothing without a profile; sharp falls back on a general one.
  const options = { ...lenient, ignoreIcc: metadata.space !== "cmyk" };
  const upright = sharp(bytes, options).autoOrient().removeAlpha();
  const decoded = await (deep
    ? upright.toColourspace("rgb16").raw({ depth: "ushort" })
    : upright.toColourspace("srgb").raw()
  )
    .toBuffer({ resolveWithObject: true })
    .catch((cause) => {
      throw damaged(bytes, metadata.format, where, cause);
    });
  const { data, info } = decoded;
  const samples = deep ? toBytes(data) : new Uint8Array(data.buffer, data.byteOffset, data.length);
  return checkImage({ width: info.width, height: info.height, channels: 3, data: samples }, where);
}

/** The header's facts, once they are known to be ones that can be decoded. */
async function readMetadata(sharp: SharpModule, bytes: Uint8Array, where: string | undefined) {
  checkPngSize(bytes, where);
  const metadata = await sharp(bytes, lenient)
    .metadata()
    .catch((cause): Metadata => {
      const format = formatOf(bytes);
      if (format) throw damaged(bytes, format, where, cause);
      throw diagnose("E303", {
        message: `this is not an image: ${bytes.length} bytes that begin with ${beginning(bytes)}`,
        where,
        help: "give a PNG or a JPEG file",
        cause,
      });
    });
  const { width, height, depth } = metadata;
  if (width * height > largestImage) {
    throw diagnose("E302", {
      message: `the image has ${width} x ${height} pixels, more than the ${largestImage} that are read`,
      where,
      help: "make it smaller first: the model sees at most 1024 pixels along its longest side",
    });
  }
  if (depth !== "uchar" && depth !== "ushort") {
    throw diagnose("E307", {
      message: `the image has samples of type ${depth}`,
      where,
      help: "save it with 8 or 16 bits per channel",
    });
  }
  return metadata;
}

/** The decoder calls a PNG without pixels corrupt; it is worth a better word. */
function checkPngSize(bytes: Uint8Array, where: string | undefined): void {
  if (formatOf(bytes) !== "png" || bytes.length < 24) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  if (width > 0 && height > 0) return;
  throw diagnose("E300", {
    message: `the PNG header says ${width} x ${height} pixels (bytes 16 to 23)`,
    where,
    help: "save the image again: it has no pixels",
  });
}

const damaged = (bytes: Uint8Array, format: string, where: string | undefined, cause: unknown) =>
  diagnose("E304", {
    message: `the ${format.toUpperCase()} image (${bytes.length} bytes) is damaged or cut short: ${reason(cause)}`,
    where,
    help: "copy or save the file again",
    cause,
  });

/** The decoder repeats itself, one line per complaint; the first one says it. */
function reason(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  const line = text.split("\n")[0]!.replace(/^Input (?:buffer|file) has corrupt header:?/, "");
  return line.replace(/^\s*\w+:\s*/, "").trim() || "its header is corrupt";
}

const signatures: readonly (readonly [format: string, start: string])[] = [
  ["png", "\x89PN"],
  ["jpeg", "\xff\xd8"],
  ["gif", "GIF8"],
  ["webp", "RIFF"],
  ["tiff", "II*\0"],
  ["tiff", "MM\0*"],
];

function formatOf(bytes: Uint8Array): string | undefined {
  const start = String.fromCharCode(...bytes.subarray(0, 4));
  return signatures.find(([, signature]) => start.startsWith(signature))?.[0];
}

const beginning = (bytes: Uint8Array) =>
  JSON.stringify(String.fromCharCode(...bytes.subarray(0, 16)).replace(/[^\x20-\x7e]/g, "."));

/** 16-bit samples, in the machine's byte order, to bytes: 65535 / 257 is 255 exactly. */
function toBytes(data: Buffer<ArrayBuffer>): Uint8Array {
  const samples = new Uint16Array(data.buffer, data.byteOffset, data.length / 2);
  return Uint8Array.from(samples, (sample) => (sample + 128) / 257);
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
