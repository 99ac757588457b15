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

/** Numbers as tensors and graphics libraries hold them: a typed array of any kind but of big integers. */
export type NumberArray = ArrayBufferView & ArrayLike<number>;

export interface Prompts {
  /** A list of points, or their numbers one after another: x, y, x, y. */
  readonly points?: readonly (Point | NumberArray)[] | NumberArray | undefined;
  /** One for each point; 1 for all of them if left out. */
  readonly labels?: readonly Label[] | NumberArray | undefined;
  readonly box?: Box | NumberArray | undefined;
  /** Several objects at once, one box each: a list of boxes, or their numbers one after another. */
  readonly boxes?: readonly (Box | NumberArray)[] | NumberArray | undefined;
  /** Logits at the decoder's resolution, as a previous prediction returned them. */
  readonly mask?: Logits | undefined;
}

/** Prompts as lists; boxes are all of them, `box` first. */
export interface PromptLists {
  readonly points: readonly Point[];
  readonly labels: readonly Label[];
  readonly boxes: readonly Box[];
}

/** The prompts as lists; their numbers are not checked. Errors: E315 for what is no list of numbers. */
export function listPrompts({ points, labels, box, boxes }: Prompts): PromptLists {
  const all = rows(points, 2, "points", "[x, y]") as readonly Point[];
  const more = rows(boxes, 4, "boxes", "[x0, y0, x1, y1]") as readonly Box[];
  const first = box ? [plain(box) as Box] : [];
  const given = rows(labels ?? all.map(() => 1), 1, "labels", "1, 0 or -1") as readonly Label[];
  return { points: all, labels: given, boxes: [...first, ...more] };
}

/** Rows of `width` numbers, each of which may be an array of numbers; or one such array for all. */
function rows(values: unknown, width: number, name: string, form: string): readonly unknown[] {
  if (Array.isArray(values)) return values.map(plain);
  const numbers = plain(values ?? []);
  if (!Array.isArray(numbers))
    throw diagnose("E315", {
      message: `${name} are ${String(values)}, no list`,
      help: `write a list of ${form}`,
    });
  if (width === 1) return numbers;
  if (numbers.length % width !== 0)
    throw diagnose("E315", {
      message: `${name} are ${numbers.length} numbers, not ${width} for each`,
      help: `write a list of ${form}`,
    });
  return Array.from({ length: numbers.length / width }, (_, i) =>
    numbers.slice(i * width, (i + 1) * width),
  );
}

/** A typed array as a list; anything else as it is. */
const plain = (value: unknown): unknown =>
  ArrayBuffer.isView(value) && !(value instanceof DataView)
    ? Array.from(value as NumberArray)
    : value;

/**
 * Checks prompts for a picture of size `picture` and a model whose low-resolution masks have sides
 * of `lowSize` pixels, and fills in the labels.
 *
 * @returns The points, each with its label, and the boxes: `box` first, then `boxes`.
 * @throws E310 to E316, naming the prompt.
 */
export function checkPrompts(prompts: Prompts, picture: Size, lowSize: number): PromptLists {
  const { points, labels, boxes } = listPrompts(prompts);
  checkLabels(points.length, labels);
  points.forEach((point, i) => {
    checkPoint(point, labels[i]!, `point ${i + 1}`, picture);
  });
  boxes.forEach((one, i) => {
    checkBox(one, boxes.length > 1 ? `box ${i + 1}` : "the box", picture);
  });
  if (prompts.mask) checkMaskLogits(prompts.mask, lowSize);
  return { points, labels, boxes };
}

function checkLabels(count: number, labels: readonly number[]): void {
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

function checkMaskLogits(mask: Logits, lowSize: number): void {
  const { shape, data } = mask;
  if (!Array.isArray(shape) || !(Array.isArray(data) || ArrayBuffer.isView(data)))
    throw diagnose("E316", {
      message: "the mask prompt is { shape, data } of logits, but this is something else",
      help: "of a picture or a mask make logits: logitsOfPicture(mask, sam.frame(), sam.lowSize)",
    });
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
