/**
 * Automatic masks: equal to the published generator's. fixtures/automatic_masks.py made the reference; its small logits
 * and scores are drawn by a rule, which stands here once more.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { bug } from "../../diagnostics/index.ts";
import { type AutomaticOptions, automaticMasks } from "../../predict/automatic/automatic.ts";
import { suppress } from "../../predict/automatic/filters.ts";
import { cropsOf, pointGrid } from "../../predict/automatic/grid.ts";
import { withoutSmallRegions } from "../../predict/automatic/regions.ts";
import type { SamPredictor, SmallLogits } from "../../predict/sam.ts";
import { type Frame, frameOf } from "../../predict/vision/preprocess.ts";
import { encodeRuns } from "../../predict/vision/rle.ts";
import { refusal } from "../support/weights-files.ts";

interface Case {
  readonly width: number;
  readonly height: number;
  readonly options: Readonly<Record<string, number>>;
  readonly masks: readonly {
    readonly segmentation: string;
    readonly area: number;
    readonly bbox: readonly number[];
    readonly predicted_iou: number;
    readonly point_coords: readonly (readonly number[])[];
    readonly stability_score: number;
    readonly crop_box: readonly number[];
  }[];
}

const cases = JSON.parse(
  readFileSync(new URL("../fixtures/automatic_masks.json", import.meta.url), "utf8"),
) as readonly Case[];
const [side, low] = [128, 32];

function mixed(...numbers: readonly number[]): number {
  let h = 2166136261;
  for (const n of numbers) {
    h = Math.imul(h ^ n, 16777619) >>> 0;
    h = (h ^ (h >>> 13)) >>> 0;
  }
  return h;
}

/** Three masks around a point of the model's square: discs with a hole and an island; and their scores. */
function answer(x: number, y: number, crop: number): SmallLogits {
  const [px, py] = [Math.floor(x * 8 + 0.5), Math.floor(y * 8 + 0.5)];
  const [cx, cy] = [px / 32, py / 32];
  const data = new Float32Array(3 * low * low);
  const scores: number[] = [];
  for (let k = 0; k < 3; k++) {
    const h = mixed(px, py, k, crop);
    const [radius, slope] = [((6 + (h % 9)) * (2 + k)) / 6, (1 + ((h >>> 4) % 8)) / 8];
    const [hole, island] = [(h >>> 8) % low, (h >>> 14) % low];
    for (let v = 0; v < low; v++)
      for (let u = 0; u < low; u++) {
        let value = (radius - Math.sqrt((u - cx) * (u - cx) + (v - cy) * (v - cy))) * slope;
        if (u === hole && (v === Math.floor(cy) || v === Math.floor(cy) + 1)) value -= 4;
        if (u === island && v === (h >>> 20) % low) value += 6;
        data[(k * low + v) * low + u] = value;
      }
    scores.push(Math.fround(((h >>> 5) % 1000) / 1000));
  }
  return { scores, lowResLogits: { shape: [3, low, low], data } };
}

/** A predictor that answers by the rule. */
function drawn(): SamPredictor {
  let frame: Frame | undefined;
  let crops = 0;
  return {
    async setImage(picture) {
      frame = frameOf(picture, side);
      crops++;
      return frame;
    },
    async predictLogits({ points } = {}) {
      const [[x, y]] = points as readonly [readonly [number, number]];
      const { inputSize, originalSize } = frame!;
      const right = x * (inputSize.width / originalSize.width);
      return answer(right, y * (inputSize.height / originalSize.height), crops - 1);
    },
    predict: () => bug("not asked for"),
    change: () => bug("not asked for"),
    frame: () => frame,
    lowSize: low,
    lost: new Promise(() => {}),
    restore: () => bug("not asked for"),
    close: async () => {},
  };
}

const names: Readonly<Record<string, keyof AutomaticOptions>> = {
  points_per_side: "points",
  pred_iou_thresh: "iou",
  stability_score_thresh: "stability",
  stability_score_offset: "stabilityOffset",
  box_nms_thresh: "overlap",
  crop_n_layers: "cropLayers",
  crop_nms_thresh: "cropOverlap",
  crop_n_points_downscale_factor: "pointsDivisor",
  min_mask_region_area: "smallest",
};

const settingsOf = ({ options }: Case): AutomaticOptions =>
  Object.fromEntries(Object.entries(options).map(([name, value]) => [names[name]!, value]));

const pictureOf = ({ width, height }: Case) =>
  ({ width, height, channels: 3, data: new Uint8Array(width * height * 3) }) as const;

