/** Parts of a set: what is held out for validation, and folds. */
import { diagnose } from "../../diagnostics/index.ts";
import { shuffledOrder } from "./order.ts";
import type { Samples } from "./sample.ts";

/** Some items of a set, in this order. */
export function subsetOf(samples: Samples, items: readonly number[]): Samples {
  const { tasks, view } = samples;
  return {
    ...{ size: items.length, tasks },
    read: (item) => samples.read(items[item]!),
    ...(view && { view: (item, request) => view.call(samples, items[item]!, request) }),
  };
}

/** Items for training, and others for validation, both as they stand in the set. */
export interface Split {
  readonly training: readonly number[];
  readonly validation: readonly number[];
}

/**
 * Holds out a part of the items, drawn by the seed: at least one, and at least one stays.
 * @throws E1011 for fewer than two items, and for a part that is not between 0 and 1.
 */
export function holdOut(items: number, part: number, seed = 0): Split {
  const isPart = part > 0 && part < 1;
  check(isPart, `${part} is no part of a set, between 0 and 1`, "hold out 0.2 of it, say");
  const few = `${items === 1 ? "one item is" : `${items} items are`} too few to hold out`;
  const more =
    "give more pictures, or a set of its own to validate on: --val-pictures, --val-masks";
  check(items >= 2, few, more);
  const count = Math.min(items - 1, Math.max(1, Math.round(part * items)));
  return splitAt(items, seed, (place) => place < count);
}

/**
 * Folds: each item is held out once, in folds of sizes that differ by one at most, drawn by the seed.
 * @throws E1011 for fewer than two folds, and for fewer items than folds.
 */
export function foldsOf(items: number, folds: number, seed = 0): Split[] {
  const isCount = Number.isSafeInteger(folds) && folds >= 2;
  check(isCount, `there are no ${folds} folds`, "give 2 folds or more");
  const few = `${items} items are too few to make ${folds} folds of`;
  check(items >= folds, few, "give more pictures, or fewer folds");
  return Array.from({ length: folds }, (_, fold) =>
    splitAt(items, seed, (place) => place % folds === fold),
  );
}

/** By the places of a drawn order. */
function splitAt(items: number, seed: number, isHeld: (place: number) => boolean): Split {
  const order = shuffledOrder(items, seed);
  const held = new Set<number>();
  for (let place = 0; place < items; place++) if (isHeld(place)) held.add(order.itemAt(place));
  const all = Array.from({ length: items }, (_, item) => item);
  return {
    training: all.filter((item) => !held.has(item)),
    validation: all.filter((item) => held.has(item)),
  };
}

function check(isSplit: boolean, message: string, help: string): void {
  if (!isSplit) throw diagnose("E1011", { message, help });
}
