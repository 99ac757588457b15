/** TIFFs of labels, written in rows: nothing of them is whole in memory. */
import { diagnose } from "../../diagnostics/index.ts";
import { writeFileAtOnce } from "../../runtime/node/save.ts";
import type { Size } from "../vision/image.ts";
import { type Ground, groundTags } from "./raster.ts";

export interface LabelTiff extends Size {
  /** `0xrrggbb` of each label. */
  readonly palette: readonly number[];
  readonly ground: Ground;
  /** Gives the rows in order, from the top: `[some, width]` at a time. */
  write(put: (rows: Uint8Array<ArrayBuffer>) => Promise<void>): Promise<void>;
}

/**
 * Writes labels from 0 to 255 as an 8-bit TIFF with a palette, uncompressed, in strips, and with what is known of the
 * ground.
 * @throws E323 for more than the 4 GiB that a TIFF holds, E241 where the file cannot be written, what `write` throws.
 */
export async function writeLabelTiff(path: string, tiff: LabelTiff): Promise<void> {
  const { width, height, write } = tiff;
  if (width * height > 2 ** 32 - 2 ** 24)
    throw diagnose("E323", {
      message: `labels of ${width} x ${height} pixels do not fit into a TIFF`,
      where: path,
      help: "cut the raster in parts of at most 4 GiB of labels",
    });
  await writeFileAtOnce(path, async (sink) => {
    await sink.write(headOf(tiff));
    await write((rows) => sink.write(rows));
  });
}

const sizes = { short: 2, long: 4, double: 8, ascii: 1 } as const;
const types = { short: 3, long: 4, double: 12, ascii: 2 } as const;

interface Entry {
  readonly tag: number;
  readonly type: keyof typeof sizes;
  readonly values: readonly number[];
}

/** Everything before the rows. Rows are of one length, so that it is known where each strip will be. */
function headOf({ width, height, palette, ground }: LabelTiff): Uint8Array<ArrayBuffer> {
  const rows = Math.max(1, Math.min(height, Math.floor(2 ** 16 / width)));
  const strips = Array.from({ length: Math.ceil(height / rows) }, (_, i) => i * rows);
  const channel = (shift: number) =>
    Array.from({ length: 256 }, (_, i) => (((palette[i] ?? 0) >> shift) & 255) * 257);
  const entries = (dataAt: number): Entry[] => {
    const own: Entry[] = [
      { tag: 256, type: "long", values: [width] },
      { tag: 257, type: "long", values: [height] },
      { tag: 258, type: "short", values: [8] },
      // Not compressed; a palette.
      { tag: 259, type: "short", values: [1] },
      { tag: 262, type: "short", values: [3] },
      { tag: 273, type: "long", values: strips.map((y) => dataAt + y * width) },
      { tag: 277, type: "short", values: [1] },
      { tag: 278, type: "long", values: [rows] },
      { tag: 279, type: "long", values: strips.map((y) => Math.min(rows, height - y) * width) },
      { tag: 320, type: "short", values: [...channel(16), ...channel(8), ...channel(0)] },
    ];
    const more = [...ground].map(([tag, value]): Entry => {
      const text = typeof value === "string" ? [...`${value}\0`] : [];
      return {
        tag,
        type: groundTags[tag as keyof typeof groundTags],
        values: typeof value === "string" ? text.map((c) => c.charCodeAt(0)) : value,
      };
    });
    return [...own, ...more].sort((a, b) => a.tag - b.tag);
  };
  return encode(entries(encode(entries(0)).length));
}

/** Of bytes: where values begin, and how long the whole is. */
const multiple = 8;

/** A little-endian TIFF's header, its directory and what does not fit into that. */
function encode(entries: readonly Entry[]): Uint8Array<ArrayBuffer> {
  const room = ({ type, values }: Entry) => sizes[type] * values.length;
  const padded = (bytes: number) => Math.ceil(bytes / multiple) * multiple;
  const beside = padded(8 + 2 + 12 * entries.length + 4);
  const total = entries.reduce((sum, e) => sum + (room(e) > 4 ? padded(room(e)) : 0), beside);
  const bytes = new Uint8Array(total);
  const view = new DataView(bytes.buffer);
  bytes.set([0x49, 0x49, 42, 0, 8]);
  view.setUint16(8, entries.length, true);
  let free = beside;
  for (const [i, entry] of entries.entries()) {
    const at = 10 + 12 * i;
    view.setUint16(at, entry.tag, true);
    view.setUint16(at + 2, types[entry.type], true);
    view.setUint32(at + 4, entry.values.length, true);
    const isFar = room(entry) > 4;
    if (isFar) view.setUint32(at + 8, free, true);
    const place = isFar ? free : at + 8;
    for (const [j, value] of entry.values.entries())
      put(view, place + j * sizes[entry.type], entry.type, value);
    if (isFar) free += padded(room(entry));
  }
  return bytes;
}

function put(view: DataView, at: number, type: Entry["type"], value: number): void {
  switch (type) {
    case "short":
      view.setUint16(at, value, true);
      return;
    case "long":
      view.setUint32(at, value, true);
      return;
    case "double":
      view.setFloat64(at, value, true);
      return;
    case "ascii":
      view.setUint8(at, value);
      return;
  }
}
