/** Masks and scores of a run, in every form in which they are written. */
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { formatSamConfig } from "../../../models/sam/config.ts";
import { hashedWeights } from "../../../models/sam/hashed.ts";
import { decodeLabels } from "../../../predict/node/labels.ts";
import { openRaster } from "../../../predict/node/raster.ts";
import { writeLabelTiff } from "../../../predict/node/tiff-write.ts";
import { decodeNpy } from "../../../predict/vision/npy.ts";
import { classColour } from "../../../predict/vision/palette.ts";
import { writeSafetensors } from "../../../runtime/weights/index.ts";
import { openSet } from "../../../study/data/node/open.ts";
import { confusion } from "../../../study/metrics/confusion.ts";
import {
  type EvaluateRequest,
  type LabelScores,
  evaluate as score,
} from "../../../study/predict/node/evaluate.ts";
import { type PredictRequest, predict } from "../../../study/predict/node/predict.ts";
import type { MaskFormat } from "../../../study/predict/node/write-masks.ts";
import { train } from "../../../study/train/node/train.ts";
import { buildPackage, inarch } from "../../support/command-line.ts";
import { drawSquares, height, width } from "../../support/drawn-squares.ts";
import { grey, png } from "../../support/image-files.ts";
import { tinySam } from "../../support/sam-small.ts";
import { readAll, refusal } from "../../support/weights-files.ts";

const folder = mkdtempSync(join(tmpdir(), "inarch-predict-"));
const [weights, config] = [join(folder, "tiny.safetensors"), join(folder, "tiny.json")];
const [pictures, masks] = [join(folder, "pictures"), join(folder, "masks")];
const count = 5;
const names = ["ground", "square", "foot"];
const classes = { kind: "classes", classes: names, ignore: 9, folder: masks } as const;
const set = { format: "folders", pictures, targets: { kinds: classes } } as const;
const run = join(folder, "run");

const evaluate = async (request: EvaluateRequest) => {
  const { tasks } = await score(request);
  return { tasks: tasks as LabelScores[] };
};

beforeAll(async () => {
  writeFileSync(weights, writeSafetensors(await readAll(hashedWeights(tinySam, "predict")), {}));
  writeFileSync(config, JSON.stringify(formatSamConfig(tinySam)));
  drawSquares(pictures, masks, count);
  await train({
    ...{ set, weights, config, out: run, device: "cpu", part: 0.4 },
    settings: { method: "lora", steps: 8, batch: 2, validateEvery: 8, rate: 2e-2 },
  });
});

const request = (out: string, more: Partial<PredictRequest> = {}): PredictRequest => ({
  ...{ pictures: [pictures], run, weights, config, out: join(folder, out), device: "cpu" },
  ...more,
});

/** The labels of a picture's mask, as grey levels. */
const greyOf = async (path: string) => {
  const { data, info } = await (await import("sharp")).default(path).raw().toBuffer({
    resolveWithObject: true,
  });
  return [...data].filter((_, i) => i % info.channels === 0);
};

