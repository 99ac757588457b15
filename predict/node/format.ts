/**
 * What kind of file some bytes are, told by how they begin and never by a name: what a decoder makes of a file
 * that was not meant for it may look like a picture.
 */

/** Files that are read. */
export type Decoded = "png" | "jpeg" | "gif" | "webp" | "tiff" | "avif";

/** What a file is, in words, and how to make a picture of it. */
export interface Other {
  readonly words: string;
  readonly help: string;
}

/** The kind of a file; undefined for bytes of no kind that is known. */
export function kindOfFile(bytes: Uint8Array): Decoded | Other | undefined {
  const text = String.fromCharCode(...bytes.subarray(0, 1024));
  const has = (start: string, at = 0) => text.startsWith(start, at);
  if (has("ftyp", 4)) return mediaOf(text.slice(8, text.charCodeAt(3)));
  if (has("RIFF")) return has("WEBP", 8) ? "webp" : media("sound or a video");
  if (has("BM") && has("\0\0\0\0", 6)) return picture("a BMP");
  if (has("DICM", 128)) return { words: "a DICOM file", help: "save its picture as 16-bit PNG" };
  if (tiffs.some((start) => has(start))) return has("CR", 8) ? raw("CR2") : "tiff";
  const known = [...others, ...decodedStarts].find(([start]) => has(start));
  return known?.[1] ?? textOf(text);
}

/** Little and big ends, and the same with addresses of 64 bits. */
const tiffs = ["II*\0", "MM\0*", "II+\0", "MM\0+"];

const decodedStarts: readonly (readonly [string, Decoded])[] = [
  ["\x89PN", "png"],
  ["\xff\xd8", "jpeg"],
  ["GIF8", "gif"],
];

const picture = (kind: string): Other => ({ words: `${kind} picture`, help: "save it as PNG" });
const document = (words: string): Other => ({ words, help: "save a page of it as PNG" });
const raw = (kind: string): Other => ({
  words: `a raw photograph (${kind})`,
  help: "develop it to TIFF or JPEG first",
});
const media = (words: string): Other => ({ words, help: "save one picture of it as PNG" });
const floats = (kind: string): Other => ({
  words: `${kind} picture, of floats`,
  help: "save it as PNG, with 8 or 16 bits",
});
const packed = (words: string): Other => ({ words, help: "unpack it first" });

const portable = picture("a PPM, or one of its family (PBM, PGM, PAM),");
const jpeg2000 = picture("a JPEG 2000");
const jpegXl = picture("a JPEG XL");
const drawn: Other = {
  words: "an SVG drawing, or another XML file",
  help: "draw it as PNG, at the size that you want: it has no pixels",
};
/** A TIFF whose first picture is a small one of another. */
export const preview: Other = {
  words: "a raw photograph (DNG, NEF, ARW or the like), or a TIFF that begins with a preview",
  help: "develop it to TIFF or JPEG first",
};

const others: readonly (readonly [string, Other])[] = [
  ...[1, 2, 3, 4, 5, 6, 7].flatMap((n) =>
    ["\n", " ", "\r", "\t", "#"].map((after) => [`P${n}${after}`, portable] as const),
  ),
  ["PF\n", floats("a PFM")],
  ["Pf\n", floats("a PFM")],
  ["v/1\x01", floats("an OpenEXR")],
  ["#?RADIANCE", floats("a Radiance HDR")],
  ["#?RGBE", floats("a Radiance HDR")],
  ["\0\0\0\x0cjP  ", jpeg2000],
  ["\xff\x4f\xff\x51", jpeg2000],
  ["\0\0\0\x0cJXL ", jpegXl],
  ["\xff\x0a", jpegXl],
  ["\xff\xd8\xff\xf7", picture("a JPEG-LS")],
  ["IIU\0", raw("RW2")],
  ["IIRO", raw("ORF")],
  ["IIRS", raw("ORF")],
  ["MMOR", raw("ORF")],
  ["FUJIFILMCCD-RAW", raw("RAF")],
  ["%PDF", document("a PDF document")],
  ["%!PS", document("a PostScript document")],
  ["8BPS", { words: "a Photoshop document (PSD)", help: "export it as PNG" }],
  ["gimp xcf", { words: "a GIMP document (XCF)", help: "export it as PNG" }],
  ["\0\0\x01\0", picture("an ICO")],
  ["qoif", picture("a QOI")],
  ["DDS ", picture("a DDS")],
  ["SIMPLE  =", { words: "a FITS file", help: "save its picture as 16-bit PNG" }],
  ["\x93NUMPY", { words: "a NumPy array", help: "save it as PNG: Image.fromarray(array).save(…)" }],
  ["\x89HDF", { words: "an HDF5 file", help: "save its picture as PNG" }],
  ["\x1aE\xdf\xa3", media("a video")],
  ["PK\x03\x04", packed("a zip archive")],
  ["\x1f\x8b", packed("a gzip archive")],
  [
    "version https://git-lfs",
    { words: "a pointer of Git LFS, not the file", help: "fetch the file: git lfs pull" },
  ],
];

/** By the brands of an ISO media file, the first of which is the one that it was made for. */
function mediaOf(brands: string): Other | "avif" {
  if (/avi[fs]/.test(brands)) return "avif";
  if (/hei[cxms]|hev[cx]|mif1|msf1/.test(brands))
    return { words: "a HEIC picture", help: "save it as JPEG or PNG" };
  return brands.startsWith("crx ") ? raw("CR3") : media("a video");
}

/** Text that begins as markup does. */
function textOf(text: string): Other | undefined {
  const start = text.replace(/^\xef\xbb\xbf/, "").trimStart();
  if (/^<(?:!doctype html|html|head|body)\b/i.test(start))
    return { words: "a web page, not the picture on it", help: "download the picture itself" };
  return /^<(?:svg|\?xml|!--|!doctype|\w+:svg)/i.test(start) ? drawn : undefined;
}
