/** Which files are pictures, told by how they begin, and what the bands of a TIFF mean. */
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { readImage } from "../../../predict/node/image.ts";
import { decodeLabels } from "../../../predict/node/labels.ts";
import { grey, png, retagged, tiff, wide } from "../../support/image-files.ts";
import { fixturePath, refusal } from "../../support/weights-files.ts";

const readLabels = async (file: Uint8Array) => decodeLabels(file, undefined, {});
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

// Two pixels of three or four bands.
const [red, green] = [
  [200, 10, 20],
  [30, 210, 40],
];
const both = [...red!, ...green!];
const shape = { width: 2, height: 1 };
const fourth = Uint8Array.from([...red!, 7, ...green!, 9]);
const deep = (values: readonly number[]) =>
  new Uint8Array(Uint16Array.from(values, (v) => v * 257).buffer);

describe("bands of a TIFF", () => {
  test.each<[claim: string, file: Buffer]>([
    [
      "3 in planes",
      tiff({
        ...{ ...shape, photometric: 1, bands: 3, isPlanar: true, more: { 338: [0, 0] } },
        samples: Uint8Array.from([0, 1, 2].flatMap((band) => [red![band]!, green![band]!])),
      }),
    ],
    [
      "4 in planes that say nothing more",
      tiff({
        ...{ ...shape, photometric: 1, bands: 4, isPlanar: true },
        samples: Uint8Array.from([0, 1, 2, 2].flatMap((band) => [red![band]!, green![band]!])),
      }),
    ],
    [
      "3 with the great byte first",
      tiff({
        ...{ ...shape, photometric: 1, bands: 3, more: { 338: [0, 0] }, isBigEndian: true },
        samples: Uint8Array.from(both),
      }),
    ],
    [
      "4 of 16 bits with the great byte first",
      tiff({
        ...{ ...shape, photometric: 1, bands: 4, bits: 16, more: { 338: [0, 0, 0] } },
        ...{
          isBigEndian: true,
          samples: Uint8Array.from(wide(...[...fourth].map((v) => v * 257))),
        },
      }),
    ],
    [
      "5 that say red, green, blue and two more",
      tiff({
        ...{ ...shape, photometric: 2, bands: 5, more: { 338: [0, 0] } },
        samples: Uint8Array.from([...red!, 1, 2, ...green!, 3, 4]),
      }),
    ],
    [
      "3 that say black is zero",
      tiff({
        ...shape,
        photometric: 1,
        bands: 3,
        samples: Uint8Array.from(both),
        more: { 338: [0, 0] },
      }),
    ],
    [
      "3 that say so and name no extra ones",
      tiff({ ...shape, photometric: 1, bands: 3, samples: Uint8Array.from(both) }),
    ],
    [
      "4, with infrared",
      tiff({ ...shape, photometric: 1, bands: 4, samples: fourth, more: { 338: [0, 0, 0] } }),
    ],
    [
      "4, with alpha",
      tiff({ ...shape, photometric: 1, bands: 4, samples: fourth, more: { 338: [0, 0, 2] } }),
    ],
    [
      "4, as colours and one more",
      tiff({ ...shape, photometric: 2, bands: 4, samples: fourth, more: { 338: [0] } }),
    ],
    [
      "3 of 16 bits",
      tiff({
        ...shape,
        photometric: 1,
        bands: 3,
        bits: 16,
        samples: deep(both),
        more: { 338: [0, 0] },
      }),
    ],
    [
      "4 of 16 bits",
      tiff({
        ...shape,
        photometric: 1,
        bands: 4,
        bits: 16,
        samples: deep([...fourth]),
        more: { 338: [0, 0, 0] },
      }),
    ],
    [
      "3 in a BigTIFF",
      tiff({
        ...shape,
        photometric: 1,
        bands: 3,
        samples: Uint8Array.from(both),
        more: { 338: [0, 0] },
        isBig: true,
      }),
    ],
    [
      "4 in a BigTIFF",
      tiff({
        ...shape,
        photometric: 1,
        bands: 4,
        samples: fourth,
        more: { 338: [0, 0, 0] },
        isBig: true,
      }),
    ],
  ])("%s, are red, green and blue", async (_, file) => {
    expect([...(await readImage(file)).data]).toEqual(both);
  });

  test.each([
    ["2 of which none is alpha", 1, 2, [0]],
    ["2 that say nothing of the second", 1, 2, undefined],
    ["5", 1, 5, [0, 0, 0, 0]],
    ["3 where white is zero", 0, 3, [0, 0]],
    ["3 of which the last is alpha", 1, 3, [0, 2]],
    ["4 of which two are alpha", 1, 4, [0, 2, 2]],
    ["2 of a palette", 3, 2, [0]],
  ] as const)("E307: %s, are not guessed at", async (_, photometric, bands, extra) => {
    const samples = new Uint8Array(2 * bands);
    const more = extra ? { 338: extra } : {};
    const file = tiff({ ...shape, photometric, bands, samples, more });
    const { code, details } = await refusal(() => readImage(file));
    expect([code, details.message]).toEqual(["E307", expect.stringContaining(`${bands} bands`)]);
  });

  test("grey with alpha is grey, and one band is grey", async () => {
    const two = tiff({
      ...shape,
      photometric: 1,
      bands: 2,
      samples: Uint8Array.of(5, 0, 250, 9),
      more: { 338: [2] },
    });
    expect([...(await readImage(two)).data]).toEqual([5, 5, 5, 250, 250, 250]);
    const samples = Uint8Array.of(5, 250);
    const one = tiff({ ...shape, photometric: 1, samples });
    expect([...(await readImage(one)).data]).toEqual([5, 5, 5, 250, 250, 250]);
    const whiteIsZero = tiff({ ...shape, photometric: 0, samples });
    expect([...(await readImage(whiteIsZero)).data]).toEqual([250, 250, 250, 5, 5, 5]);
    const deepGrey = tiff({ ...shape, photometric: 1, bits: 16, samples: deep([5, 250]) });
    expect([...(await readImage(deepGrey)).data]).toEqual([5, 5, 5, 250, 250, 250]);
  });

  test.each([
    [50706, [1, 4]],
    [254, [1]],
  ])(
    "E303: tag %i of a raw photograph, whose first picture is a preview, is refused",
    async (tag, values) => {
      const more = { [tag]: values };
      const file = tiff({ ...shape, photometric: 1, samples: Uint8Array.of(5, 250), more });
      const { code, details } = await refusal(() => readImage(file));
      expect([code, details.message]).toEqual(["E303", expect.stringContaining("raw photograph")]);
    },
  );

  test.each(["lzw", "deflate", "none", "packbits"] as const)(
    "bands that say black is zero are colours in strips and tiles, compressed by %s",
    async (compression) => {
      const data = Uint8Array.from({ length: 40 * 40 * 3 }, (_, i) => (i * 7 + (i % 3) * 50) % 256);
      for (const tile of [false, true]) {
        const options = { compression, tile, tileWidth: 16, tileHeight: 16 } as const;
        const colours = await sharp(data, { raw: { width: 40, height: 40, channels: 3 } })
          .tiff(options)
          .toBuffer();
        const file = retagged(colours, 262, 1);
        expect((await readImage(file)).data).toEqual(data);
        expect((await readImage(colours)).data).toEqual(data);
      }
    },
  );

  test("the file of a program of maps is in colour", async () => {
    const { width, height, data } = await readImage(fixturePath("bands3_minisblack.tif"));
    const isGrey = (i: number) =>
      data[3 * i] === data[3 * i + 1] && data[3 * i] === data[3 * i + 2];
    expect(Array.from({ length: width * height }, (_, i) => i).every(isGrey)).toBe(false);
  });
});

test("E304: a file of any kind cut short is refused, not half read", async () => {
  const scene = sharp(await readFile(fixturePath("scene.png"))).resize(64, 64);
  const files = [
    await scene.clone().tiff({ compression: "none" }).toBuffer(),
    await scene.clone().tiff({ compression: "lzw" }).toBuffer(),
    await scene.clone().gif().toBuffer(),
    await scene.clone().avif().toBuffer(),
    await scene.clone().png({ palette: true }).toBuffer(),
    readFileSync(fixturePath("bands3_minisblack.tif")),
  ];
  for (const [i, whole] of files.entries())
    for (const share of [0.3, 0.6, 0.9]) {
      const cut = whole.subarray(0, Math.floor(whole.length * share));
      for (const read of [() => readImage(cut), () => readLabels(cut)])
        expect([i, share, (await refusal(read)).code]).toEqual([i, share, "E304"]);
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
