/** Pictures of masks in files: white on black, classes, indices of a palette, alpha channels. */
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readImage, readMaskFile, writeLogits } from "../../../predict/node/image.ts";
import { frameOf, logitsOfPicture } from "../../../predict/vision/index.ts";
import type { MaskValue } from "../../../predict/vision/levels.ts";
import {
  colour,
  colourAlpha,
  exifOrientation,
  grey,
  greyAlpha,
  palette,
  png,
  tiff,
  wide,
} from "../../support/image-files.ts";
import { fixturePath, flipBit, refusal } from "../../support/weights-files.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "inarch-mask-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(file: Uint8Array, maskValue?: MaskValue) {
  const path = join(folder, "mask");
  await writeFile(path, file);
  const notes: string[] = [];
  const mask = await readMaskFile(path, { maskValue, onNote: (words) => notes.push(words) });
  if (mask.kind !== "picture") return expect.fail("logits");
  const { width, height, inside } = mask.picture;
  return { size: [width, height], data: [...inside], notes };
}

const voc = { PLTE: [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0] };
const at = (...inside: number[]) => [0, 1, 2, 3].map((i) => (inside.includes(i) ? 255 : 0));

const taken: readonly [
  kind: string,
  file: Uint8Array,
  inside: readonly number[],
  note: RegExp | undefined,
][] = [
  ["white on black", png(4, 8, grey, [[0, 255, 255, 0]]), at(1, 2), undefined],
  ["classes 0 and 1", png(4, 8, grey, [[0, 1, 1, 0]]), at(1, 2), /holds 0 and 1: 1 is inside/],
  ["classes 0 and 15", png(4, 8, grey, [[15, 0, 0, 0]]), at(0), /15 is inside/],
  ["classes of 16 bits", png(4, 16, grey, [wide(0, 3, 3, 0)]), at(1, 2), /holds 0 and 3/],
  ["16 bits, white on black", png(4, 16, grey, [wide(0, 65535, 0, 0)]), at(1), undefined],
  ["1 bit", png(4, 1, grey, [[0b01100000]]), at(1, 2), undefined],
  [
    "classes of 4 bits, by their own numbers",
    png(4, 4, grey, [[0x01, 0x10]]),
    at(1, 2),
    /holds 0 and 1/,
  ],
  ["classes of 2 bits", png(4, 2, grey, [[0b00100000]]), at(1), /holds 0 and 2/],
  [
    "classes with opaque alpha",
    png(4, 8, greyAlpha, [[0, 255, 1, 255, 1, 255, 0, 255]]),
    at(1, 2),
    /holds 0 and 1/,
  ],
  [
    "indices of a palette",
    png(4, 8, palette, [[0, 3, 3, 0]], voc),
    at(1, 2),
    /holds 0 and 3: 3 is inside/,
  ],
  ["indices of 2 bits", png(4, 2, palette, [[0b00101000]], voc), at(1, 2), /holds 0 and 2/],
  [
    "indices of 1 bit",
    png(4, 1, palette, [[0b01000000]], { PLTE: [0, 0, 0, 255, 0, 0] }),
    at(1),
    /1 is inside/,
  ],
  [
    "a palette of white, then black",
    png(4, 8, palette, [[1, 0, 0, 1]], { PLTE: [255, 255, 255, 0, 0, 0] }),
    at(1, 2),
    undefined,
  ],
  [
    "one colour on black",
    png(2, 8, colour, [[0, 0, 0, 128, 0, 0]]),
    [0, 255],
    /#000000 and #800000: #800000 is inside/,
  ],
  ["white in colours", png(2, 8, colour, [[0, 0, 0, 255, 255, 255]]), [0, 255], undefined],
  [
    "an alpha channel alone",
    png(2, 8, colourAlpha, [[9, 9, 9, 0, 9, 9, 9, 255]]),
    [0, 255],
    /alpha channel is taken/,
  ],
  [
    "alpha that says what the colours say",
    png(2, 8, colourAlpha, [[0, 0, 0, 0, 255, 255, 255, 255]]),
    [0, 255],
    undefined,
  ],
  [
    "an indexed TIFF",
    tiff({
      width: 4,
      height: 1,
      photometric: 3,
      samples: Uint8Array.of(0, 2, 2, 0),
      more: { 320: Array.from({ length: 768 }, (_, i) => (i % 256 === 2 ? 40000 : 0)) },
    }),
    at(1, 2),
    /holds 0 and 2/,
  ],
  [
    "a TIFF of classes",
    tiff({ width: 4, height: 1, photometric: 1, samples: Uint8Array.of(0, 1, 0, 0) }),
    at(1),
    /holds 0 and 1/,
  ],
  [
    "a TIFF of classes with the great byte first",
    tiff({
      ...{ width: 4, height: 1, photometric: 1, bits: 16, isBigEndian: true },
      samples: Uint8Array.from(wide(0, 2, 2, 0)),
    }),
    at(1, 2),
    /holds 0 and 2/,
  ],
  [
    "a TIFF of 4 bits, by its own numbers",
    tiff({ width: 4, height: 1, photometric: 1, bits: 4, samples: Uint8Array.of(0x01, 0x10) }),
    at(1, 2),
    /holds 0 and 1/,
  ],
  [
    "an indexed TIFF of 4 bits",
    tiff({
      ...{ width: 4, height: 1, photometric: 3, bits: 4, samples: Uint8Array.of(0x02, 0x20) },
      more: { 320: Array.from({ length: 48 }, (_, i) => (i % 16 === 2 ? 40000 : 0)) },
    }),
    at(1, 2),
    /holds 0 and 2/,
  ],
  [
    "a TIFF of 1 bit",
    tiff({ width: 4, height: 1, photometric: 1, bits: 1, samples: Uint8Array.of(0b01100000) }),
    at(1, 2),
    undefined,
  ],
  [
    "a TIFF of three equal bands that say black is zero",
    tiff({
      ...{ width: 4, height: 1, photometric: 1, bands: 3, more: { 338: [0, 0] } },
      samples: Uint8Array.of(0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0),
    }),
    at(1, 2),
    /holds 0 and 1/,
  ],
  [
    "indices of a palette whose first is transparent",
    png(4, 8, palette, [[0, 3, 3, 0]], { ...voc, tRNS: [0] }),
    at(1, 2),
    /holds 0 and 3: 3 is inside/,
  ],
  [
    "a palette of white alone, transparent and opaque",
    png(4, 8, palette, [[0, 1, 1, 0]], { PLTE: [255, 255, 255, 255, 255, 255], tRNS: [0, 255] }),
    at(1, 2),
    /alpha channel is taken/,
  ],
  [
    "classes that are opaque where they are not 0",
    png(4, 8, greyAlpha, [[0, 0, 1, 255, 1, 255, 0, 0]]),
    at(1, 2),
    /holds 0 and 1/,
  ],
  ["everything", png(4, 8, grey, [[255, 255, 255, 255]]), at(0, 1, 2, 3), undefined],
];
test.each(taken)("%s", async (_, file, inside, note) => {
  const { data, notes } = await read(file);
  expect(data).toEqual(inside);
  expect(notes).toEqual(note ? [expect.stringMatching(note)] : []);
});

