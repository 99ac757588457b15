/** Large pictures in TIFF files, read in rows, with what they say of the ground. */
import { diagnose } from "../../diagnostics/index.ts";
import { optionalPackage } from "../../diagnostics/packages.ts";
import type { Size } from "../vision/image.ts";

/** Tags that say where on the ground a picture is, by number; `double`, `short` or `ascii`. */
export const groundTags = {
  33550: "double",
  33922: "double",
  34264: "double",
  34735: "short",
  34736: "double",
  34737: "ascii",
} as const satisfies Readonly<Record<number, "double" | "short" | "ascii">>;

export type Ground = ReadonlyMap<number, readonly number[] | string>;

export interface Raster extends Size {
  /** `[count, width, 3]`; grey is repeated, indices are colours, 16 bits become 8, bands after the third are left out. */
  rows(first: number, count: number): Promise<Uint8Array>;
  readonly ground: Ground;
  close(): Promise<void>;
}

/**
 * Opens a TIFF, tiled or in strips, of any size.
 * @throws E306 for a file that cannot be read, E307 for samples that are neither 8 nor 16 bits, E400 and E401 without
 * the package geotiff.
 */
export async function openRaster(path: string): Promise<Raster> {
  const { fromFile } = await optionalPackage("geotiff", () => import("geotiff"));
  const tiff = await fromFile(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  const image = await tiff.getImage().catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  const [width, height] = [image.getWidth(), image.getHeight()];
  const bands = image.getSamplesPerPixel();
  const [bits, format] = [image.getBitsPerSample(), image.getSampleFormat()];
  if ((bits !== 8 && bits !== 16) || format !== 1) {
    await tiff.close();
    throw diagnose("E307", {
      message: `the raster has ${bits} bits a sample, ${format === 1 ? "whole numbers" : "floats or signed"}`,
      where: path,
      help: "save it with 8 or 16 bits, without a sign",
    });
  }
  const samples = bands >= 3 ? [0, 1, 2] : [0];
  const palette = await paletteOf(image.fileDirectory);
  return {
    ...{ width, height, ground: await groundOf(image.fileDirectory) },
    async rows(first, count) {
      const window = [0, first, width, first + count];
      const read = await image
        .readRasters({ window, samples, interleave: true })
        .catch((cause: unknown) => {
          throw unreadable(path, cause);
        });
      return toColours(read as unknown as Uint8Array | Uint16Array, {
        bands: samples.length,
        bits,
        palette,
      });
    },
    close: async () => {
      await tiff.close();
    },
  };
}

interface Meaning {
  readonly bands: number;
  readonly bits: number;
  readonly palette: readonly number[] | undefined;
}

function toColours(read: Uint8Array | Uint16Array, { bands, bits, palette }: Meaning): Uint8Array {
  if (bands === 3 && read instanceof Uint8Array) return read;
  const pixels = read.length / bands;
  const out = new Uint8Array(pixels * 3);
  if (palette) {
    const colours = palette.length / 3;
    for (let i = 0; i < out.length; i++)
      out[i] = palette[(i % 3) * colours + read[Math.floor(i / 3)]!]! >> 8;
    return out;
  }
  for (let i = 0; i < out.length; i++) {
    const sample = read[bands === 3 ? i : Math.floor(i / 3)]!;
    // 65535 / 257 is 255 exactly.
    out[i] = bits === 16 ? (sample + 128) / 257 : sample;
  }
  return out;
}

interface Directory {
  hasTag(tag: number): boolean;
  loadValue(tag: number): Promise<unknown>;
}

/** Of a picture of indices: red, green and blue of all colours, one after another, in 16 bits. */
async function paletteOf(directory: Directory): Promise<readonly number[] | undefined> {
  const isPalette = Number(await directory.loadValue(262)) === 3;
  return isPalette ? Array.from((await directory.loadValue(320)) as ArrayLike<number>) : undefined;
}

async function groundOf(directory: Directory): Promise<Ground> {
  const found = new Map<number, readonly number[] | string>();
  for (const tag of Object.keys(groundTags).map(Number)) {
    if (!directory.hasTag(tag)) continue;
    const value = await directory.loadValue(tag);
    found.set(
      tag,
      typeof value === "string"
        ? value.replace(/\0+$/, "")
        : Array.from(value as ArrayLike<number>),
    );
  }
  return found;
}

const unreadable = (path: string, cause: unknown) =>
  diagnose("E306", {
    message: `cannot read ${path}: ${cause instanceof Error ? cause.message : String(cause)}`,
    where: path,
    help: "give a TIFF; other pictures are read whole",
    cause,
  });
