/** What a picture's file says that its samples are, where a decoder would make something else of them. */
import { diagnose } from "../../diagnostics/index.ts";
import { type Decoded, kindOfFile, type Other, preview } from "./format.ts";
import { pngAsIndices, pngFacts } from "./png-chunks.ts";
import { type TiffFacts, tiffAsColour, tiffAsIndices, tiffFacts } from "./tiff-tags.ts";

export interface Meaning {
  readonly kind: Decoded;
  /** The same file with words that the decoder understands rightly. */
  readonly as?: Uint8Array | undefined;
  /** The same file with its indices as grey. */
  readonly indices?: Uint8Array | undefined;
  /** Of the indices, `0xrrggbb`. */
  readonly palette?: readonly number[] | undefined;
  /** Of the indices, 0 transparent and 255 opaque; opaque from where it ends. */
  readonly alphas?: readonly number[] | undefined;
  /** Of a grey sample or an index in the file. */
  readonly bits: number;
  /** Compression has changed the values a little. */
  readonly isLossy: boolean;
  /** The last band of four, or of two, is something else than alpha. */
  readonly isOpaque?: boolean | undefined;
}

/** What a file is and what its samples mean. Errors: E300, E303, E305, E307. */
export function meaningOf(bytes: Uint8Array, where: string | undefined): Meaning {
  if (bytes.length === 0)
    throw diagnose("E305", { message: "the image file is empty (0 bytes)", where });
  const kind = kindOfFile(bytes);
  if (kind === undefined)
    throw diagnose("E303", {
      message: `this is not an image: ${bytes.length} bytes that begin with ${beginning(bytes)}`,
      where,
      help: "give a PNG or a JPEG file",
    });
  if (typeof kind !== "string") throw notRead(kind, where);
  if (kind === "png") return meaningOfPng(bytes, where);
  if (kind === "tiff") return meaningOfTiff(bytes, where);
  return { kind, bits: 8, isLossy: kind !== "gif" && !isLosslessWebp(bytes) };
}

function meaningOfPng(bytes: Uint8Array, where: string | undefined): Meaning {
  checkPngSize(bytes, where);
  const { bits = 8, isPalette, colours, alphas } = pngFacts(bytes) ?? {};
  const plain = { kind: "png", bits, isLossy: false } as const;
  if (!isPalette) return plain;
  return { ...plain, indices: pngAsIndices(bytes), palette: colours, alphas };
}

function meaningOfTiff(bytes: Uint8Array, where: string | undefined): Meaning {
  const facts = tiffFacts(bytes);
  if (!facts) return { kind: "tiff", bits: 8, isLossy: false };
  if (facts.isPreview) throw notRead(preview, where);
  checkBands(facts, where);
  const { photometric, bands, bits, extra, isLossy, colours } = facts;
  const shared = { kind: "tiff", bits, isLossy, isOpaque: !extra.some(isAlpha) } as const;
  if (photometric === 1 && bands > 2) return { ...shared, as: tiffAsColour(bytes) };
  if (photometric !== 3) return shared;
  return { ...shared, indices: tiffAsIndices(bytes), palette: colours };
}

const notRead = ({ words, help }: Other, where: string | undefined) =>
  diagnose("E303", {
    message: `this is ${words}: it is not read`,
    where,
    help: `${help}; PNG, JPEG, WebP, TIFF, GIF and AVIF are read`,
  });

const isAlpha = (extra: number) => extra === 1 || extra === 2;

/**
 * Three or four bands that say "black is zero" are red, green, blue and one more, as programs of maps write them.
 * What other bands mean no file says. Errors: E307.
 */
function checkBands({ photometric, bands, extra }: TiffFacts, where: string | undefined): void {
  if (photometric > 1 && photometric !== 3) return;
  const alphas = extra.filter(isAlpha).length;
  const isKnown =
    bands - alphas === 1 ||
    (photometric === 1 && bands === 3 && alphas === 0) ||
    (photometric === 1 && bands === 4 && !extra.slice(0, -1).some(isAlpha));
  if (isKnown) return;
  throw diagnose("E307", {
    message: `the TIFF has ${bands} bands and does not say which are red, green and blue`,
    where,
    help: "choose three: gdal_translate -b 1 -b 2 -b 3 -co PHOTOMETRIC=RGB in.tif out.tif",
  });
}

/** A PNG without pixels: the decoder would call it corrupt. Errors: E300. */
function checkPngSize(bytes: Uint8Array, where: string | undefined): void {
  if (bytes.length < 24) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  if (width > 0 && height > 0) return;
  throw diagnose("E300", {
    message: `the PNG header says ${width} x ${height} pixels (bytes 16 to 23)`,
    where,
    help: "save the image again: it has no pixels",
  });
}

/** Whether a WebP's first picture is a lossless one. */
function isLosslessWebp(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 12; at + 8 <= bytes.length; ) {
    const name = String.fromCharCode(...bytes.subarray(at, at + 4));
    if (name === "VP8L" || name === "VP8 " || name === "ANMF") return name === "VP8L";
    const length = view.getUint32(at + 4, true);
    at += 8 + length + (length % 2);
  }
  return false;
}

const beginning = (bytes: Uint8Array) =>
  JSON.stringify(String.fromCharCode(...bytes.subarray(0, 16)).replace(/[^\x20-\x7e]/g, "."));
