/** What a picture's file says that its samples are, where a decoder would make something else of them. */
import { diagnose } from "../../diagnostics/index.ts";
import { type Decoded, kindOfFile, type Other, preview } from "./format.ts";
import { type TiffFacts, tiffAsColour, tiffFacts } from "./tiff-tags.ts";

export interface Meaning {
  readonly kind: Decoded;
  /** The same file with words that the decoder understands rightly. */
  readonly as?: Uint8Array | undefined;
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
  if (kind === "png") checkPngSize(bytes, where);
  return kind === "tiff" ? meaningOfTiff(bytes, where) : { kind };
}

function meaningOfTiff(bytes: Uint8Array, where: string | undefined): Meaning {
  const facts = tiffFacts(bytes);
  if (!facts) return { kind: "tiff" };
  if (facts.isPreview) throw notRead(preview, where);
  checkBands(facts, where);
  const isColour = facts.photometric === 1 && facts.bands > 2;
  return { kind: "tiff", as: isColour ? tiffAsColour(bytes) : undefined };
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

/** The decoder calls a PNG without pixels corrupt; it is worth a better word. */
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

const beginning = (bytes: Uint8Array) =>
  JSON.stringify(String.fromCharCode(...bytes.subarray(0, 16)).replace(/[^\x20-\x7e]/g, "."));