describe("automatic masks", () => {
  test.each(
    cases.map((one) => [`${one.options.crop_n_layers ?? 0} layers of parts`, one] as const),
  )("with %s are the published generator's, in its order", async (_, one) => {
    const found = await automaticMasks(drawn(), pictureOf(one), settingsOf(one));
    expect(one.masks.length).toBeGreaterThanOrEqual(20);
    expect(found.map(({ runs }) => encodeRuns(runs.counts))).toEqual(
      one.masks.map(({ segmentation }) => segmentation),
    );
    for (const [i, wanted] of one.masks.entries()) {
      const { area, box, crop, point, iou, stability } = found[i]!;
      expect({ area, box, crop }).toEqual({
        area: wanted.area,
        box: wanted.bbox,
        crop: wanted.crop_box,
      });
      for (const [axis, place] of wanted.point_coords[0]!.entries())
        expect(point[axis]).toBeCloseTo(place, 9);
      expect(Math.abs(iou - wanted.predicted_iou)).toBeLessThan(1e-4);
      expect(Math.abs(stability - wanted.stability_score)).toBeLessThan(1e-4);
    }
  });

  test.each([
    ["iou", 0],
    ["stability", 0],
    ["overlap", 1],
    ["cropOverlap", 1],
    ["smallest", 0],
    ["stabilityOffset", 0.1],
  ] as const)("are others without what %s filters", async (name, value) => {
    const one = cases[1]!;
    const found = await automaticMasks(drawn(), pictureOf(one), {
      ...settingsOf(one),
      [name]: value,
    });
    expect(found.map(({ runs }) => encodeRuns(runs.counts))).not.toEqual(
      one.masks.map(({ segmentation }) => segmentation),
    );
  });

  test("are told of after each point, and stop when they are told to", async () => {
    const one = cases[1]!;
    const told: number[] = [];
    const stop = new AbortController();
    const predictor = drawn();
    const asked = predictor.predictLogits;
    const stopping: SamPredictor = {
      ...predictor,
      predictLogits: (options) => {
        options?.signal?.throwIfAborted();
        return asked(options);
      },
    };
    const onProgress = (done: number, all: number) => {
      told.push(done);
      expect(all).toBe(12 * 12 + 4 * 6 * 6);
      if (done === 5) stop.abort(new RangeError("enough"));
    };
    const options = { ...settingsOf(one), onProgress, signal: stop.signal };
    await expect(automaticMasks(stopping, pictureOf(one), options)).rejects.toThrow("enough");
    expect(told).toEqual([1, 2, 3, 4, 5]);
  });

  test("E325: settings that cannot be", async () => {
    const codeOf = async (options: AutomaticOptions) => {
      const { code, details } = await refusal(() =>
        automaticMasks(drawn(), pictureOf(cases[0]!), options),
      );
      return `${code} ${details.message}`;
    };
    expect(await codeOf({ points: 0 })).toBe(
      "E325 the automatic masks' setting points cannot be 0",
    );
    expect(await codeOf({ cropLayers: 1.5 })).toMatch(/^E325.*cropLayers/);
    expect(await codeOf({ iou: Number.NaN })).toMatch(/^E325.*iou/);
    expect(await codeOf({ points: 4, pointsDivisor: 3, cropLayers: 2 })).toMatch(/^E325.*Divisor/);
    expect(await codeOf({ point: 4 } as never)).toMatch(/^E460/);
  });
});

describe("parts of it", () => {
  test("points lie in the middles of cells; one is in the middle", () => {
    expect(pointGrid(1)).toEqual([[0.5, 0.5]]);
    expect(pointGrid(2)).toEqual([
      [0.25, 0.25],
      [0.75, 0.25],
      [0.25, 0.75],
      [0.75, 0.75],
    ]);
  });

  test("parts of the picture overlap, and end with it", () => {
    const crops = cropsOf({ width: 100, height: 60 }, 2, 0.5);
    expect(crops.length).toBe(1 + 4 + 16);
    expect(crops.slice(0, 5).map(({ box }) => box)).toEqual([
      [0, 0, 100, 60],
      [0, 0, 65, 45],
      [0, 15, 65, 60],
      [35, 0, 100, 45],
      [35, 15, 100, 60],
    ]);
    for (const { box } of crops) expect([box[2] <= 100, box[3] <= 60]).toEqual([true, true]);
  });

  test("of equal scores the earlier box stays; boxes without area all do", () => {
    const box = [0, 0, 10, 10] as const;
    expect(suppress([box, box, [20, 0, 30, 10]], [1, 1, 2], 0.5)).toEqual([2, 0]);
    expect(
      suppress(
        [
          [3, 3, 3, 3],
          [3, 3, 3, 3],
        ],
        [1, 2],
        0.5,
      ),
    ).toEqual([1, 0]);
  });

  test("of masks all of whose islands are small the largest stays; holes are filled first", () => {
    const size = { width: 5, height: 4 };
    const drawing = (...rows: readonly string[]) =>
      Uint8Array.from(rows.join(""), (c) => Number(c === "#"));
    const tidy = (...rows: readonly string[]) => withoutSmallRegions(drawing(...rows), size, 4);
    expect(tidy("#....", ".....", "...##", ".....")).toEqual(
      drawing(".....", ".....", "...##", "....."),
    );
    expect(tidy("###..", "#.#..", "###..", "....#")).toEqual(
      drawing("###..", "###..", "###..", "....."),
    );
    // Corners hold together: there is nothing small.
    expect(tidy("#....", ".#...", "..#..", "...#.")).toBe(undefined);
  });
});