test("an indexed picture that is damaged is refused, not mended", async () => {
  const rows = Array.from({ length: 40 }, (_, y) =>
    Array.from({ length: 40 }, (_, x) => (x * y) % 4),
  );
  const file = png(40, 8, palette, rows, voc);
  expect((await read(file, 3)).size).toEqual([40, 40]);
  const at = file.indexOf("IDAT") + 12;
  for (let length = 20; length < file.length - 12; length += 7)
    expect((await refusal(() => read(file.subarray(0, length), 3))).code).toBe("E304");
  for (const damaged of [flipBit(file, at * 8), flipBit(file, 8 * 20), file.subarray(0, at)])
    expect((await refusal(() => read(damaged, 3))).code).toBe("E304");
});

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  "orientation %i turns picture and mask alike",
  async (orientation) => {
    const shape = Uint8Array.from({ length: 24 }, (_, i) => (i < 7 ? 255 : 0));
    const drawn = sharp(shape, { raw: { width: 6, height: 4, channels: 1 } });
    const bytes = { eXIf: exifOrientation(orientation) };
    const rows = [0, 1, 2, 3].map((y) => [...shape.subarray(6 * y, 6 * y + 6)].map((v) => v / 255));
    const indexed = png(6, 8, palette, rows, { PLTE: [0, 0, 0, 200, 0, 0], ...bytes });
    const oriented = () => drawn.clone().withMetadata({ orientation });
    const files = [
      indexed,
      png(6, 8, grey, rows, bytes),
      await oriented().tiff({ compression: "lzw" }).toBuffer(),
    ];
    files.push(await oriented().jpeg({ quality: 100 }).toBuffer());
    files.push(await oriented().webp({ lossless: true }).toBuffer());
    const picture = await readImage(await oriented().png().toBuffer());
    const expected = Array.from(
      picture.data.filter((_, i) => i % 3 === 0),
      (v) => v > 127,
    );
    for (const file of files) {
      const { size, data } = await read(file);
      expect([size, data.map((v) => v > 127)]).toEqual([[picture.width, picture.height], expected]);
    }
  },
);

