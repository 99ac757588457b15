/** Where the mask generator asks: points of a grid, in the picture and in overlapping parts of it. */
import type { Size } from "../vision/image.ts";
import type { Point } from "../vision/prompts.ts";

/** Left, top, right and bottom in pixels; right and bottom are the first that do not belong to it. */
export type Corners = readonly [left: number, top: number, right: number, bottom: number];

export interface Crop {
  readonly box: Corners;
  /** 0: the whole picture. */
  readonly layer: number;
}

/**
 * Points in the middles of `side` x `side` cells, row by row, from 0 to 1 on both axes.
 * Source: segment-anything `utils/amg.py::build_point_grid`.
 */
export function pointGrid(side: number): Point[] {
  const offset = 1 / (2 * side);
  const step = side > 1 ? (1 - offset - offset) / (side - 1) : 0;
  const places = Array.from({ length: side }, (_, i) =>
    i > 0 && i === side - 1 ? 1 - offset : offset + i * step,
  );
  return places.flatMap((y) => places.map((x): Point => [x, y]));
}

/**
 * The picture, then for each layer 2, 4, … parts a side, column by column; `overlap` is the part of the shorter side
 * that two neighbours of the first layer share.
 * Source: segment-anything `utils/amg.py::generate_crop_boxes`.
 */
export function cropsOf({ width, height }: Size, layers: number, overlap: number): Crop[] {
  const crops: Crop[] = [{ box: [0, 0, width, height], layer: 0 }];
  for (let layer = 1; layer <= layers; layer++) {
    const sides = 2 ** layer;
    const shared = Math.trunc(overlap * Math.min(width, height) * (2 / sides));
    const length = (of: number) => Math.ceil((shared * (sides - 1) + of) / sides);
    const [wide, high] = [length(width), length(height)];
    for (let column = 0; column < sides; column++)
      for (let row = 0; row < sides; row++) {
        const [left, top] = [(wide - shared) * column, (high - shared) * row];
        const box: Corners = [
          ...[left, top],
          ...[Math.min(left + wide, width), Math.min(top + high, height)],
        ] as unknown as Corners;
        crops.push({ box, layer });
      }
  }
  return crops;
}
