/**
 * Masks as COCO keeps them: polygons, and runs down the columns. What a polygon covers is what the published
 * `maskApi.c` says (cocodataset/cocoapi `common/maskApi.c`), pixel by pixel.
 */
import { diagnose } from "../../diagnostics/index.ts";

/** Runs of outside and inside in turn, down the columns; a list of lengths, or the compressed text of one. */
export interface Rle {
  readonly size: readonly [height: number, width: number];
  readonly counts: string | readonly number[];
}

/** How far from the picture a corner may be, in pixels. */
const farthest = 2 ** 20;

/** How many steps a polygon's outline has to a pixel. */
const scale = 5;

/**
 * Marks what a polygon covers.
 *
 * Source: `maskApi.c::rleFrPoly`: the outline is walked in fifths of a pixel, and where it passes the middle of a
 * column, inside and outside change below.
 *
 * @param points x and y in turn, in pixels; pixel (0, 0) reaches from 0 to 1.
 * @param mask `[height, width]`; what is covered becomes 1, and the rest stays.
 * @throws E1005 for a corner further than 2^20 pixels away, whose way there would be walked.
 */
export function fillPolygon(
  points: readonly number[],
  mask: Uint8Array,
  width: number,
  height: number,
): void {
  const far = points.find((value) => !(Math.abs(value) <= farthest));
  if (far !== undefined)
    throw diagnose("E1005", {
      message: `a polygon has a corner at ${far} pixels, and the picture ${width} x ${height}`,
      help: "coordinates are in pixels of the picture; export the annotations again",
    });
  const flips = new Map<number, Set<number>>();
  const flip = (x: number, y: number) => {
    const column = flips.get(x) ?? new Set();
    flips.set(x, column);
    // Two changes at one place are none.
    if (!column.delete(y)) column.add(y);
  };
  // Changes run on into the next column, as runs do: at the foot of one stands the head of the next.
  walk(points, (u, v, fromU, fromV) => {
    if (u === fromU) return;
    const x = ((u < fromU ? u : u - 1) + 0.5) / scale - 0.5;
    if (!Number.isInteger(x) || x < 0 || x > width - 1) return;
    const y = Math.ceil(Math.min(height, Math.max(0, (Math.min(v, fromV) + 0.5) / scale - 0.5)));
    flip(y === height ? x + 1 : x, y === height ? 0 : y);
  });
  let isInside = false;
  for (let x = 0; x < width; x++) {
    const column = flips.get(x);
    if (!column && !isInside) continue;
    for (let y = 0; y < height; y++) {
      if (column?.has(y)) isInside = !isInside;
      if (isInside) mask[y * width + x] = 1;
    }
  }
}

/** Every step of the outline, in fifths of a pixel, with the step before. */
function walk(
  points: readonly number[],
  visit: (u: number, v: number, fromU: number, fromV: number) => void,
): void {
  const corners = points.length >> 1;
  const fine = (i: number) => Math.trunc(scale * points[i]! + 0.5);
  let previous: readonly [number, number] | undefined;
  for (let j = 0; j < corners; j++) {
    const next = j + 1 === corners ? 0 : j + 1;
    const [fromX, fromY, toX, toY] = [
      fine(2 * j),
      fine(2 * j + 1),
      fine(2 * next),
      fine(2 * next + 1),
    ];
    const [dx, dy] = [Math.abs(toX - fromX), Math.abs(toY - fromY)];
    const isFlat = dx >= dy;
    const isFlipped = isFlat ? fromX > toX : fromY > toY;
    const [xs, ys, xe, ye] = isFlipped ? [toX, toY, fromX, fromY] : [fromX, fromY, toX, toY];
    const length = isFlat ? dx : dy;
    const slope = length === 0 ? 0 : isFlat ? (ye - ys) / dx : (xe - xs) / dy;
    for (let d = 0; d <= length; d++) {
      const t = isFlipped ? length - d : d;
      const u = isFlat ? t + xs : Math.trunc(xs + slope * t + 0.5);
      const v = isFlat ? Math.trunc(ys + slope * t + 0.5) : t + ys;
      if (previous) visit(u, v, previous[0], previous[1]);
      previous = [u, v];
    }
  }
}

/**
 * Marks what the runs cover.
 * @param mask `[height, width]`, of the runs' size; what is covered becomes 1, and the rest stays.
 * @throws E1005 for text that is none, and for runs that do not fill the size.
 */
export function fillRuns(rle: Rle, mask: Uint8Array): void {
  const [height, width] = rle.size;
  const counts = typeof rle.counts === "string" ? decodeRuns(rle.counts) : rle.counts;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const isCount = (count: number) => Number.isInteger(count) && count >= 0;
  if (total !== width * height || !counts.every(isCount))
    throw diagnose("E1005", {
      message: `the runs of a mask have ${total} pixels in all, not the ${width * height} of ${width} x ${height}`,
      help: "size is [height, width], and counts are of all of its pixels; export the annotations again",
    });
  let at = 0;
  counts.forEach((count, i) => {
    for (const end = at + count; at < end; at++)
      if (i % 2 === 1) mask[(at % height) * width + Math.floor(at / height)] = 1;
  });
}

/**
 * The lengths of compressed runs: six bits a character from "0" on, of which one says that more follow; from the
 * fourth on, what is written is the difference to the length before the last.
 * Source: `maskApi.c::rleFrString`.
 * @throws E1005 for other characters, and for text that ends within a length.
 */
export function decodeRuns(text: string): number[] {
  const counts: number[] = [];
  for (let at = 0; at < text.length; ) {
    let [value, bits, code] = [0, 0, 0];
    do {
      code = text.charCodeAt(at++) - 48;
      // Past the end this is NaN.
      if (!(code >= 0 && code < 64))
        throw diagnose("E1005", {
          message: `the compressed runs of a mask are damaged at character ${at} of ${text.length}`,
          help: "counts are the text that pycocotools writes; export the annotations again",
        });
      value += (code & 31) * 2 ** bits;
      bits += 5;
    } while (code & 32);
    if (code & 16) value -= 2 ** bits;
    counts.push(counts.length > 2 ? value + counts[counts.length - 2]! : value);
  }
  return counts;
}

/** The runs of a mask `[height, width]`, not 0 inside, down the columns. */
export function runsOf(mask: ArrayLike<number>, width: number, height: number): number[] {
  const counts: number[] = [];
  let [inside, count] = [false, 0];
  for (let x = 0; x < width; x++)
    for (let y = 0; y < height; y++) {
      if (mask[y * width + x] ? !inside : inside) {
        counts.push(count);
        [inside, count] = [!inside, 0];
      }
      count++;
    }
  return [...counts, count];
}

/** The compressed text of runs. Source: `maskApi.c::rleToString`. */
export function encodeRuns(counts: readonly number[]): string {
  let text = "";
  counts.forEach((count, i) => {
    let value = i > 2 ? count - counts[i - 2]! : count;
    for (let more = true; more; ) {
      const low = value & 31;
      value >>= 5;
      more = low & 16 ? value !== -1 : value !== 0;
      text += String.fromCharCode(48 + (more ? low | 32 : low));
    }
  });
  return text;
}
