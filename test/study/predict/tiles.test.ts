/** Large pictures in tiles: no seams, nothing twice, and the same as without tiles where a model allows it. */
import { describe, expect, test } from "vitest";
import type { Image } from "../../../predict/vision/image.ts";
import type { Maps } from "../../../study/predict/maps.ts";
import { type Rows, seeInTiles, tilesOf } from "../../../study/predict/tiles.ts";
import { refusal } from "../../support/weights-files.ts";

/** A picture whose samples are a hash of their place. */
const noise = (
  width: number,
  height: number,
): Rows & { readonly at: (x: number, y: number) => number } => {
  const at = (x: number, y: number) => {
    const h = Math.imul(x + 1, 0x9e3779b1) ^ Math.imul(y + 1, 0x85ebca77);
    return (Math.imul(h ^ (h >>> 15), 0xc2b2ae35) >>> 24) & 255;
  };
  return {
    ...{ width, height, at },
    rows: async (first, count) =>
      Uint8Array.from({ length: count * width * 3 }, (_, i) =>
        at(Math.floor(i / 3) % width, first + Math.floor(i / 3 / width)),
      ),
  };
};

type Model = (tile: Image, x: number, y: number) => readonly number[];

const seeing = (channels: number, model: Model) => async (tiles: readonly Image[]) =>
  tiles.map((tile): Maps => {
    const { width, height } = tile;
    const data = new Float32Array(channels * width * height);
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        for (const [c, value] of model(tile, x, y).entries())
          data[(c * height + y) * width + x] = value;
    return { width, height, channels, kind: "logits", data };
  });

async function wholeOf(
  picture: Rows,
  side: number,
  overlap: number,
  channels: number,
  model: Model,
) {
  const out = new Float32Array(channels * picture.width * picture.height);
  let next = 0;
  const options = { side, overlap, batch: 3, see: seeing(channels, model) };
  await seeInTiles(picture, options, async (first, { height, data }) => {
    expect(first).toBe(next);
    next += height;
    for (let c = 0; c < channels; c++)
      out.set(
        data.subarray(c * height * picture.width, (c + 1) * height * picture.width),
        (c * picture.height + first) * picture.width,
      );
  });
  expect(next).toBe(picture.height);
  return out;
}

describe("tiles", () => {
  test("of a model that looks at single pixels give exactly what it gives, whatever the sizes", async () => {
    for (const [width, height, side, overlap] of [
      [97, 61, 16, 5],
      [64, 64, 16, 0],
      [40, 100, 32, 31],
      [9, 50, 16, 4],
      [7, 5, 16, 4],
    ] as const) {
      const picture = noise(width, height);
      const one = (v: number) => [Math.fround(Math.sin(v) / 3), Math.fround(v / 7)];
      const found = await wholeOf(picture, side, overlap, 2, (tile, x, y) =>
        one(tile.data[(y * tile.width + x) * 3]!),
      );
      const wanted = Float32Array.from({ length: 2 * width * height }, (_, i) => {
        const at = i % (width * height);
        return one(picture.at(at % width, Math.floor(at / width)))[Math.floor(i / width / height)]!;
      });
      expect(found).toEqual(wanted);
    }
  });

  test("of a model that differs from tile to tile and at their edges have no seams", async () => {
    const [width, height, side, overlap] = [320, 320, 64, 32];
    let calls = 0;
    // Each tile has a level of its own, and is wrong near its edges, as models with padding are.
    const levels = new WeakMap<Image, number>();
    const model: Model = (tile, x, y) => {
      const level = levels.get(tile) ?? Math.sin(++calls * 12.9898) * 2;
      levels.set(tile, level);
      const edge = Math.min(x, y, side - 1 - x, side - 1 - y);
      return [level + Math.exp(-edge / 3) + tile.data[(y * tile.width + x) * 3]! / 512];
    };
    const maps = await wholeOf(noise(width, height), side, overlap, 1, model);
    const starts = new Set(
      tilesOf(width, side, overlap).flatMap(({ start }) => [start, start + side]),
    );
    const mean = (isAt: (x: number) => boolean) => {
      let [sum, count] = [0, 0];
      for (let y = 0; y < height; y++)
        for (let x = 1; x < width; x++)
          if (isAt(x)) {
            sum += Math.abs(maps[y * width + x]! - maps[y * width + x - 1]!);
            count++;
          }
      return sum / count;
    };
    expect(mean((x) => starts.has(x))).toBeLessThanOrEqual(1.05 * mean((x) => !starts.has(x)));
    const apart = await wholeOf(noise(width, height), side, 0, 1, model);
    maps.set(apart);
    expect(mean((x) => x % side === 0)).toBeGreaterThan(1.05 * mean((x) => x % side !== 0));
  });

  test("keep a strip, however high the picture is", async () => {
    const asked: number[] = [];
    const tall: Rows = {
      ...{ width: 50, height: 4000 },
      rows: async (_first, count) => {
        asked.push(count);
        return new Uint8Array(count * 50 * 3);
      },
    };
    const rows: number[] = [];
    const options = { side: 16, overlap: 4, batch: 4, see: seeing(1, () => [1]) };
    await seeInTiles(tall, options, async (_, { height }) => {
      rows.push(height);
    });
    expect(Math.max(...asked, ...rows)).toBe(16);
  });

  test("E1142: that share all of what they are", async () => {
    const options = { side: 16, overlap: 16, batch: 1, see: seeing(1, () => [0]) };
    const refused = refusal(() => seeInTiles(noise(9, 9), options, async () => {}));
    expect((await refused).code).toBe("E1142");
  });
});
