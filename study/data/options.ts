/** The options of batches, checked for callers without types. */
import { checkOptions } from "../../diagnostics/options.ts";
import {
  atLeast,
  checkValues,
  isObject,
  object,
  oneOf,
  type Wanted,
} from "../../diagnostics/values.ts";
import type { BatchOptions } from "./batch.ts";
import type { Augmentation } from "./view.ts";

const part: Wanted = {
  words: "a number from 0 to 1",
  is: (value) => typeof value === "number" && value >= 0 && value <= 1,
};

const side: Wanted = {
  words: "a whole number of pixels, at least 1",
  is: (value) => Number.isSafeInteger(value) && (value as number) >= 1,
};

const isFactor = (value: unknown) =>
  typeof value === "number" && value > 0 && Number.isFinite(value);

const factors: Wanted = {
  words: "a list of factors above 0, or { from, to }",
  is: (value) =>
    Array.isArray(value)
      ? value.length > 0 && value.every(isFactor)
      : isObject(value) && isRange(value as { from: unknown; to: unknown }),
};

const isRange = ({ from, to }: { from: unknown; to: unknown }) =>
  isFactor(from) && isFactor(to) && (from as number) <= (to as number);

const size: Wanted = {
  words: "{ width, height } in whole pixels",
  is: (value) =>
    isObject(value) &&
    side.is((value as { width: unknown }).width) &&
    side.is((value as { height: unknown }).height),
};

/** @throws E460 for a name that no option has, E465 for a value that its option cannot have. */
export function checkBatchOptions(options: BatchOptions): void {
  const wants = {
    side,
    fit: oneOf("square", "longest"),
    filter: oneOf("bilinear", "bicubic"),
    augment: object("an object of augmentations"),
    seed: { words: "a whole number of at least 0", is: isSeed },
    order: oneOf("shuffled", "plain"),
  };
  checkOptions<BatchOptions>("batchesOf", options, wants);
  checkValues<BatchOptions>("batchesOf", { ...options, side: options.side ?? 0 }, wants);
  checkAugmentation(options.augment);
}

const isSeed = (value: unknown) => Number.isSafeInteger(value) && atLeast(0).is(value);

function checkAugmentation(augment: Augmentation | undefined): void {
  const wants = {
    mirror: part,
    overturn: part,
    crop: size,
    scale: factors,
    brightness: part,
    contrast: part,
    saturation: part,
  };
  checkOptions<Augmentation>("augment", augment, wants);
  if (augment) checkValues<Augmentation>("augment", augment, wants);
}