test("an indexed picture is turned upright, as the picture it belongs to", async () => {
  const file = png(2, 8, palette, [[0, 1]], { ...voc, eXIf: exifOrientation(6) });
  expect(await read(file)).toMatchObject({ size: [1, 2], data: [0, 255] });
});

const severalClasses = png(
  6,
  8,
  grey,
  Array.from({ length: 6 }, () => [0, 1, 1, 1, 2, 255]),
);
const refused: readonly [kind: string, file: Uint8Array, words: RegExp][] = [
  ["three classes", png(4, 8, grey, [[0, 1, 2, 0]]), /its values are 0, 1 and 2/],
  ["classes and a border of 255", severalClasses, /values are 0, 1, 2 and 255/],
  ["one class and nothing else", png(4, 8, grey, [[1, 1, 1, 1]]), /values are 1$/],
  ["two classes, none of them 0", png(4, 8, grey, [[1, 2, 2, 1]]), /values are 1 and 2/],
  ["three indices", png(4, 8, palette, [[0, 1, 2, 0]], voc), /indices of a palette are 0, 1 and 2/],
  [
    "a palette whose second colour is black",
    png(4, 8, palette, [[0, 1, 0, 0]], { PLTE: [255, 0, 0, 0, 0, 0] }),
    /indices of a palette are 0 and 1/,
  ],
  [
    "several colours",
    png(3, 8, colour, [[0, 0, 0, 128, 0, 0, 0, 128, 0]]),
    /colours are #000000, #008000 and #800000/,
  ],
  [
    "colours and a shape in alpha",
    png(2, 8, colourAlpha, [[200, 10, 10, 255, 10, 200, 10, 0]]),
    /an alpha channel, which say different/,
  ],
];
test.each(refused)("E363: %s", async (_, file, words) => {
  const { code, details } = await refusal(() => read(file));
  expect([code, details.message]).toEqual(["E363", expect.stringMatching(words)]);
  expect(details.help).toContain("--mask-value");
  expect(details.where).toContain("mask");
});

test("a value that is asked for is inside, and nothing else", async () => {
  expect((await read(severalClasses, 1)).data.slice(0, 6)).toEqual([0, 255, 255, 255, 0, 0]);
  expect((await read(severalClasses, "255")).data.slice(0, 6)).toEqual([0, 0, 0, 0, 0, 255]);
  const indexed = png(4, 8, palette, [[0, 1, 2, 0]], voc);
  expect((await read(indexed, 2)).data).toEqual(at(2));
  const deep = png(4, 16, grey, [wide(0, 300, 301, 0)]);
  expect((await read(deep, 301)).data).toEqual(at(2));
  const colours = png(3, 8, colour, [[0, 0, 0, 128, 0, 0, 0, 128, 0]]);
  expect((await read(colours, "#008000")).data).toEqual([0, 0, 255]);
  expect((await read(indexed, "#008000")).data).toEqual(at(2));
  expect((await read(severalClasses, "#ffffff")).data.slice(0, 6)).toEqual([0, 0, 0, 0, 0, 255]);
  const blackAndWhite = png(4, 1, palette, [[0b01000000]], { PLTE: [0, 0, 0, 255, 255, 255] });
  expect((await read(blackAndWhite, 1)).data).toEqual(at(1));
});

test("E364: a value that the picture does not hold, or that is none", async () => {
  for (const value of [7, "", "one", "#020304", 0.5, "1,2"]) {
    const { code, details } = await refusal(() => read(severalClasses, value));
    expect([code, details.message]).toEqual([
      "E364",
      expect.stringContaining("it holds 0, 1, 2 and 255"),
    ]);
  }
  const path = join(folder, "logits.npy");
  await writeLogits(path, { shape: [1, 1, 1], data: new Float32Array(1) });
  expect((await refusal(() => readMaskFile(path, { maskValue: 1 }))).code).toBe("E364");
});

test.each(["mask_voc_palette.png", "mask_zero_one.png"])(
  "%s has 750 pixels inside",
  async (file) => {
    const { data, notes } = await read(readFileSync(fixturePath(file)));
    expect([data.filter((v) => v === 255).length, data.filter((v) => v === 0).length]).toEqual([
      750, 2322,
    ]);
    expect(notes).toEqual(["the mask picture holds 0 and 1: 1 is inside"]);
  },
);

test.each([
  ["grey", png(4, 8, grey, [[0, 0, 0, 0]])],
  ["16 bits", png(4, 16, grey, [wide(0, 0, 0, 0)])],
  ["black of a palette", png(4, 8, palette, [[0, 0, 0, 0]], voc)],
  ["colours and opaque alpha", png(1, 8, colourAlpha, [[0, 0, 0, 255]])],
])("E366: nothing inside is no mask: %s", async (_, file) => {
  const { code, details } = await refusal(() => read(file));
  expect([code, details.help]).toEqual(["E366", expect.stringContaining("leave the mask out")]);
});

