/**
 * Masks of everything in a picture: a grid of points is asked for, in the picture and in parts of it, and what is
 * good, stable, whole and new among the answers is kept.
 * Source: segment-anything `automatic_mask_generator.py::SamAutomaticMaskGenerator`.
 */
import { diagnose } from "../../diagnostics/index.ts";
import { checkOptions } from "../../diagnostics/options.ts";
import type { SamPredictor, SmallLogits } from "../sam.ts";
import { checkImage, type Image, type Picture, type Size } from "../vision/image.ts";
import { threshold, upsampleMasks } from "../vision/postprocess.ts";
import type { Frame } from "../vision/preprocess.ts";
import type { Point } from "../vision/prompts.ts";
import { fillRuns, type Rle, runsOf } from "../vision/rle.ts";
import { type Box, boxOf, isCut, stabilityOf, suppress } from "./filters.ts";
import { type Corners, type Crop, cropsOf, pointGrid } from "./grid.ts";
import { withoutSmallRegions } from "./regions.ts";

export interface AutomaticOptions {
  /** So many points a side, in the picture and in each part of it. @default 32 */
  readonly points?: number | undefined;
  /** In the parts of layer n there are `points / pointsDivisor ** n` points a side. @default 1 */
  readonly pointsDivisor?: number | undefined;
  /** Masks stay whose estimated IoU is above this; 0 keeps all. @default 0.88 */
  readonly iou?: number | undefined;
  /** Masks stay that are at least so stable, from 0 to 1; 0 keeps all. @default 0.95 */
  readonly stability?: number | undefined;
  /** How far the level is moved both ways to see how stable a mask is. @default 1 */
  readonly stabilityOffset?: number | undefined;
  /** The logit above which a pixel is inside. @default 0 */
  readonly level?: number | undefined;
  /** Of two masks whose boxes have a larger IoU the better one stays. @default 0.7 */
  readonly overlap?: number | undefined;
  /** So many layers of parts of the picture: 2 x 2, 4 x 4, … @default 0 */
  readonly cropLayers?: number | undefined;
  /** As `overlap`, of masks from different parts; the one from the smaller part stays. @default 0.7 */
  readonly cropOverlap?: number | undefined;
  /** The part of the picture's shorter side that neighbouring parts share. @default 512 / 1500 */
  readonly cropMargin?: number | undefined;
  /** Holes and islands of fewer pixels go. @default 0 */
  readonly smallest?: number | undefined;
  /** Told after each point. */
  readonly onProgress?: ((done: number, all: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface AutomaticMask {
  /** The mask in the picture's size, as runs: `fillRuns` makes pixels of them. */
  readonly runs: { readonly size: Rle["size"]; readonly counts: readonly number[] };
  /** Pixels inside. */
  readonly area: number;
  /** Left, top, width and height, as the published generator counts them: from the first pixel to the last. */
  readonly box: readonly [number, number, number, number];
  /** The model's estimate of the IoU. */
  readonly iou: number;
  readonly stability: number;
  /** The point that was asked for, in pixels. */
  readonly point: Point;
  /** Left, top, width and height of the part of the picture that the model saw. */
  readonly crop: readonly [number, number, number, number];
}

const usual = {
  points: 32,
  pointsDivisor: 1,
  iou: 0.88,
  stability: 0.95,
  stabilityOffset: 1,
  level: 0,
  overlap: 0.7,
  cropLayers: 0,
  cropOverlap: 0.7,
  cropMargin: 512 / 1500,
  smallest: 0,
};

type Settings = typeof usual;

/** A mask on its way: `box` in pixels of the picture, both corners inside. */
interface Found {
  readonly runs: AutomaticMask["runs"];
  readonly box: Box;
  readonly iou: number;
  readonly stability: number;
  readonly point: Point;
  readonly crop: Corners;
}

/**
 * Masks of everything that the model finds, those of the smallest parts and then the best first, in the order of the
 * published generator. The predictor has no picture of the caller's afterwards.
 *
 * @throws E325 for numbers that settings cannot be, E460 for names that they do not have, E300, E301 and E365 for a
 * picture that is none, and what the predictor throws.
 */
export async function automaticMasks(
  predictor: SamPredictor,
  given: Picture,
  options: AutomaticOptions = {},
): Promise<AutomaticMask[]> {
  const settings = settingsOf(options);
  const picture = checkImage(given);
  const crops = cropsOf(picture, settings.cropLayers, settings.cropMargin);
  const grids = crops.map(({ layer }) => gridOf(settings, layer));
  const all = grids.reduce((sum, { length }) => sum + length, 0);
  let done = 0;
  let found: Found[] = [];
  for (const [i, crop] of crops.entries()) {
    const tell = () => options.onProgress?.(++done, all);
    found.push(
      ...(await findIn(predictor, picture, crop, grids[i]!, {
        settings,
        tell,
        signal: options.signal,
      })),
    );
  }
  if (crops.length > 1) {
    const scores = found.map(({ crop: [left, top, right, bottom] }) =>
      Math.fround(1 / ((right - left) * (bottom - top))),
    );
    found = kept(found, scores, settings.cropOverlap);
  }
  if (settings.smallest > 0) found = tidied(found, picture, settings);
  return found.map(reported);
}

interface Finding {
  readonly settings: Settings;
  readonly tell: () => void;
  readonly signal: AbortSignal | undefined;
}

/** The masks of one part of the picture, the best first. */
async function findIn(
  predictor: SamPredictor,
  picture: Image,
  { box: crop }: Crop,
  grid: readonly Point[],
  { settings, tell, signal }: Finding,
): Promise<Found[]> {
  const part = partOf(picture, crop);
  const frame = await predictor.setImage(part, { signal });
  const found: Found[] = [];
  for (const [right, down] of grid) {
    const point: Point = [right * part.width, down * part.height];
    const answer = await predictor.predictLogits({ points: [point], multimask: true, signal });
    found.push(...goodOnes(answer, { point, frame, crop, picture, settings }));
    tell();
  }
  const scores = found.map(({ iou }) => iou);
  return kept(found, scores, settings.overlap);
}

interface Asked {
  readonly point: Point;
  readonly frame: Frame;
  readonly crop: Corners;
  readonly picture: Size;
  readonly settings: Settings;
}

/** Those masks of an answer that are good, stable and whole. */
function goodOnes({ scores, lowResLogits: { data, shape } }: SmallLogits, asked: Asked): Found[] {
  const { point, frame, crop, picture, settings } = asked;
  const [, height, width] = shape;
  const size = frame.originalSize;
  const [left, top] = crop;
  return scores.flatMap((iou, i) => {
    if (settings.iou > 0 && !(iou > Math.fround(settings.iou))) return [];
    const small = data.subarray(i * height * width, (i + 1) * height * width);
    const logits = upsampleMasks(small, [1, height, width], frame);
    const stability = stabilityOf(logits, settings.level, settings.stabilityOffset);
    if (settings.stability > 0 && !(stability >= Math.fround(settings.stability))) return [];
    const mask = threshold(logits, Math.fround(settings.level));
    const [x0, y0, x1, y1] = boxOf(mask, size);
    const box: Box = [x0 + left, y0 + top, x1 + left, y1 + top];
    if (isCut(box, crop, picture)) return [];
    const whole = inPicture(mask, size, crop, picture);
    const runs = runsOfMask(whole, picture);
    return [{ runs, box, iou, stability, point: [point[0] + left, point[1] + top], crop }];
  });
}

/** Masks without small regions; those that were left as they were are kept before others. */
function tidied(found: readonly Found[], picture: Size, settings: Settings): Found[] {
  const { smallest, overlap, cropOverlap } = settings;
  const all = found.map((one) => {
    const mask = new Uint8Array(picture.width * picture.height);
    fillRuns(one.runs, mask);
    const changed = withoutSmallRegions(mask, picture, smallest);
    return {
      score: changed ? 0 : 1,
      one: changed
        ? { ...one, runs: runsOfMask(changed, picture), box: boxOf(changed, picture) }
        : one,
    };
  });
  return kept(
    all.map(({ one }) => one),
    all.map(({ score }) => score),
    Math.max(overlap, cropOverlap),
  );
}

const kept = (found: readonly Found[], scores: readonly number[], most: number): Found[] =>
  suppress(
    found.map(({ box }) => box),
    scores,
    most,
  ).map((i) => found[i]!);

function reported({ runs, box, iou, stability, point, crop }: Found): AutomaticMask {
  const sized = ([left, top, right, bottom]: Corners) =>
    [left, top, right - left, bottom - top] as const;
  const area = runs.counts.reduce((sum, count, i) => sum + (i % 2) * count, 0);
  return { runs, area, box: sized(box), iou, stability, point, crop: sized(crop) };
}

const gridOf = ({ points, pointsDivisor }: Settings, layer: number) =>
  pointGrid(Math.trunc(points / pointsDivisor ** layer));

const runsOfMask = (mask: Uint8Array, { width, height }: Size) => ({
  size: [height, width] as const,
  counts: runsOf(mask, width, height),
});

function partOf(picture: Image, [left, top, right, bottom]: Corners): Image {
  const [width, height] = [right - left, bottom - top];
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const start = ((top + y) * picture.width + left) * 3;
    data.set(picture.data.subarray(start, start + width * 3), y * width * 3);
  }
  return { width, height, channels: 3, data };
}

function inPicture(mask: Uint8Array, { width, height }: Size, [left, top]: Corners, whole: Size) {
  if (width === whole.width && height === whole.height) return mask;
  const out = new Uint8Array(whole.width * whole.height);
  for (let y = 0; y < height; y++)
    out.set(mask.subarray(y * width, (y + 1) * width), (top + y) * whole.width + left);
  return out;
}

/** Errors: E325, E460. */
function settingsOf(options: AutomaticOptions): Settings {
  checkOptions<AutomaticOptions>("automaticMasks", options, {
    ...(Object.fromEntries(Object.keys(usual).map((name) => [name, true])) as Record<
      keyof Settings,
      true
    >),
    onProgress: true,
    signal: true,
  });
  const settings = Object.fromEntries(
    Object.entries(usual).map(([name, value]) => [name, options[name as keyof Settings] ?? value]),
  ) as Settings;
  const count = (least: number, most: number) => (value: number) =>
    Number.isInteger(value) && value >= least && value <= most;
  const rules: Readonly<
    Partial<Record<keyof Settings, readonly [(v: number) => boolean, string]>>
  > = {
    points: [count(1, 4096), "a whole number from 1 to 4096"],
    pointsDivisor: [(v) => v >= 1, "a number from 1 up"],
    cropLayers: [count(0, 6), "a whole number from 0 to 6"],
    cropMargin: [(v) => v >= 0 && v < 1, "a number from 0 up, and below 1"],
  };
  for (const [name, value] of Object.entries(settings)) {
    const [is, words] = rules[name as keyof Settings] ?? [Number.isFinite, "a number"];
    if (!is(value)) throw wrong(name, value, words);
  }
  const deepest = settings.points / settings.pointsDivisor ** settings.cropLayers;
  if (deepest < 1)
    throw wrong(
      "pointsDivisor",
      settings.pointsDivisor,
      "smaller: the smallest parts have no point",
    );
  return settings;
}

const wrong = (name: string, value: number, words: string) =>
  diagnose("E325", {
    message: `the automatic masks' setting ${name} cannot be ${value}`,
    help: `it is ${words}`,
  });
