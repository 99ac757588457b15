/** Large TIFFs: read in rows, and labels written in rows with the ground that they lie on. */
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { openRaster } from "../../../predict/node/raster.ts";
import { writeLabelTiff } from "../../../predict/node/tiff-write.ts";
import { refusal } from "../../support/weights-files.ts";

const folder = mkdtempSync(join(tmpdir(), "inarch-raster-"));
const [width, height] = [150, 130];
const labels = Uint8Array.from({ length: width * height }, (_, i) => (i * 7 + (i >> 5)) % 5);
const palette = [0, 0x800000, 0x008000, 0x123456, 0xffffff];
/** A pixel scale, a tie point and keys of EPSG 32633, as a file of Sentinel 2 has them. */
const ground = new Map<number, readonly number[] | string>([
  [33550, [10, 10, 0]],
  [33922, [0, 0, 0, 399960, 5600040.25, 0]],
  [34735, [1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32633]],
  [34737, "WGS 84 / UTM zone 33N|"],
]);

const channelsOf = (colours: readonly number[]) =>
  colours.flatMap((c) => [c >> 16, (c >> 8) & 255, c & 255]);

const write = async (name: string) => {
  const path = join(folder, name);
  await writeLabelTiff(path, {
    ...{ width, height, palette, ground },
    write: async (put) => {
      for (let y = 0; y < height; y += 41)
        await put(labels.slice(y * width, Math.min(height, y + 41) * width));
    },
  });
  return path;
};

describe("a TIFF of labels", () => {
  test("has the labels, their colours, and the ground", async () => {
    const path = await write("labels.tif");
    const seen = await sharp(path).removeAlpha().raw().toBuffer();
    const colours = Array.from(labels, (label) => palette[label]!);
    expect([...seen]).toEqual(channelsOf(colours));
    const raster = await openRaster(path);
    expect([raster.width, raster.height]).toEqual([width, height]);
    expect([...(await raster.rows(17, 60))]).toEqual(
      channelsOf(colours.slice(17 * width, 77 * width)),
    );
    expect(Object.fromEntries(raster.ground)).toEqual(Object.fromEntries(ground));
    await raster.close();
  });

  test("E323: that is larger than a TIFF can be", async () => {
    const large = { width: 70_000, height: 70_000, palette, ground, write: async () => {} };
    expect((await refusal(() => writeLabelTiff(join(folder, "no.tif"), large))).code).toBe("E323");
  });
});

describe("a raster", () => {
  test("in tiles is read in rows, its first three bands, 16 bits as 8", async () => {
    const samples = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 31) % 256);
    const raw = { raw: { width, height, channels: 3 } } as const;
    const path = join(folder, "tiled.tif");
    await sharp(samples, raw)
      .tiff({ tile: true, tileWidth: 64, tileHeight: 64, compression: "deflate" })
      .toFile(path);
    const raster = await openRaster(path);
    const rows = await raster.rows(60, 70);
    expect(rows.length).toBe(70 * width * 3);
    expect(Buffer.from(rows).equals(samples.subarray(60 * width * 3))).toBe(true);
    await raster.close();
  });

  test("E306: that is none, and E307: of floats", async () => {
    const none = join(folder, "none.tif");
    writeFileSync(none, "no picture");
    expect((await refusal(() => openRaster(none))).code).toBe("E306");
    const floats = readFileSync(await write("floats.tif"));
    // The type of samples is not said there: 32 bits are said in their place.
    const bits = floats.indexOf(Buffer.from([2, 1, 3, 0, 1, 0, 0, 0, 8, 0]));
    floats.writeUInt16LE(32, bits + 8);
    writeFileSync(join(folder, "floats.tif"), floats);
    expect((await refusal(() => openRaster(join(folder, "floats.tif")))).code).toBe("E307");
  });
});
