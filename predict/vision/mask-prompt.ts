/**
 * A drawn mask as a prompt. SAM takes masks as logits at a quarter of its input's resolution, as it
 * returns them; a picture of a mask takes the same way as the picture it belongs to.
 */
import { diagnose } from "../../diagnostics/index.ts";
import { checkMask, type Mask, type Picture } from "./image.ts";
import {
  checkLevelsOptions,
  type Levels,
  type LevelsOptions,
  labelsOf,
  levelsOf,
} from "./levels.ts";
import type { Logits } from "./postprocess.ts";
import type { Frame } from "./preprocess.ts";
import { resizeBytes } from "./resize.ts";

/** Certainly inside; certainly outside and padding are its negative. */
const certain = 10;

/**
 * Turns a picture of a mask into a mask prompt. Its values say which pixels are inside: white on black, two values of
 * which one is 0, or `maskValue`; of a mask those that are 1. That is
 * resized as the picture was (antialiased, to the frame's input size), padded with black, averaged
 * over the cells of the low resolution, and mapped from 0..255 to -10..10 in a straight line. A cell
 * that is half covered gets 0: undecided, where SAM's own threshold lies.
 *
 * @param lowSize The side of the model's low-resolution masks; it divides `frame.modelSize`.
 * @returns f32 `[1, lowSize, lowSize]`.
 * @throws E363, E364 and E366 for a picture that does not say what is inside, E317 for a mask of another size than the
 * picture it belongs to.
 */
export function logitsOfPicture(
  mask: Picture | Mask | Levels,
  frame: Frame,
  lowSize: number,
  options: LevelsOptions = {},
): Logits {
  checkLevelsOptions("logitsOfPicture", options);
  const where = options.where ?? "the mask picture";
  const drawn = isLevels(mask) ? mask : labelsOf(mask, where);
  if (isLevels(drawn)) checkMask({ ...drawn, data: drawn.inside }, where);
  const { originalSize, inputSize, modelSize } = frame;
  const cell = modelSize / lowSize;
  if (mask.width !== originalSize.width || mask.height !== originalSize.height) {
    throw diagnose("E317", {
      message: `the mask picture is ${mask.width} x ${mask.height}, but the image is ${originalSize.width} x ${originalSize.height} pixels`,
      help: "draw the mask on the image itself, at the same size, and turned as it is by EXIF: white inside, black outside",
    });
  }
  if (!Number.isInteger(cell)) {
    throw diagnose("E316", {
      message: `low-resolution masks of ${lowSize} do not divide a model input of ${modelSize}`,
      help: "SAM's masks have a quarter of the side of its input",
    });
  }
  const { inside } = isLevels(drawn) ? drawn : levelsOf(drawn, { ...options, where });
  const bright = resizeBytes(inside, originalSize, inputSize, 1);
  const sums = new Float64Array(lowSize * lowSize);
  for (let y = 0; y < inputSize.height; y++) {
    const row = Math.floor(y / cell) * lowSize;
    for (let x = 0; x < inputSize.width; x++) {
      sums[row + Math.floor(x / cell)]! += bright[y * inputSize.width + x]!;
    }
  }
  const full = 255 * cell * cell;
  const data = Float32Array.from(sums, (sum) => certain * ((2 * sum) / full - 1));
  return { shape: [1, lowSize, lowSize], data };
}

const isLevels = (mask: unknown): mask is Levels =>
  typeof mask === "object" && mask !== null && "inside" in mask;
