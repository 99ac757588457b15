/** What a PNG says of its samples, and a PNG of a palette as one of grey, whose samples are the indices. */
import { crc32 } from "node:zlib";

export interface PngFacts {
  /** Of a sample. */
  readonly bits: number;
  readonly isPalette: boolean;
  /** Index by index, `0xrrggbb`. */
  readonly colours: readonly number[];
  /** Index by index, 0 transparent and 255 opaque; opaque from where it ends. */
  readonly alphas: readonly number[];
}

/** Undefined where the header cannot be read. */
export function pngFacts(bytes: Uint8Array): PngFacts | undefined {
  const chunks = chunksOf(bytes);
  const data = (name: string) => chunks.find((chunk) => chunk.name === name)?.data ?? noBytes;
  const header = data("IHDR");
  if (header.length < 13) return undefined;
  const table = data("PLTE");
  const colours = Array.from(
    { length: Math.floor(table.length / 3) },
    (_, i) => (table[3 * i]! << 16) | (table[3 * i + 1]! << 8) | table[3 * i + 2]!,
  );
  const isPalette = header[9] === 3;
  return { bits: header[8]!, isPalette, colours, alphas: isPalette ? [...data("tRNS")] : [] };
}

/** Chunks are as they were but for the header, so that damage is seen by whoever decodes them. */
export function pngAsIndices(bytes: Uint8Array): Uint8Array {
  const kept = chunksOf(bytes).filter(({ name }) => /^(?:IHDR|IDAT|IEND|eXIf)$/.test(name));
  const parts = kept.map(({ name, whole }) => (name === "IHDR" ? greyHeader(whole) : whole));
  return Buffer.concat([bytes.subarray(0, 8), ...parts]);
}

/** The header with the colour type of grey, if its own check is right. */
function greyHeader(whole: Uint8Array): Uint8Array {
  const out = Buffer.from(whole);
  const body = out.subarray(4, out.length - 4);
  if (crc32(body) !== out.readUInt32BE(out.length - 4)) return whole;
  body[4 + 9] = 0;
  out.writeUInt32BE(crc32(body), out.length - 4);
  return out;
}

const noBytes = new Uint8Array(0);

/** The chunks that are there whole, each with its length, its name and its check. */
function chunksOf(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: { readonly name: string; readonly data: Uint8Array; readonly whole: Uint8Array }[] =
    [];
  for (let at = 8; at + 12 <= bytes.length; ) {
    const next = at + 12 + view.getUint32(at);
    if (next > bytes.length) break;
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    chunks.push({ name, data: bytes.subarray(at + 8, next - 4), whole: bytes.subarray(at, next) });
    at = next;
  }
  return chunks;
}
