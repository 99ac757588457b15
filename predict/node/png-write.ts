/** PNGs of samples as they are: indices of a palette, which the encoder of pictures spreads to colours, and 16 bits. */
import { promisify } from "node:util";
import { crc32, deflate } from "node:zlib";
import { saveTo } from "../../runtime/node/save.ts";
import type { Size } from "../vision/image.ts";
import type { GreyLevels } from "./image.ts";

/**
 * Writes labels from 0 to 255, `[height, width]`, as an 8-bit PNG of a palette: whoever reads it finds the labels, and
 * whoever looks at it sees colours.
 * @param palette `0xrrggbb` for each label, 256 at most.
 * @throws E241 where the file cannot be written.
 */
export async function writePalette(
  path: string,
  { width, height, data }: GreyLevels,
  palette: readonly number[],
): Promise<void> {
  const colours = Buffer.from(palette.flatMap((c) => [c >> 16, (c >> 8) & 255, c & 255]));
  await write(
    path,
    { width, height, data },
    { bits: 8, kind: 3, before: [chunk("PLTE", colours)] },
  );
}

/**
 * Writes numbers from 0 to 65535, `[height, width]`, as a grey PNG of 16 bits: depths, say.
 * @throws E241 where the file cannot be written.
 */
export async function writeWide(
  path: string,
  { width, height, data }: Size & { readonly data: Uint16Array },
): Promise<void> {
  const samples = Buffer.alloc(2 * data.length);
  data.forEach((value, i) => {
    samples.writeUInt16BE(value, 2 * i);
  });
  await write(path, { width, height, data: samples }, { bits: 16, kind: 0, before: [] });
}

interface Form {
  readonly bits: 8 | 16;
  /** The colour type of the specification: 0 grey, 3 of a palette. */
  readonly kind: 0 | 3;
  /** Chunks in front of the samples. */
  readonly before: readonly Buffer[];
}

async function write(
  path: string,
  { width, height, data }: Size & { readonly data: Uint8Array },
  { bits, kind, before }: Form,
): Promise<void> {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([bits, kind], 8);
  const line = (width * bits) / 8;
  // Each row begins with its filter: none.
  const rows = Buffer.alloc((line + 1) * height);
  for (let y = 0; y < height; y++)
    rows.set(data.subarray(y * line, (y + 1) * line), y * (line + 1) + 1);
  const chunks = [
    ...[chunk("IHDR", header), ...before],
    ...[chunk("IDAT", await promisify(deflate)(rows)), chunk("IEND", Buffer.alloc(0))],
  ];
  await saveTo(path, Buffer.concat([signature, ...chunks]));
}

const signature = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");

function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  out.set(body, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}
