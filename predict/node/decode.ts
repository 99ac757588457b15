/**
 * Bytes of picture files as samples. Decoding is left to `sharp`, but what the bytes mean is decided here, as
 * SAM's own tools see them: red, green and blue as stored, whatever the alpha channel or a colour profile says,
 * and the picture upright.
 */
import type { Metadata, SharpOptions } from "sharp";
import { diagnose } from "../../diagnostics/index.ts";
import { checkImage, type Image } from "../vision/image.ts";
import { kindOfFile } from "./format.ts";
import { meaningOf } from "./meaning.ts";
import { loadSharp, type SharpModule } from "./sharp.ts";

/** The most pixels that are decoded: 384 MiB as bytes, and room for the work on them. */
export const largestImage = 2 ** 27;

export interface DecodeOptions {
  /** Told what the file has beside the picture that is read. */
  readonly onNote?: ((words: string) => void) | undefined;
}

/** Sizes are checked here, where the message can say the limit. */
const lenient = { limitInputPixels: false, failOn: "error" } satisfies SharpOptions;

/** The picture of a file, 8 bits. Errors: E300, E302 to E305, E307. */
export async function decodeImage(
  bytes: Uint8Array,
  where: string | undefined,
  options: DecodeOptions,
): Promise<Image> {
  const { as } = meaningOf(bytes, where);
  const decoded = await decode(as ?? bytes, where, options, "colours");
  const { width, height, channels, samples, isDeep } = decoded;
  const isReady = channels === 3 && samples instanceof Uint8Array;
  const data = isReady ? samples : new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; !isReady && to < data.length; from += channels, to += 3)
    for (let c = 0; c < 3; c++) {
      const sample = samples[from + c]!;
      // 65535 / 257 is 255 exactly.
      data[to + c] = isDeep ? (sample + 128) / 257 : sample;
    }
  return checkImage({ width, height, channels: 3, data }, where);
}

/** Samples, row after row; 8 bits, or 16 where `isDeep`. */
export interface Decoding {
  readonly width: number;
  readonly height: number;
  /** Samples of a pixel. */
  readonly channels: number;
  readonly samples: Uint8Array | Uint16Array;
  readonly isDeep: boolean;
}

/** With `colours`, a last band that is taken for alpha is dropped; with `all` nothing is. */
export async function decode(
  bytes: Uint8Array,
  where: string | undefined,
  { onNote }: DecodeOptions,
  bands: "colours" | "all",
): Promise<Decoding> {
  const sharp = await loadSharp();
  const metadata = await readMetadata(sharp, bytes, where);
  const { pages = 1 } = metadata;
  if (pages > 1) onNote?.(`the file holds ${pages} pictures: the first is read`);
  const isDeep = metadata.depth === "ushort";
  // A CMYK picture means nothing without a profile; sharp falls back on a general one.
  const options = { ...lenient, ignoreIcc: metadata.space !== "cmyk" };
  const whole = sharp(bytes, options).autoOrient();
  const upright = bands === "all" ? whole : whole.removeAlpha();
  const { data, info } = await (isDeep
    ? upright.toColourspace("rgb16").raw({ depth: "ushort" })
    : upright.toColourspace("srgb").raw()
  )
    .toBuffer({ resolveWithObject: true })
    .catch((cause) => {
      throw damaged(bytes, where, cause);
    });
  const { width, height, channels } = info;
  const samples = isDeep
    ? new Uint16Array(data.buffer, data.byteOffset, data.length / 2)
    : new Uint8Array(data.buffer, data.byteOffset, data.length);
  return { width, height, channels, samples, isDeep };
}

/** The header's facts, once they are known to be ones that can be decoded. */
async function readMetadata(sharp: SharpModule, bytes: Uint8Array, where: string | undefined) {
  const metadata = await sharp(bytes, lenient)
    .metadata()
    .catch((cause): Metadata => {
      throw damaged(bytes, where, cause);
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

const damaged = (bytes: Uint8Array, where: string | undefined, cause: unknown) =>
  diagnose("E304", {
    message: `the ${String(kindOfFile(bytes)).toUpperCase()} image (${bytes.length} bytes) is damaged or cut short: ${reason(cause)}`,
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
