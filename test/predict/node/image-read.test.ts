import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { scenePixel, sceneSize } from "../../../examples/scene.ts";
import { readImage } from "../../../predict/node/image.ts";
import {
  colour,
  colourAlpha,
  exifOrientation,
  floatTiff,
  grey,
  greyAlpha,
  palette,
  png,
  wide,
} from "../../support/image-files.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "inarch-image-"));
});
afterAll(() => rm(folder, { recursive: true }));

const triples = (...values: readonly number[]) => values.flatMap((value) => [value, value, value]);
const deep = [0, 128, 129, 257, 300, 32768, 65406, 65407, 65535];
const deepBytes = [0, 0, 1, 1, 1, 128, 254, 255, 255];
const colours = { PLTE: [1, 2, 3, 200, 100, 50, 9, 8, 7], tRNS: [0, 128] };
const gamma = { gAMA: [0, 1, 0x86, 0xa0] };

// What the file holds, and the bytes that red, green and blue must have.
const kinds: readonly [kind: string, file: Buffer, expected: readonly number[]][] = [
  ["8-bit colour", png(2, 8, colour, [[10, 20, 30, 200, 100, 50]]), [10, 20, 30, 200, 100, 50]],
  ["8-bit colour with a gamma", png(1, 8, colour, [[10, 20, 30]], gamma), [10, 20, 30]],
  ["8-bit grey", png(4, 8, grey, [[0, 1, 200, 255]]), triples(0, 1, 200, 255)],
  ["4-bit grey", png(2, 4, grey, [[0x1f]]), triples(17, 255)],
  ["2-bit grey", png(4, 2, grey, [[0b00011011]]), triples(0, 85, 170, 255)],
  ["1-bit grey", png(8, 1, grey, [[0b10110001]]), triples(255, 0, 255, 255, 0, 0, 0, 255)],
  ["16-bit grey", png(9, 16, grey, [wide(...deep)]), triples(...deepBytes)],
  ["16-bit colour", png(1, 16, colour, [wide(129, 32768, 65407)]), [1, 128, 255]],
  [
    "16-bit colour with a gamma",
    png(1, 16, colour, [wide(129, 32768, 65407)], gamma),
    [1, 128, 255],
  ],
  ["8-bit grey with alpha", png(2, 8, greyAlpha, [[7, 0, 200, 9]]), triples(7, 200)],
  [
    "8-bit colour with alpha",
    png(2, 8, colourAlpha, [[10, 20, 30, 0, 200, 100, 50, 1]]),
    [10, 20, 30, 200, 100, 50],
  ],
  ["16-bit grey with alpha", png(2, 16, greyAlpha, [wide(300, 0, 65535, 1)]), triples(1, 255)],
  [
    "16-bit colour with alpha",
    png(1, 16, colourAlpha, [wide(129, 32768, 65407, 0)]),
    [1, 128, 255],
  ],
  [
    "a palette with transparency",
    png(4, 8, palette, [[0, 1, 2, 1]], colours),
    [1, 2, 3, 200, 100, 50, 9, 8, 7, 200, 100, 50],
  ],
  [
    "a 2-bit palette",
    png(4, 2, palette, [[0b00011001]], { PLTE: colours.PLTE }),
    [1, 2, 3, 200, 100, 50, 9, 8, 7, 200, 100, 50],
  ],
  [
    "8-bit grey with a transparent value",
    png(2, 8, grey, [[200, 3]], { tRNS: [0, 200] }),
    triples(200, 3),
  ],
];

for (const [kind, file, expected] of kinds) {
  test(`a PNG of ${kind} keeps its values, and loses its alpha`, async () => {
    const { width, height, channels, data } = await readImage(file);
    expect([width, height, channels]).toEqual([expected.length / 3, 1, 3]);
    expect([...data]).toEqual(expected);
  });
}

test("rows come from top to bottom, from a path as from bytes", async () => {
  const path = join(folder, "rows.png");
  await writeFile(path, png(1, 8, grey, [[1], [2], [3]]));
  expect(await readImage(path)).toEqual({
    width: 1,
    height: 3,
    channels: 3,
    data: Uint8Array.from(triples(1, 2, 3)),
  });
});

// Four flat quarters, in reading order, survive JPEG well enough to tell which is where.
const quarters = [250, 170, 90, 10] as const;
const quartered = () => {
  const data = Uint8Array.from({ length: 32 * 16 * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % 32, Math.floor(i / 96)];
    return quarters[(y < 8 ? 0 : 2) + (x < 16 ? 0 : 1)]!;
  });
  return sharp(data, { raw: { width: 32, height: 16, channels: 3 } });
};

// EXIF orientation, and the quarters in reading order once the picture is upright.
const orientations: readonly [orientation: number, order: readonly number[]][] = [
  [1, [0, 1, 2, 3]],
  [2, [1, 0, 3, 2]],
  [3, [3, 2, 1, 0]],
  [4, [2, 3, 0, 1]],
  [5, [0, 2, 1, 3]],
  [6, [2, 0, 3, 1]],
  [7, [3, 1, 2, 0]],
  [8, [1, 3, 0, 2]],
];
for (const [orientation, order] of orientations) {
  test(`EXIF orientation ${orientation} is applied`, async () => {
    const file = await quartered().withMetadata({ orientation }).jpeg({ quality: 95 }).toBuffer();
    const { width, height, data } = await readImage(file);
    expect([width, height]).toEqual(orientation < 5 ? [32, 16] : [16, 32]);
    const at = (x: number, y: number) => data[(y * width + x) * 3]!;
    const [left, right, top, bottom] = [width / 4, (width * 3) / 4, height / 4, (height * 3) / 4];
    const seen = [at(left, top), at(right, top), at(left, bottom), at(right, bottom)];
    seen.forEach((value, i) => {
      expect(Math.abs(value - quarters[order[i]!]!)).toBeLessThan(4);
    });
  });
}