describe("masks of pictures", () => {
  test("are the same however many are seen at once, and in whatever parts", async () => {
    const one = await predict(request("one"));
    const three = await predict(request("three", { batch: 3 }));
    expect(three.masks).toEqual(one.masks);
    const parts = [];
    for (const index of [0, 1])
      parts.push((await predict(request("parts", { shard: { index, count: 2 } }))).masks);
    expect(parts.map(({ length }) => length)).toEqual([3, 2]);
    for (const { file } of one.masks)
      for (const other of ["three", "parts"])
        expect(readFileSync(join(folder, other, file))).toEqual(
          readFileSync(join(folder, "one", file)),
        );
    expect(
      new Set(one.masks.flatMap(({ pixels }) => Object.keys(pixels).filter((k) => pixels[k]! > 0)))
        .size,
    ).toBeGreaterThan(1);
  });

  test("of a palette have the labels as indices, and Pascal VOC's colours", async () => {
    await predict(request("grey"));
    await predict(request("palette", { format: "palette" }));
    for (let i = 0; i < count; i++) {
      const bytes = readFileSync(join(folder, "palette", `${i}.png`));
      const { kind, values, palette } = await decodeLabels(bytes, undefined, {});
      expect(kind).toBe("index");
      expect([...values]).toEqual(await greyOf(join(folder, "grey", `${i}.png`)));
      expect(palette).toEqual([0, 0x800000, 0x008000]);
    }
    expect([15, 255].map(classColour)).toEqual([0xc08080, 0xe0e0c0]);
  });

  test("in tiles are those that are put together, and a TIFF lies where its picture does", async () => {
    const ground = new Map<number, readonly number[] | string>([
      [33550, [0.5, 0.5, 0]],
      [33922, [0, 0, 0, 1000, 2000, 0]],
      [34735, [1, 1, 0, 1, 1024, 0, 1, 1]],
    ]);
    const field = join(folder, "field.tif");
    const [wide, high] = [90, 70];
    const data = Uint8Array.from({ length: wide * high }, (_, i) => (i * 13 + (i >> 6)) % 200);
    const greys = Array.from({ length: 256 }, (_, i) => i * 0x010101);
    await writeLabelTiff(field, {
      ...{ width: wide, height: high, palette: greys, ground },
      write: (put) => put(data),
    });
    const tiles = { side: 32, overlap: 8 };
    const asked = { pictures: [field], tiles, batch: 4 };
    const { masks: written } = await predict(request("tiff", { ...asked, format: "tiff" }));
    expect(written[0]!.file).toBe("field.tif");
    await predict(request("tiled", asked));
    const raster = await openRaster(join(folder, "tiff", "field.tif"));
    const colours = await raster.rows(0, high);
    const labels = Array.from({ length: wide * high }, (_, i) =>
      colours[3 * i]! > 0 ? 1 : colours[3 * i + 1]! > 0 ? 2 : 0,
    );
    expect(labels).toEqual(await greyOf(join(folder, "tiled", "field.png")));
    expect(Object.fromEntries(raster.ground)).toEqual(Object.fromEntries(ground));
    await raster.close();
    const all = Object.values(written[0]!.pixels).reduce((a, b) => a + b);
    expect(all).toBe(wide * high);
    const both = request("both", { ...asked, probabilities: true });
    expect((await refusal(() => predict(both))).code).toBe("E1142");
  });

  test("of COCO's form are read back pixel by pixel, as runs and as polygons", async () => {
    const labels = await Promise.all(
      Array.from({ length: count }, (_, i) => greyOf(join(folder, "grey", `${i}.png`))),
    );
    for (const format of ["coco", "coco-polygons"] satisfies MaskFormat[]) {
      const out = join(folder, format);
      const { masks: written } = await predict(request(format, { format }));
      expect(new Set(written.map(({ file }) => file))).toEqual(new Set(["masks.json"]));
      const read = await openSet({ format: "coco", file: join(out, "masks.json"), pictures });
      expect(read.tasks.labels?.classes).toEqual(["background", ...names]);
      for (let i = 0; i < count; i++) {
        const { targets } = await read.read(i);
        const [target] = Object.values(targets);
        expect([...target!.data]).toEqual(labels[i]!.map((label) => label + 1));
      }
    }
  });

  test("of GeoJSON are closed rings that cover the picture once", async () => {
    const { masks: written } = await predict(request("geojson", { format: "geojson" }));
    for (const { file, pixels } of written) {
      const { features } = JSON.parse(readFileSync(join(folder, "geojson", file), "utf8"));
      const areas: Record<string, number> = {};
      for (const { properties, geometry } of features)
        for (const [i, ring] of geometry.coordinates.entries()) {
          expect(ring[0]).toEqual(ring.at(-1));
          let area = 0;
          for (let at = 1; at < ring.length; at++)
            area += (ring[at - 1][0] * ring[at][1] - ring[at][0] * ring[at - 1][1]) / 2;
          // Outer rings run one way, holes the other.
          expect(Math.sign(area)).toBe(i === 0 ? -1 : 1);
          areas[properties.class] = (areas[properties.class] ?? 0) - area;
        }
      const wanted = Object.entries(pixels).filter(([, pixelCount]) => pixelCount > 0);
      expect(areas).toEqual(Object.fromEntries(wanted));
    }
  });

  test("of GeoJSON of a GeoTIFF lie on its map, in tiles and whole", async () => {
    const field = join(folder, "map.tif");
    const [wide, high] = [40, 30];
    const data = Uint8Array.from({ length: wide * high }, (_, i) => (i * 13 + (i >> 6)) % 200);
    const palette = Array.from({ length: 256 }, (_, i) => i * 0x010101);
    const write = async (ground: ReadonlyMap<number, readonly number[]>) => {
      const of = { width: wide, height: high, palette, ground };
      await writeLabelTiff(field, { ...of, write: (put) => put(data) });
    };
    const read = async (tiles?: { side: number }) => {
      const { masks: written } = await predict(
        request("map", { pictures: [field], format: "geojson", tiles }),
      );
      const json = JSON.parse(readFileSync(join(folder, "map", "map.geojson"), "utf8"));
      return { json, pixels: written[0]!.pixels };
    };
    const areasOf = (features: readonly { geometry: { coordinates: number[][][] } }[]) => {
      let sum = 0;
      for (const { geometry } of features)
        for (const ring of geometry.coordinates)
          for (let at = 1; at < ring.length; at++)
            sum += (ring[at - 1]![0]! * ring[at]![1]! - ring[at]![0]! * ring[at - 1]![1]!) / 2;
      return sum;
    };
    const keys = [1, 1, 0, 2, 1024, 0, 1, 1, 3072, 0, 1, 32633];
    const scaled = new Map([
      [33550, [2, 4, 0]],
      [33922, [0, 0, 0, 1000, 2000, 0]],
      [34735, keys],
    ]);
    await write(scaled);
    for (const tiles of [undefined, { side: 32 }]) {
      const { json } = await read(tiles);
      expect(json.crs.properties.name).toBe("urn:ogc:def:crs:EPSG::32633");
      // Outer rings run counter-clockwise where y goes up; together they cover the map of the picture once.
      expect(areasOf(json.features)).toBeCloseTo(wide * 2 * high * 4, 6);
      const all = json.features.flatMap((f: { geometry: { coordinates: number[][][] } }) =>
        f.geometry.coordinates.flat(),
      );
      const xs = all.map(([x]: number[]) => x!);
      const ys = all.map(([, y]: number[]) => y!);
      expect([Math.min(...xs), Math.max(...xs)]).toEqual([1000, 1000 + 2 * wide]);
      expect([Math.min(...ys), Math.max(...ys)]).toEqual([2000 - 4 * high, 2000]);
    }
    // A matrix that mirrors, and a picture of points: their places are in the middle of pixels.
    const matrix = [0.5, 0, 0, 7, 0, 0.5, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1];
    await write(
      new Map([
        [34264, matrix],
        [34735, [1, 1, 0, 1, 1025, 0, 1, 2]],
      ]),
    );
    const { json } = await read();
    expect([json.crs, areasOf(json.features)]).toEqual([undefined, (wide * high) / 4]);
    const first = json.features[0].geometry.coordinates.flat().flat();
    expect(Math.min(...first)).toBe(6.75);
  });

  test("have probabilities beside them, whose largest is the label", async () => {
    await predict(request("probable", { probabilities: true }));
    const labels = await greyOf(join(folder, "probable", "2.png"));
    const file = readFileSync(join(folder, "probable", "2.probabilities.npy"));
    const { shape, data } = decodeNpy(file, undefined);
    expect(shape).toEqual([3, height, width]);
    const pixels = width * height;
    for (let i = 0; i < pixels; i++) {
      const each = [0, 1, 2].map((c) => data[c * pixels + i]!);
      expect(each.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
      expect(each.indexOf(Math.max(...each))).toBe(labels[i]);
    }
  });
});

describe("scores of a run", () => {
  test("are those of the masks that it writes", async () => {
    const { tasks } = await evaluate({ run, weights, config, set, device: "cpu", batch: 2 });
    const counts = confusion(3, { ignore: 9 });
    for (let i = 0; i < count; i++)
      counts.add(
        await greyOf(join(folder, "grey", `${i}.png`)),
        await greyOf(join(masks, `${i}.png`)),
      );
    const [scores] = tasks;
    const wanted = counts.scores();
    expect(scores!.pictures).toBe(count);
    expect(Object.keys(scores!.classes)).toEqual(names);
    for (const [i, one] of Object.values(scores!.classes).entries())
      for (const [metric, score] of Object.entries(one))
        expect(score).toEqual(wanted.classes[i]![metric as "iou"] ?? null);
    expect(scores!.meanIou.value).toBe(wanted.meanIou.value ?? null);
  });

  test("that are not defined are null, and in no mean", async () => {
    const few = { ...classes, classes: ["ground", "square", "foot"], folder: join(folder, "bare") };
    mkdirSync(join(folder, "bare"));
    for (let i = 0; i < count; i++)
      writeFileSync(
        join(folder, "bare", `${i}.png`),
        png(
          width,
          8,
          grey,
          Array.from({ length: height }, () => Array(width).fill(9)),
        ),
      );
    const bare = { ...set, targets: { kinds: few } } as const;
    const { tasks } = await evaluate({ run, weights, config, set: bare, device: "cpu" });
    expect(tasks[0]!.classes.square).toMatchObject({ iou: null, recall: null, pixels: 0 });
    expect(tasks[0]!.meanIou).toEqual({ value: null, of: 0, undefined: 3 });
    expect(tasks[0]!.accuracy).toBe(null);
  });

  test("E1140: of a set of other classes", async () => {
    const other = { ...set, targets: { kinds: { ...classes, classes: ["a", "b", "c"] } } } as const;
    const { code, details } = await refusal(() =>
      evaluate({ run, weights, config, set: other, device: "cpu" }),
    );
    expect(`${code} ${details.message}`).toBe(
      "E1140 the run knows kinds (ground, square, foot), and the set has kinds (a, b, c)",
    );
  });

  describe("inarch eval", () => {
    beforeAll(buildPackage);
    test("prints a table, and says what is not defined", async () => {
      const flags = ["--weights", weights, "--config", config, "--device", "cpu", "--ignore", "9"];
      const args = ["eval", run, "--pictures", pictures, "--masks", masks, ...flags];
      const { code, stdout } = await inarch(args, folder);
      expect(code).toBe(0);
      expect(stdout).toMatch(/class +iou +dice +precision +recall +pixels\n +ground +\d\.\d{4}/);
      const { stdout: json } = await inarch([...args, "--json"], folder);
      expect(Object.keys(JSON.parse(json).tasks[0].classes)).toEqual(names);
    });
  });
});
