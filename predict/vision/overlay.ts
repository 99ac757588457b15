/**
 * Pictures for people: masks and prompts drawn over an image, and several pictures side by side.
 * Line widths and marks grow with the picture, so that they look alike at any size.
 */

import { diagnose } from "../../diagnostics/index.ts";
import { checkOptions } from "../../diagnostics/options.ts";
import {
  type Bounds,
  type Colour,
  clamp,
  copyOf,
  disc,
  fill,
  frame,
  paint,
  type Shape,
  shade,
  star,
} from "./draw.ts";
import { checkImage, checkMask, type Image, type Mask, type Picture, type Size } from "./image.ts";
import { edgeDistance } from "./outline.ts";
import { listPrompts, type Prompts } from "./prompts.ts";
import { resizeImage } from "./resize.ts";

/** The masks' colours, in order; the first is the blue in which SAM's masks are usually shown. */
const maskColours: readonly Colour[] = [
  [30, 144, 255],
  [255, 140, 0],
  [220, 60, 160],
  [60, 190, 110],
  [150, 110, 240],
  [240, 200, 40],
];
const maskAlpha = 0.6;
const white: Colour = [255, 255, 255];
const onObject: Colour = [40, 190, 60];
const offObject: Colour = [226, 52, 46];

/**
 * Draws masks, then boxes, then points over a copy of the picture. Points on the object are green
 * stars, points beside it red discs.
 *
 * @throws E300, E301 for a picture or mask that is none, E317 for a mask of another size.
 */
export function drawOverlay(
  picture: Picture,
  masks: readonly Mask[],
  prompts: Omit<Prompts, "mask"> = {},
): Image {
  checkOptions<typeof prompts>("drawOverlay", prompts, {
    points: true,
    labels: true,
    box: true,
    boxes: true,
  });
  const out = copyOf(checkImage(picture));
  masks.forEach((mask, i) => {
    drawMask(out, mask, maskColours[i % maskColours.length]!);
  });
  const { points, labels, boxes } = listPrompts(prompts);
  for (const one of boxes) drawBox(out, one);
  points.forEach(([x, y], i) => {
    const label = labels[i] ?? 1;
    if (label >= 0) drawPoint(out, x, y, label === 1);
  });
  return out;
}

/**
 * Shows what a mask selects: the object as it is, everything else faded to grey.
 *
 * @throws as `drawOverlay`.
 */
export function drawCutout(picture: Picture, mask: Mask): Image {
  const out = copyOf(checkImage(picture));
  const distance = edgeOf(mask, out);
  const { data } = out;
  for (let i = 0; i < distance.length; i++) {
    const outside = clamp(0.5 + distance[i]!);
    if (outside === 0) continue;
    const at = i * 3;
    const grey = fadedTo(0.299 * data[at]! + 0.587 * data[at + 1]! + 0.114 * data[at + 2]!);
    for (let channel = at; channel < at + 3; channel++) {
      data[channel] = Math.round(data[channel]! + (grey - data[channel]!) * outside);
    }
  }
  return out;
}

/**
 * Sets pictures side by side, at most four in a row, each scaled into a cell whose longest side is `longest`
 * pixels, on white.
 *
 * @throws E318 for no pictures, E300 and E301 for one that is none.
 */
export function contactSheet(pictures: readonly Image[], longest = 320): Image {
  if (pictures.length === 0) {
    throw diagnose("E318", {
      message: "a contact sheet of no pictures",
      help: "pass at least one picture",
    });
  }
  const cells = pictures.map((picture) => resizeImage(picture, scaledTo(picture, longest)));
  const gap = Math.max(4, Math.round(longest / 40));
  const columns = Math.min(4, cells.length);
  const rows = Math.ceil(cells.length / columns);
  const cellWidth = Math.max(...cells.map((cell) => cell.width));
  const cellHeight = Math.max(...cells.map((cell) => cell.height));
  const width = gap + columns * (cellWidth + gap);
  const height = gap + rows * (cellHeight + gap);
  const sheet: Image = {
    width,
    height,
    channels: 3,
    data: new Uint8Array(width * height * 3).fill(255),
  };
  cells.forEach((cell, i) => {
    const left = gap + (i % columns) * (cellWidth + gap) + ((cellWidth - cell.width) >> 1);
    const top =
      gap + Math.floor(i / columns) * (cellHeight + gap) + ((cellHeight - cell.height) >> 1);
    for (let y = 0; y < cell.height; y++) {
      const row = cell.data.subarray(y * cell.width * 3, (y + 1) * cell.width * 3);
      sheet.data.set(row, ((top + y) * width + left) * 3);
    }
  });
  return sheet;
}

/** Light and flat, but what is not the object can still be made out. */
const fadedTo = (luma: number) => 176 + 0.26 * luma;

function scaledTo({ width, height }: Size, longest: number): Size {
  const scale = longest / Math.max(width, height);
  const side = (length: number) => Math.max(1, Math.round(length * scale));
  return { width: side(width), height: side(height) };
}

/** The unit of lines and marks, in pixels: 1 up to 480 pixels, growing with the picture. */
const unitOf = ({ width, height }: Size) => Math.max(1, Math.max(width, height) / 480);

/** An odd number of pixels, wide enough for an outline on each side. */
const reachOf = (size: Size) => 2 * Math.ceil(unitOf(size)) + 1;

function edgeOf(mask: Mask, { width, height }: Size): Float32Array {
  checkMask(mask);
  if (mask.width === width && mask.height === height) return edgeDistance(mask, reachOf(mask));
  throw diagnose("E317", {
    message: `the mask is ${mask.width} x ${mask.height}, but the image is ${width} x ${height} pixels`,
    help: "draw a mask on the image it was predicted for",
  });
}

function drawMask(on: Image, mask: Mask, colour: Colour): void {
  const distance = edgeOf(mask, on);
  const all: Bounds = [0, 0, on.width - 1, on.height - 1];
  const at: Shape = (x, y) => distance[y * on.width + x]!;
  paint(on, all, colour, (x, y) => maskAlpha * clamp(0.5 - at(x, y)));
  // The line lies just inside the edge, so that it does not hide what borders on the object.
  const width = 1.5 * unitOf(on);
  const outline: Shape = (x, y) => Math.abs(at(x, y) + width / 2) - width / 2;
  fill(on, outline, all, white, 0.85);
}

function drawBox(on: Image, box: Bounds): void {
  const unit = unitOf(on);
  // Coordinates name pixel centres in the prompt, as they do here.
  const outline = frame(box, 2 * unit);
  const [x0, y0, x1, y1] = box;
  const bounds: Bounds = [x0 - 2 * unit, y0 - 2 * unit, x1 + 2 * unit, y1 + 2 * unit];
  shade(on, outline, bounds, 2 * unit, 0.35);
  fill(on, outline, bounds, onObject);
}

function drawPoint(on: Image, x: number, y: number, positive: boolean): void {
  const unit = unitOf(on);
  const radius = (positive ? 9 : 5.5) * unit;
  const edge = 1.4 * unit;
  const shape = positive ? star(x, y, radius) : disc(x, y, radius);
  const rim: Shape = (px, py) => shape(px, py) - edge;
  const reach = radius + 2 * edge;
  const bounds: Bounds = [x - reach, y - reach, x + reach, y + reach];
  shade(on, rim, bounds, 2.5 * unit, 0.4);
  fill(on, rim, bounds, white);
  fill(on, shape, bounds, positive ? onObject : offObject);
}
