/**
 * Whether the greys of a mask are edges of white on black, or a likelihood from 0 to white, and not areas that
 * mean something else each: classes lie in flat areas, and edges do not.
 */
import type { Size } from "./image.ts";

/** Greys of a picture, from 0 to `white`. */
export interface Greys extends Size {
  readonly values: Uint32Array;
  readonly white: number;
  readonly isLossy?: boolean | undefined;
}

/** The most values of a picture of classes: with more, few flat places between are no sign of classes. */
export const mostClasses = 32;

/** `counts`: how many pixels have each value, the least value first. */
export function isSoft(greys: Greys, counts: ReadonlyMap<number, number>): boolean {
  const { white, isLossy, values } = greys;
  const all = [...counts.keys()];
  if (all.at(-1)! < white / 2 || all[0]! > white / 2) return false;
  const near = white / 16;
  const between = countOf(counts, (value) => value > near && value < white - near);
  if (between > values.length / 2) return false;
  if (!isLossy && all.length <= mostClasses) return flatPlaces(greys, 0, 1, 0) === 0;
  // What compression leaves of a flat area is flat but for small steps.
  const [reach, step] = isLossy ? [3, white / 32] : [1, 0];
  return flatPlaces(greys, near, reach, step) <= between / 4;
}

function countOf(counts: ReadonlyMap<number, number>, isCounted: (value: number) => boolean) {
  let sum = 0;
  for (const [value, count] of counts) if (isCounted(value)) sum += count;
  return sum;
}

/**
 * Pixels more than `near` from black and white whose four neighbours, `reach` pixels away or at the picture's edge,
 * are within `step` of them.
 */
function flatPlaces(greys: Greys, near: number, reach: number, step: number): number {
  const { width, height, values, white } = greys;
  let flat = 0;
  for (let y = 0; y < height; y++) {
    const row = y * width;
    const above = Math.max(y - reach, 0) * width;
    const below = Math.min(y + reach, height - 1) * width;
    for (let x = 0; x < width; x++) {
      const value = values[row + x]!;
      if (value <= near || value >= white - near) continue;
      const [left, right] = [Math.max(x - reach, 0), Math.min(x + reach, width - 1)];
      const around = [row + left, row + right, above + x, below + x];
      if (around.every((at) => Math.abs(values[at]! - value) <= step)) flat++;
    }
  }
  return flat;
}
