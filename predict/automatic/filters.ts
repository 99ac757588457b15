/** What the mask generator keeps: masks that are stable, whole, and not found twice. */
import type { Size } from "../vision/image.ts";
import type { Corners } from "./grid.ts";

/** Left, top, right and bottom pixel of what is inside: all of them belong to it. */
export type Box = readonly [left: number, top: number, right: number, bottom: number];

/**
 * How little a mask changes with the level at which it is cut off: the IoU of the masks `offset` above and below.
 * NaN where both are empty.
 * Source: segment-anything `utils/amg.py::calculate_stability_score`.
 */
export function stabilityOf(logits: Float32Array, level: number, offset: number): number {
  // The levels are rounded as the logits are.
  const [above, below] = [Math.fround(level + offset), Math.fround(level - offset)];
  let [inner, outer] = [0, 0];
  for (const value of logits) {
    if (value > above) inner++;
    if (value > below) outer++;
  }
  return Math.fround(inner / outer);
}

/**
 * The box of a mask, all zeros for an empty one.
 * Source: segment-anything `utils/amg.py::batched_mask_to_box`.
 */
export function boxOf(mask: Uint8Array, { width, height }: Size): Box {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++) {
    const row = mask.subarray(y * width, (y + 1) * width);
    const first = row.indexOf(1);
    if (first < 0) continue;
    left = Math.min(left, first);
    right = Math.max(right, row.lastIndexOf(1));
    top = Math.min(top, y);
    bottom = y;
  }
  return bottom < 0 ? [0, 0, 0, 0] : [left, top, right, bottom];
}

/** How near an edge is near, in pixels. */
const near = 20;

/**
 * Whether a box, in pixels of the picture, ends at an edge of the part in which it was found that is no edge of the
 * picture: what it holds goes on outside.
 * Source: segment-anything `utils/amg.py::is_box_near_crop_edge`.
 */
export function isCut(box: Box, crop: Corners, { width, height }: Size): boolean {
  const whole = [0, 0, width, height];
  return box.some(
    (side, i) => Math.abs(side - crop[i]!) <= near && Math.abs(side - whole[i]!) > near,
  );
}

/**
 * Which boxes stay, those of the highest scores first: one goes if its IoU with one that stays is above `most`. Of
 * equal scores the earlier box is first. In float32, as torchvision's `nms`.
 */
export function suppress(
  boxes: readonly Box[],
  scores: ArrayLike<number>,
  most: number,
): readonly number[] {
  const { fround, max, min } = Math;
  const order = boxes.map((_, i) => i).sort((a, b) => scores[b]! - scores[a]! || a - b);
  const areas = boxes.map(([left, top, right, bottom]) => fround((right - left) * (bottom - top)));
  const kept: number[] = [];
  const isGone = new Uint8Array(boxes.length);
  for (const [place, i] of order.entries()) {
    if (isGone[i]) continue;
    kept.push(i);
    const one = boxes[i]!;
    for (const j of order.slice(place + 1)) {
      if (isGone[j]) continue;
      const other = boxes[j]!;
      const wide = max(0, min(one[2], other[2]) - max(one[0], other[0]));
      const high = max(0, min(one[3], other[3]) - max(one[1], other[1]));
      const both = fround(wide * high);
      // Of two boxes without area this is NaN, and both stay.
      if (fround(both / fround(fround(areas[i]! + areas[j]!) - both)) > most) isGone[j] = 1;
    }
  }
  return kept;
}
