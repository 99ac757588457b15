/**
 * What a TIFF says that its samples mean, and files that say it otherwise: the samples stay, and the decoder no
 * longer turns them into something else. What cannot be read is left for the decoder to refuse.
 */

/** What a TIFF says of the samples of its first picture. */
export interface TiffFacts {
  /** 0 white is zero, 1 black is zero, 2 red, green, blue, 3 a palette, 5 inks, 6 YCbCr. */
  readonly photometric: number;
  readonly bands: number;
  /** Of a sample. */
  readonly bits: number;
  /** Of each band beyond the colours that the photometric tag names: 1 and 2 are alpha, 0 is anything. */
  readonly extra: readonly number[];
  /** Of a palette, index by index, `0xrrggbb`. */
  readonly colours: readonly number[];
  /** Compression has changed the values: JPEG and WebP. */
  readonly isLossy: boolean;
  /** The first picture is a small one of another: so begin raw photographs. */
  readonly isPreview: boolean;
}

interface Tag {
  readonly id: number;
  readonly at: number;
  readonly values: readonly number[];
}

const photometricTag = 262;
const bandsTag = 277;
const extraTag = 338;
const rawTag = 50706;

/** Undefined where the tags cannot be read. */
export function tiffFacts(bytes: Uint8Array): TiffFacts | undefined {
  const tags = tagsOf(bytes)?.tags;
  if (!tags) return undefined;
  const of = (id: number) => tags.find((tag) => tag.id === id)?.values ?? [];
  const first = (id: number, otherwise: number) => of(id)[0] ?? otherwise;
  return {
    photometric: first(photometricTag, 1),
    bands: first(bandsTag, 1),
    bits: first(258, 1),
    extra: of(extraTag),
    colours: coloursOf(of(320)),
    isLossy: [6, 7, 34892, 50001].includes(first(259, 1)),
    isPreview: of(rawTag).length > 0 || (first(254, 0) & 1) === 1,
  };
}

/** All reds, all greens, all blues, of 16 bits; some programs write 8. */
function coloursOf(map: readonly number[]): number[] {
  const size = Math.floor(map.length / 3);
  const shift = map.some((value) => value > 255) ? 8 : 0;
  const byte = (at: number) => map[at]! >> shift;
  return Array.from(
    { length: size },
    (_, i) => (byte(i) << 16) | (byte(size + i) << 8) | byte(2 * size + i),
  );
}

/** The TIFF as red, green and blue with what else it has, whatever it says of its bands. */
export const tiffAsColour = (bytes: Uint8Array): Uint8Array => withPhotometric(bytes, 2, 3);

/** The TIFF of a palette as grey: its samples are the indices. */
export const tiffAsIndices = (bytes: Uint8Array): Uint8Array => withPhotometric(bytes, 1, 1);

function withPhotometric(bytes: Uint8Array, photometric: number, named: number): Uint8Array {
  const found = tagsOf(bytes);
  if (!found) return bytes;
  const { little, big, tags } = found;
  const out = Uint8Array.from(bytes);
  const view = new DataView(out.buffer);
  const bands = tags.find(({ id }) => id === bandsTag)?.values[0] ?? 1;
  for (const { id, at } of tags) {
    const valueAt = at + (big ? 12 : 8);
    if (id === photometricTag) view.setUint16(valueAt, photometric, little);
    if (id !== extraTag) continue;
    // The bands that have names now are not extra; an entry of none is no longer read as this tag.
    const left = bands - named;
    if (left === 0) view.setUint16(at, privateTag, little);
    else if (left === 1) {
      if (big) view.setBigUint64(at + 4, 1n, little);
      else view.setUint32(at + 4, 1, little);
      view.setUint16(valueAt, 0, little);
    }
  }
  return out;
}

/** A tag that means nothing to a reader. */
const privateTag = 65000;

/** The most entries of a directory that are looked at. */
const mostEntries = 4096;

/** Values of one tag that are read: a palette of 8 bits has as many. */
const mostValues = 3 * 256;

/** Bytes of a BYTE, a SHORT and a LONG. */
const widths: Readonly<Record<number, number>> = { 1: 1, 3: 2, 4: 4 };

/** The entries of the first directory, with values where these are whole numbers. */
function tagsOf(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const little = view.getUint8(0) === 0x49;
    const big = view.getUint16(2, little) === 43;
    const long = (at: number) =>
      big ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little);
    const number = (at: number, width: number) =>
      width === 1
        ? view.getUint8(at)
        : width === 2
          ? view.getUint16(at, little)
          : view.getUint32(at, little);
    const first = long(big ? 8 : 4);
    const entries = big ? long(first) : view.getUint16(first, little);
    const tags: Tag[] = [];
    for (let i = 0; i < Math.min(entries, mostEntries); i++) {
      const at = first + (big ? 8 + 20 * i : 2 + 12 * i);
      const [id, type] = [view.getUint16(at, little), view.getUint16(at + 2, little)];
      const width = widths[type] ?? 0;
      const count = width > 0 ? long(at + 4) : 0;
      const inline = at + (big ? 12 : 8);
      const from = count * width <= (big ? 8 : 4) ? inline : long(inline);
      const values = Array.from({ length: Math.min(count, mostValues) }, (_, j) =>
        number(from + j * width, width),
      );
      tags.push({ id, at, values });
    }
    return { little, big, tags };
  } catch {
    // A RangeError: what it refers to is beyond its end.
    return undefined;
  }
}
