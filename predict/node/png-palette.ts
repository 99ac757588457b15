/** PNGs whose samples are indices of a palette: the encoder of pictures spreads them to colours. */
import { promisify } from "node:util";
import { crc32, deflate } from "node:zlib";
import { saveTo } from "../../runtime/node/save.ts";
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
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // Eight bits, a palette.
  header.set([8, 3], 8);
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y++)
    rows.set(data.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  const colours = Buffer.from(palette.flatMap((c) => [c >> 16, (c >> 8) & 255, c & 255]));
  const chunks = [
    chunk("IHDR", header),
    chunk("PLTE", colours),
    chunk("IDAT", await promisify(deflate)(rows)),
    chunk("IEND", Buffer.alloc(0)),
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