test("EXIF orientation turns a 16-bit picture too", async () => {
  const row = wide(0, 65535, 32768, 257, 300, 129);
  const file = png(2, 16, colour, [row], { eXIf: exifOrientation(6) });
  const { width, height, data } = await readImage(file);
  expect([width, height, ...data]).toEqual([1, 2, 0, 255, 128, 1, 1, 1]);
});

test("a grey JPEG has three equal channels", async () => {
  const { data } = await readImage(await quartered().greyscale().jpeg().toBuffer());
  expect(data.length).toBe(32 * 16 * 3);
  expect(data.every((value, i) => value === data[i - (i % 3)])).toBe(true);
});

test("a CMYK JPEG shows its inks: cyan, magenta, yellow, black", async () => {
  const { width, data } = await readImage(fileURLToPath(fixtureAt("inks.cmyk.jpg")));
  const seen = [
    [1, 1],
    [6, 1],
    [1, 6],
    [6, 6],
  ].map(([x, y]) => [...data.subarray((y! * width + x!) * 3, (y! * width + x!) * 3 + 3)]);
  const inks = [
    [0, 153, 227],
    [234, 0, 128],
    [255, 240, 0],
    [20, 5, 0],
  ];
  seen.flat().forEach((value, i) => {
    // Which red exactly an ink has is up to the profile.
    expect(Math.abs(value - inks.flat()[i]!)).toBeLessThan(25);
  });
});

test("a colour profile of an RGB picture is not applied", async () => {
  const data = Uint8Array.of(10, 200, 30, 250, 100, 50);
  const file = await sharp(data, { raw: { width: 2, height: 1, channels: 3 } })
    .png()
    .withIccProfile("p3")
    .toBuffer();
  const stored = await sharp(file, { ignoreIcc: true }).raw().toBuffer();
  expect((await sharp(file).metadata()).hasProfile).toBe(true);
  expect([...(await readImage(file)).data]).toEqual([...stored]);
});

const fixtureAt = (file: string) => new URL(`../../fixtures/${file}`, import.meta.url);
const photograph = () => readFile(fixtureAt("scene.png"));

test("the scene of the examples is the one in the fixture", async () => {
  const { width, height, data } = await readImage(await photograph());
  expect({ width, height }).toEqual(sceneSize);
  for (let i = 0; i < width * height; i += 211) {
    const [x, y] = [i % width, Math.floor(i / width)];
    scenePixel(x, y).forEach((value, channel) => {
      // A level of tolerance, since engines differ in the last bit of powers and sines.
      expect(Math.abs(value - data[i * 3 + channel]!)).toBeLessThanOrEqual(1);
    });
  }
});

for (const format of ["png", "jpeg", "webp"] as const) {
  test(`E304: a ${format} file cut short anywhere is refused, not half read`, async () => {
    const whole = await sharp(await photograph())
      .toFormat(format)
      .toBuffer();
    for (const share of [0.02, 0.3, 0.6, 0.9, 0.999]) {
      const length = Math.floor(whole.length * share);
      const words = new RegExp(
        `E304.*${format.toUpperCase()} image .${length} bytes. is damaged or cut short: \\w`,
      );
      await expect(readImage(whole.subarray(0, length))).rejects.toThrow(words);
    }
  });
}

const bits = (value: number) => Array<number>(4).fill(value);
const refused: readonly [claim: string, file: Uint8Array, words: RegExp][] = [
  ["E300: a PNG of no width", png(0, 8, colour, [[]], {}, 5), /E300.*0 x 5 pixels/],
  [
    "E302: a PNG of 1.6 thousand million pixels",
    png(40000, 8, grey, [[0]], {}, 40000),
    /E302.*40000 x 40000.*134217728/,
  ],
  ["E303: a text", Buffer.from("hello, I am no image"), /E303.*20 bytes.*"hello, I am no i"/],
  ["E303: zeros", Buffer.from(bits(0)), /E303.*4 bytes.*"\.\.\.\."/],
  ["E304: two bytes of a JPEG", Buffer.from([0xff, 0xd8]), /E304.*JPEG image .2 bytes. is damaged/],
  ["E305: no bytes", new Uint8Array(0), /E305.*0 bytes/],
];
for (const [claim, file, words] of refused) {
  test(`${claim} is refused, naming the file`, async () => {
    const path = join(folder, "picture");
    await writeFile(path, file);
    await expect(readImage(file)).rejects.toThrow(words);
    await expect(readImage(path)).rejects.toThrow(`in ${path}`);
  });
}

test("E306: a missing file and a folder are not images", async () => {
  const missing = join(folder, "none.png");
  await expect(readImage(missing)).rejects.toThrow(/E306.*none\.png: there is no such file/);
  await expect(readImage(folder)).rejects.toThrow(/E306.*it is a folder/);
});

test("E307: a picture of floats is not guessed at", async () => {
  await expect(readImage(floatTiff(0.5))).rejects.toThrow(/E307.*float[\s\S]*8 or 16 bits/);
});
