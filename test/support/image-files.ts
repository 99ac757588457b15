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
  const samples = Buffer.alloc(4);
  samples.writeFloatLE(value);
  return tiff({ width: 1, height: 1, bits: 32, photometric: 1, samples, more: { 339: [3] } });
}

export interface TiffFile {
  readonly width: number;
  readonly height: number;
  /** 0 white is zero, 1 black is zero, 2 colours, 3 palette. */
  readonly photometric: number;
  /** As they lie in the file: pixel by pixel, or band by band with `isPlanar`. */
  readonly samples: Uint8Array;
  readonly bands?: number;
  readonly bits?: number;
  /** Further tags of short numbers. */
  readonly more?: Readonly<Record<number, readonly number[]>>;
  /** Addresses of 64 bits: BigTIFF. */
  readonly isBig?: boolean;
  readonly isBigEndian?: boolean;
  /** A strip for each band. */
  readonly isPlanar?: boolean;
}

/** A TIFF without compression, in one strip. */
export function tiff(file: TiffFile): Buffer {
  const { width, height, bands = 1, bits = 8, photometric, samples, isBig, isPlanar } = file;
  const isLittle = !file.isBigEndian;
  const strips = isPlanar ? bands : 1;
  const long = isBig ? 8 : 4;
  const all: Record<number, readonly number[]> = {
    ...{ 256: [width], 257: [height], 258: Array(bands).fill(bits), 259: [1] },
    ...{ 262: [photometric], 273: Array(strips).fill(0), 277: [bands], 278: [height] },
    ...{ 279: Array(strips).fill(samples.length / strips), ...(isPlanar ? { 284: [2] } : {}) },
    ...file.more,
  };
  const ids = Object.keys(all).map(Number);
  const start = isBig ? 16 : 8;
  const entry = isBig ? 20 : 12;
  const places = new Map<number, number>();
  let end = start + (isBig ? 8 : 2) + ids.length * entry + long;
  for (const id of ids) {
    if (all[id]!.length * 2 <= long) continue;
    places.set(id, end);
    end += all[id]!.length * 2;
  }
  all[273] = Array.from({ length: strips }, (_, i) => end + (i * samples.length) / strips);
  const out = Buffer.alloc(end + samples.length);
  const view = new DataView(out.buffer, out.byteOffset, out.length);
  const short = (value: number, at: number) => view.setUint16(at, value, isLittle);
  const address = (value: number, at: number) =>
    isBig ? view.setBigUint64(at, BigInt(value), isLittle) : view.setUint32(at, value, isLittle);
  out.write(isLittle ? "II" : "MM", "latin1");
  short(isBig ? 43 : 42, 2);
  if (isBig) short(8, 4);
  address(start, isBig ? 8 : 4);
  if (isBig) address(ids.length, start);
  else short(ids.length, start);
  ids.forEach((id, i) => {
    const at = start + (isBig ? 8 : 2) + i * entry;
    short(id, at);
    short(3, at + 2);
    address(all[id]!.length, at + 4);
    const inline = at + 4 + long;
    const place = places.get(id);
    if (place !== undefined) address(place, inline);
    all[id]!.forEach((value, j) => {
      short(value, (place ?? inline) + 2 * j);
    });
  });
  out.set(samples, end);
  return out;
}

/** A TIFF that says something else of its samples: the first value of a tag of its first picture, a short number. */
export function retagged(file: Buffer, tag: number, value: number): Buffer {
  const out = Buffer.from(file);
  const isLittle = out[0] === 0x49;
  const view = new DataView(out.buffer, out.byteOffset, out.length);
  const first = view.getUint32(4, isLittle);
  for (let i = 0; i < view.getUint16(first, isLittle); i++) {
    const at = first + 2 + 12 * i;
    if (view.getUint16(at, isLittle) === tag) view.setUint16(at + 8, value, isLittle);
  }
  return out;
}

function chunk(name: string, bytes: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, "latin1"), bytes]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(bytes.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}