test("E366: classes of 16 bits that became a picture of 8 are not taken for an empty mask", async () => {
  const classes = await readImage(png(2, 16, grey, [wide(0, 1), wide(1, 0)]));
  const { code, details } = await refusal(() => logitsOfPicture(classes, frameOf(classes, 8), 2));
  expect([code, details.help]).toEqual(["E366", expect.stringContaining("readMaskFile")]);
});

test("black that is asked for is inside", async () => {
  expect((await read(png(4, 8, grey, [[0, 0, 0, 0]]), 0)).data).toEqual(at(0, 1, 2, 3));
});

/** A disc with soft edges, 0 to 255. */
const disc = Uint8Array.from({ length: 64 * 64 }, (_, i) => {
  const distance = Math.hypot((i % 64) - 31.5, Math.floor(i / 64) - 31.5);
  return Math.round(255 * Math.min(1, Math.max(0, 20.5 - distance)));
});
const raw = { raw: { width: 64, height: 64, channels: 1 } } as const;

test("soft edges stay soft, and compression is no label", async () => {
  const soft = await read(await sharp(disc, raw).toColourspace("b-w").png().toBuffer());
  expect([soft.data, soft.notes]).toEqual([[...disc], []]);
  const blurred = await sharp(disc, raw).blur(2).toColourspace("b-w").png().toBuffer();
  expect((await read(blurred)).notes).toEqual([]);
  const jpeg = await read(await sharp(disc, raw).jpeg({ quality: 60 }).toBuffer());
  expect(jpeg.data.every((value, i) => Math.abs(value - disc[i]!) < 64)).toBe(true);
});

test("E363: a photograph is no mask, nor are classes that compression has changed", async () => {
  const scene = await sharp(fixturePath("scene.png")).resize(64, 64).png().toBuffer();
  expect((await refusal(() => read(scene))).code).toBe("E363");
  const greyScene = await sharp(scene).greyscale().png().toBuffer();
  expect((await refusal(() => read(greyScene))).code).toBe("E363");
  const classes = Uint8Array.from(disc, (value) => (value > 127 ? 3 : 0));
  expect((await refusal(async () => read(await sharp(classes, raw).jpeg().toBuffer()))).code).toBe(
    "E363",
  );
});

test("E363: three greys in areas are no soft edges, however they are compressed", async () => {
  const three = Uint8Array.from(disc, (value, i) => (value < 128 ? 0 : i % 64 < 32 ? 128 : 255));
  for (const quality of [30, 60, 95]) {
    const file = await sharp(three, raw).jpeg({ quality }).toBuffer();
    const { code, details } = await refusal(() => read(file));
    expect([quality, code]).toEqual([quality, "E363"]);
    expect(details.help).toContain("white inside");
  }
  const lossless = await sharp(three, raw).webp({ lossless: true }).toBuffer();
  expect((await refusal(() => read(lossless))).code).toBe("E363");
  expect((await read(lossless, 128)).data).toEqual([...three].map((v) => (v === 128 ? 255 : 0)));
});

test("E364: no value is chosen where compression has changed them", async () => {
  const classes = Uint8Array.from(disc, (value) => (value > 127 ? 3 : 0));
  const files = [
    await sharp(classes, raw).jpeg().toBuffer(),
    await sharp(classes, raw).webp().toBuffer(),
    await sharp(classes, raw).avif().toBuffer(),
    await sharp(classes, raw).tiff({ compression: "jpeg" }).toBuffer(),
  ];
  for (const file of files) {
    const { code, details } = await refusal(() => read(file, 3));
    expect([code, details.message]).toEqual(["E364", expect.stringContaining("compression")]);
  }
});

test("a likelihood from 0 to 255 is taken as one", async () => {
  const likely = Uint8Array.from({ length: 64 * 64 }, (_, i) => {
    const distance = Math.hypot((i % 64) - 31.5, Math.floor(i / 64) - 31.5);
    return Math.round(255 / (1 + Math.exp((distance - 20) / 1.5)));
  });
  const file = await sharp(likely, raw).toColourspace("b-w").png().toBuffer();
  expect((await read(file)).data).toEqual([...likely]);
});

test("of an animation the first picture is the mask; its colours are values", async () => {
  const frames = Buffer.concat([Buffer.from([0, 0, 0, 200, 0, 0]), Buffer.alloc(6, 9)]);
  const file = await sharp(frames, { raw: { width: 2, height: 2, channels: 3, pageHeight: 1 } })
    .gif({ loop: 0 })
    .toBuffer();
  const { data, notes } = await read(file);
  expect([data, notes[0]]).toEqual([[0, 255], "the file holds 2 pictures: the first is read"]);
});
