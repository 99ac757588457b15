/**
 * Large pictures in overlapping tiles, from the top, so that neither the picture nor its maps are ever whole in
 * memory. Where tiles overlap their maps are mixed, each the less the nearer its edge is: there are no seams, and a
 * model that looks at single pixels gives what it gives without tiles.
 */
import { diagnose } from "../../diagnostics/index.ts";
import type { Image, Size } from "../../predict/vision/image.ts";
import type { Maps } from "./maps.ts";

/** A picture that is read in rows. */
export interface Rows extends Size {
  /** `[count, width, 3]`, red, green and blue. */
  rows(first: number, count: number): Promise<Uint8Array>;
}

export interface TileOptions {
  /** The side of a tile, in pixels of the picture. */
  readonly side: number;
  /** How many pixels neighbouring tiles share, at least; less than the side. */
  readonly overlap: number;
  /** Tiles that are seen at once. */
  readonly batch: number;
  /** Maps `[channels, side, side]` of tiles, at most `batch` of them. */
  see(tiles: readonly Image[]): Promise<readonly Maps[]>;
  /** Told after each batch of tiles. */
  readonly onProgress?: ((done: number, all: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sees a picture in tiles; `take` is given its maps row by row, from the top: those of rows `first` and on.
 * A picture that is smaller than a tile goes on with its last row and column.
 * @throws E1142 for a side and an overlap that tiles cannot have.
 */
export async function seeInTiles(
  picture: Rows,
  options: TileOptions,
  take: (first: number, maps: Maps) => Promise<void>,
): Promise<void> {
  const { side, overlap } = options;
  checkTiles(options);
  const across = tilesOf(picture.width, side, overlap);
  const down = tilesOf(picture.height, side, overlap);
  const all = across.length * down.length;
  let strip: Strip | undefined;
  for (const [i, row] of down.entries()) {
    const height = Math.min(side, picture.height - row.start);
    const samples = await picture.rows(row.start, height);
    for (let first = 0; first < across.length; first += options.batch) {
      options.signal?.throwIfAborted();
      const some = across.slice(first, first + options.batch);
      const images = some.map(({ start }) => tileAt(samples, picture.width, height, start, side));
      const found = await options.see(images);
      strip ??= emptyStrip(found[0]!, picture.width, side);
      for (const [j, maps] of found.entries()) mix(strip, maps, some[j]!, row, height);
      options.onProgress?.(i * across.length + first + some.length, all);
    }
    const next = down[i + 1]?.start ?? picture.height;
    await take(row.start, topOf(strip!, next - row.start));
  }
}

/** @throws E1142 for a side and an overlap that tiles cannot have. */
export function checkTiles({ side, overlap }: Pick<TileOptions, "side" | "overlap">): void {
  const isWhole = [side, overlap].every(Number.isSafeInteger);
  if (isWhole && side >= 1 && overlap >= 0 && overlap < side) return;
  throw diagnose("E1142", {
    message: `tiles of ${side} pixels cannot share ${overlap}`,
    help: "give whole numbers above 0, and an overlap that is smaller than the tile",
  });
}

/** Where a tile begins on an axis, and how much each of its pixels counts: with those of its neighbours 1. */
interface Tile {
  readonly start: number;
  readonly weights: Float64Array;
}

/** Tiles at even distances, the last of which ends with the picture. */
export function tilesOf(length: number, side: number, overlap: number): Tile[] {
  const count = Math.max(1, Math.ceil((length - overlap) / (side - overlap)));
  const last = Math.max(0, length - side);
  const starts = Array.from({ length: count }, (_, i) =>
    count === 1 ? 0 : Math.round((i * last) / (count - 1)),
  );
  const sums = new Float64Array(Math.max(length, side));
  const tiles = starts.map((start, i) => {
    const before = i === 0 ? 0 : starts[i - 1]! + side - start;
    const after = i === count - 1 ? 0 : start + side - starts[i + 1]!;
    const weights = Float64Array.from({ length: side }, (_, at) =>
      Math.min(1, before > 0 ? (at + 0.5) / before : 1, after > 0 ? (side - at - 0.5) / after : 1),
    );
    for (let at = 0; at < side; at++) sums[start + at]! += weights[at]!;
    return { start, weights };
  });
  for (const { start, weights } of tiles)
    for (let at = 0; at < side; at++) weights[at]! /= sums[start + at]!;
  return tiles;
}

function tileAt(
  rows: Uint8Array,
  width: number,
  height: number,
  start: number,
  side: number,
): Image {
  const data = new Uint8Array(side * side * 3);
  const wide = Math.min(side, width - start);
  for (let y = 0; y < side; y++) {
    const from = (Math.min(y, height - 1) * width + start) * 3;
    const to = y * side * 3;
    data.set(rows.subarray(from, from + wide * 3), to);
    for (let x = wide; x < side; x++)
      data.copyWithin(to + x * 3, to + (wide - 1) * 3, to + wide * 3);
  }
  return { width: side, height: side, channels: 3, data };
}

/** Sums of the rows under way, `[channels, side, width]`: in doubles, so that equal values stay what they are. */
interface Strip {
  readonly sums: Float64Array;
  readonly width: number;
  readonly side: number;
  readonly channels: number;
  readonly kind: Maps["kind"];
}

const emptyStrip = ({ channels, kind }: Maps, width: number, side: number): Strip => ({
  ...{ width, side, channels, kind },
  sums: new Float64Array(channels * side * width),
});

function mix(
  { sums, width, side, channels }: Strip,
  maps: Maps,
  across: Tile,
  down: Tile,
  height: number,
) {
  const wide = Math.min(side, width - across.start);
  for (let c = 0; c < channels; c++)
    for (let y = 0; y < height; y++) {
      const from = (c * side + y) * side;
      const to = (c * side + y) * width + across.start;
      const weight = down.weights[y]!;
      for (let x = 0; x < wide; x++)
        sums[to + x]! += maps.data[from + x]! * (weight * across.weights[x]!);
    }
}

/** Takes the upper rows off, which are done. */
function topOf({ sums, width, side, channels, kind }: Strip, height: number): Maps {
  const data = new Float32Array(channels * height * width);
  for (let c = 0; c < channels; c++) {
    const plane = sums.subarray(c * side * width, (c + 1) * side * width);
    data.set(plane.subarray(0, height * width), c * height * width);
    plane.copyWithin(0, height * width);
    plane.fill(0, (side - height) * width);
  }
  return { width, height, channels, kind, data };
}
