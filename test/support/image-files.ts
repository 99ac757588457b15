/** Writes image files of every kind by hand, so that the reader is not tested by its own library. */
import { crc32, deflateSync } from "node:zlib";

/** Colour types of the PNG specification. */
export const grey = 0;
export const colour = 2;
export const palette = 3;
export const greyAlpha = 4;
export const colourAlpha = 6;

/**
 * A PNG file.
 *
 * @param rows The bytes of each row, packed as `depth` bits per sample want them.
 * @param chunks What stands between the header and the pixels, by name: PLTE, tRNS.
 */
export function png(
  width: number,
  depth: number,
  type: number,
  rows: readonly (readonly number[])[],
  chunks: Readonly<Record<string, readonly number[]>> = {},
  height = rows.length,
): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, type], 8);
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    ...Object.entries(chunks).map(([name, bytes]) => chunk(name, Buffer.from(bytes))),
    chunk("IDAT", deflateSync(Buffer.from(rows.flatMap((row) => [0, ...row])))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** 16-bit samples as PNG stores them. */
export const wide = (...samples: readonly number[]): number[] =>
  samples.flatMap((sample) => [sample >> 8, sample & 255]);

/** EXIF data that holds nothing but an orientation, 1 to 8. */
export const exifOrientation = (orientation: number): number[] => [
  ...Buffer.from("MM\0*\0\0\0\x08"),
  ...wide(1, 0x0112, 3, 0, 1, orientation, 0, 0, 0),
];

/** A TIFF of one grey pixel, a 32-bit float. */
export function floatTiff(value: number): Buffer {
  // Width, height, bits per sample, compression (none), photometric (black is zero), strip offset,
  // rows per strip, bytes per strip, sample format (float).
  const tags = [
    [256, 1],
    [257, 1],
    [258, 32],
    [259, 1],
    [262, 1],
    [273, 126],
    [278, 1],
    [279, 4],
    [339, 3],
  ] as const;
  const file = Buffer.alloc(130);
  file.write("II*\0", "latin1");
  file.writeUInt32LE(8, 4);
  file.writeUInt16LE(tags.length, 8);
  tags.forEach(([tag, number], i) => {
    file.writeUInt16LE(tag, 10 + i * 12);
    file.writeUInt16LE(3, 12 + i * 12);
    file.writeUInt32LE(1, 14 + i * 12);
    file.writeUInt16LE(number, 18 + i * 12);
  });
  file.writeFloatLE(value, 126);
  return file;
}

function chunk(name: string, bytes: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, "latin1"), bytes]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(bytes.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}
