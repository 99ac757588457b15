/**
 * What a user points at, and whether it can be meant: everything is in pixels of the original
 * picture, where pixel (0, 0) is at the top left. Nothing is clamped or dropped in silence.
 */
import { diagnose } from "../../diagnostics/index.ts";
import type { Size } from "./image.ts";
import type { Logits } from "./postprocess.ts";

/** x to the right, y down, in pixels of the original picture; fractions are fine. */
export type Point = readonly [x: number, y: number];

/** 1: on the object. 0: not on it. -1: not a point at all (padding; its position means nothing). */
export type Label = 1 | 0 | -1;

/** Left, top, right, bottom, in pixels of the original picture. */
export type Box = readonly [x0: number, y0: number, x1: number, y1: number];

export interface Prompts {
  readonly points?: readonly Point[] | undefined;
  /** One for each point; 1 for all of them if left out. */
  readonly labels?: readonly Label[] | undefined;
  readonly box?: Box | undefined;
  /** Several objects at once, one box each. */
  readonly boxes?: readonly Box[] | undefined;
  /** Logits at the decoder's resolution, as a previous prediction returned them. */
  readonly mask?: Logits | undefined;
}

/**
 * Checks prompts for a picture of size `picture` and a model whose low-resolution masks have sides
 * of `lowSize` pixels, and fills in the labels.
 *
 * @returns The points, each with its label, and the boxes: `box` first, then `boxes`.
 * @throws E310 to E316, naming the prompt.
 */
export function checkPrompts(
  { points = [], labels, box, boxes = [], mask }: Prompts,
  picture: Size,
  lowSize: number,
): { points: readonly Point[]; labels: readonly Label[]; boxes: readonly Box[] } {
  checkLabels(points.length, labels);
  points.forEach((point, i) => {
    checkPoint(point, labels?.[i] ?? 1, `point ${i + 1}`, picture);
  });
  const all = box ? [box, ...boxes] : boxes;
  all.forEach((one, i) => {
    checkBox(one, all.length > 1 ? `box ${i + 1}` : "the box", picture);
  });
  if (mask) checkMaskLogits(mask, lowSize);
  return { points, labels: labels ?? points.map(() => 1 as const), boxes: all };
}

function checkLabels(count: number, labels: readonly number[] | undefined): void {
  if (!labels) return;
  if (labels.length !== count) {
    throw diagnose("E311", {
      message: `${count} points but ${labels.length} labels`,
      help: "give one label for each point: 1 on the object, 0 not on it",
    });
  }
  const wrong = labels.findIndex((label) => ![-1, 0, 1].includes(label));
  if (wrong < 0) return;
  throw diagnose("E312", {
    message: `label ${wrong + 1} is ${labels[wrong]}`,
    help: "write 1 for a point on the object, 0 for one beside it, -1 for none",
  });
}

function checkPoint(point: Point, label: number, name: string, picture: Size): void {
  checkNumbers(point, 2, name, "x, y");
  const [x, y] = point;
  const { width, height } = picture;
  // A point that is none has no place.
  if (label === -1 || (x >= 0 && x < width && y >= 0 && y < height)) return;
  throw diagnose("E310", {
    message: `${name} (${x}, ${y}) is outside the image, which is ${width} x ${height} pixels`,
    help: `x goes from 0 to ${width - 1}, y from 0 to ${height - 1}, in pixels of the original image`,
  });
}

function checkBox(box: Box, name: string, { width, height }: Size): void {
  checkNumbers(box, 4, name, "x0, y0, x1, y1");
  const [x0, y0, x1, y1] = box;
  if (x0 > x1 || y0 > y1) {
    const ordered = [Math.min(x0, x1), Math.min(y0, y1), Math.max(x0, x1), Math.max(y0, y1)];
    throw diagnose("E313", {
      message: `${name} (${box.join(", ")}) ends before it starts: ${x0 > x1 ? `x0 ${x0} > x1 ${x1}` : `y0 ${y0} > y1 ${y1}`}`,
      help: `corners are left, top, right, bottom (not width and height): ${ordered.join(",")}?`,
    });
  }
  // The right and bottom edge of the picture are legal ends, unlike a point there.
  if (x0 >= 0 && y0 >= 0 && x1 <= width && y1 <= height) return;
  const inside = [Math.max(x0, 0), Math.max(y0, 0), Math.min(x1, width), Math.min(y1, height)];
  const apart = x0 > width || y0 > height || x1 < 0 || y1 < 0;
  throw diagnose("E314", {
    message: `${name} (${box.join(", ")}) leaves the image, which is ${width} x ${height} pixels`,
    help: apart
      ? "the box is not on the image at all: corners are in pixels of the original image"
      : `the part on the image is ${inside.join(",")}`,
  });
}

function checkNumbers(values: readonly number[], count: number, name: string, form: string): void {
  if (Array.isArray(values) && values.length === count && values.every(Number.isFinite)) return;
  const given = Array.isArray(values) ? `(${values.join(", ")})` : String(values);
  throw diagnose("E315", {
    message: `${name} is ${given}, not ${count} finite numbers`,
    help: `write it as ${form}`,
  });
}

function checkMaskLogits({ shape, data }: Logits, lowSize: number): void {
  const [count, height, width] = shape;
  if (
    shape.length !== 3 ||
    count !== 1 ||
    height !== lowSize ||
    width !== lowSize ||
    data.length !== lowSize * lowSize
  ) {
    throw diagnose("E316", {
      message: `the mask prompt is ${shape.join(" x ")} logits (${data.length} values), but this model takes 1 x ${lowSize} x ${lowSize}`,
      help:
        count !== undefined && count > 1
          ? "choose one of the masks: pickLogits(logits, index)"
          : "give back the low-resolution logits of a prediction, or a picture of the mask",
    });
  }
  const wrong = data.findIndex((value) => !Number.isFinite(value));
  if (wrong < 0) return;
  throw diagnose("E315", {
    message: `the mask prompt holds ${data[wrong]} at row ${Math.floor(wrong / lowSize)}, column ${wrong % lowSize}`,
    help: "logits are finite numbers, positive inside the mask",
  });
}
