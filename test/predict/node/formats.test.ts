/** Which files are pictures, told by how they begin. */
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import sharp from "sharp";
import { expect, test } from "vitest";
import { readImage } from "../../../predict/node/image.ts";
import { grey, png, wide } from "../../support/image-files.ts";
import { fixturePath, refusal } from "../../support/weights-files.ts";

const text = (start: string) => Buffer.from(start.padEnd(200, "\0"), "latin1");

const refused: readonly [file: Buffer, words: string][] = [
  [readFileSync(fixturePath("plain.bmp")), "a BMP picture"],
  [text("BM\x46\0\0\0\0\0\0\0\x36"), "a BMP picture"],
  [text("P6\n2 2\n255\n"), "a PPM, or one of its family"],
  [text("P5 2 2 255\n"), "a PPM, or one of its family"],
  [text("PF\n2 2\n"), "a PFM picture, of floats"],
  [text("\0\0\0\x0cjP  \r\n\x87\n"), "a JPEG 2000 picture"],
  [text("\xff\x4f\xff\x51\0"), "a JPEG 2000 picture"],
  [text("\xff\x0a\x10"), "a JPEG XL picture"],
  [text("\0\0\0\x18ftypheic\0\0\0\0mif1heic"), "a HEIC picture"],
  [text("\0\0\0\x18ftypisom\0\0\0\0mp42isom"), "a video"],
  [text("\0\0\0\x18ftypcrx \0\0\0\x01crx isom"), "a raw photograph (CR3)"],
  [text("II*\0\x10\0\0\0CR\x02\0"), "a raw photograph (CR2)"],
  [text("%PDF-1.7\n"), "a PDF document"],
  [text("8BPS\0\x01"), "a Photoshop document"],
  [text("\0\0\x01\0\x01\0"), "an ICO picture"],
  [text("RIFF\0\0\0\0WAVEfmt "), "sound or a video"],
  [text("\x93NUMPY\x01\0"), "a NumPy array"],
  [text("\xff\xd8\xff\xf7\0"), "a JPEG-LS picture"],
  [text("P4\n8 1\n"), "a PPM, or one of its family"],
  [text("P7\nWIDTH 1\n"), "a PPM, or one of its family"],
  [text("IIU\0\x18"), "a raw photograph (RW2)"],
  [text("version https://git-lfs.github.com/spec/v1\noid sha256:"), "a pointer of Git LFS"],
  [text("gimp xcf file"), "a GIMP document"],
  [text("\x1f\x8b\x08"), "a gzip archive"],
  [text("  <html><body>"), "a web page"],
  [text("PK\x03\x04"), "a zip archive"],
  [Buffer.concat([Buffer.alloc(128), text("DICM")]), "a DICOM file"],
  [text("<!DOCTYPE html>\n<html>"), "a web page"],
  [text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'), "an SVG drawing"],
  [text('\xef\xbb\xbf<?xml version="1.0"?>\n<svg/>'), "an SVG drawing"],
  [text("\n  <!-- made by hand -->\n<svg/>"), "an SVG drawing"],
];
test.each(refused)("E303: %# is refused by its name", async (file, words) => {
  const { code, details } = await refusal(() => readImage(file));
  expect([code, details.message]).toEqual([
    "E303",
    `this is ${words}${details.message.slice(8 + words.length)}`,
  ]);
  expect(details.help).toContain("PNG, JPEG, WebP, TIFF, GIF and AVIF are read");
});

test("a name says nothing: an SVG, which a decoder would draw, is refused whatever it is called", async () => {
  const drawing = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
  expect((await sharp(drawing).metadata()).format).toBe("svg");
  expect((await refusal(() => readImage(drawing))).code).toBe("E303");
});

test.each(["png", "jpeg", "webp", "tiff", "gif", "avif"] as const)("%s is read", async (format) => {
  const file = await sharp(await readFile(fixturePath("scene.png")))
    .resize(16, 16)
    .toFormat(format)
    .toBuffer();
  expect(await readImage(file)).toMatchObject({ width: 16, height: 16, channels: 3 });
});

test("E304: a file of any kind cut short is refused, not half read", async () => {
  const scene = sharp(await readFile(fixturePath("scene.png"))).resize(64, 64);
  const files = [
    await scene.clone().tiff({ compression: "none" }).toBuffer(),
    await scene.clone().tiff({ compression: "lzw" }).toBuffer(),
    await scene.clone().gif().toBuffer(),
    await scene.clone().avif().toBuffer(),
    await scene.clone().png({ palette: true }).toBuffer(),
  ];
  for (const [i, whole] of files.entries())
    for (const share of [0.3, 0.6, 0.9]) {
      const cut = whole.subarray(0, Math.floor(whole.length * share));
      expect([i, share, (await refusal(() => readImage(cut))).code]).toEqual([i, share, "E304"]);
    }
});

test("of several pictures in a file the first is read, and that is said", async () => {
  const frames = Buffer.concat([Buffer.alloc(12, 9), Buffer.alloc(12, 200)]);
  const raw = { width: 2, height: 4, channels: 3, pageHeight: 2 } as const;
  for (const format of ["gif", "webp"] as const) {
    const file = await sharp(frames, { raw })[format]({ loop: 0 }).toBuffer();
    const notes: string[] = [];
    const { width, height, data } = await readImage(file, { onNote: (words) => notes.push(words) });
    expect([width, height, Math.abs(data[0]! - 9) < 4]).toEqual([2, 2, true]);
    expect(notes).toEqual(["the file holds 2 pictures: the first is read"]);
  }
  const notes: string[] = [];
  await readImage(png(1, 16, grey, [wide(300)]), { onNote: (words) => notes.push(words) });
  expect(notes).toEqual([]);
});
