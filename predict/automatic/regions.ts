/** Small holes and small islands of masks. */
import type { Size } from "../vision/image.ts";

interface Region {
  readonly pixels: readonly number[];
  /** Where it is first met, by blocks of two by two pixels. */
  readonly first: number;
}

/**
 * Fills holes and drops islands of fewer than `least` pixels; where every island is smaller, the largest stays.
 * Undefined where there is nothing to do.
 *
 * Source: segment-anything `utils/amg.py::remove_small_regions`, first of holes, then of islands. Both hang together
 * by sides and corners.
 */
export function withoutSmallRegions(
  mask: Uint8Array,
  size: Size,
  least: number,
): Uint8Array | undefined {
  const holes = regionsOf(mask, size, 0).filter(({ pixels }) => pixels.length < least);
  const out = mask.slice();
  for (const { pixels } of holes) for (const at of pixels) out[at] = 1;
  const islands = regionsOf(out, size, 1);
  const small = islands.filter(({ pixels }) => pixels.length < least);
  if (holes.length === 0 && small.length === 0) return undefined;
  const largest = small.length < islands.length ? undefined : largestOf(islands);
  for (const island of small) if (island !== largest) for (const at of island.pixels) out[at] = 0;
  return out;
}

/** Of equally large ones that which is met first, in rows of blocks of two by two pixels, as OpenCV numbers them. */
function largestOf(regions: readonly Region[]): Region | undefined {
  let largest: Region | undefined;
  for (const one of regions) {
    const more = one.pixels.length - (largest?.pixels.length ?? 0);
    if (more > 0 || (more === 0 && one.first < (largest?.first ?? 0))) largest = one;
  }
  return largest;
}

/** The regions of one value, which hang together by sides and corners. */
function regionsOf(mask: Uint8Array, { width, height }: Size, value: number): Region[] {
  const isSeen = new Uint8Array(mask.length);
  const blocks = Math.ceil(width / 2);
  const regions: Region[] = [];
  for (let start = 0; start < mask.length; start++) {
    if (mask[start] !== value || isSeen[start]) continue;
    const pixels = [start];
    isSeen[start] = 1;
    let first = Number.POSITIVE_INFINITY;
    // The list grows while it is read.
    for (const at of pixels) {
      const [x, y] = [at % width, Math.floor(at / width)];
      first = Math.min(first, (y >> 1) * blocks + (x >> 1));
      for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++)
        for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
          const next = v * width + u;
          if (mask[next] !== value || isSeen[next]) continue;
          isSeen[next] = 1;
          pixels.push(next);
        }
    }
    regions.push({ pixels, first });
  }
  return regions;
}
