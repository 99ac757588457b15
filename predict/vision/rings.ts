/**
 * Outlines of masks along the edges of their pixels: exact polygons with holes. Pixel (0, 0) reaches from 0 to 1, so
 * corners are whole numbers; what the polygons cover is the mask, pixel by pixel.
 */
import type { Size } from "./image.ts";

/** Corners, x and y in turn, in pixels; the first is not repeated. */
export type Ring = readonly number[];

/** A part of a mask whose pixels hang together by their sides. */
export interface Polygon {
  /** Clockwise as it is seen, y down. */
  readonly outer: Ring;
  /** Counter-clockwise; they touch one another, and the outer ring, at single corners at most. */
  readonly holes: readonly Ring[];
}

/**
 * The polygons of all pixels that have `value`, from the top, and from the left.
 * @param labels `[height, width]`.
 */
export function polygonsOf(
  labels: ArrayLike<number>,
  { width, height }: Size,
  value = 1,
): Polygon[] {
  const parts = partsOf(labels, width, height, value);
  const isIn = (x: number, y: number, part: number) =>
    x >= 0 && x < width && y >= 0 && y < height && parts[y * width + x] === part;
  const walked = new Uint8Array(width * height);
  const found: { outer: Ring; holes: Ring[] }[] = [];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const part = parts[y * width + x]!;
      // A ring has an edge with its pixel below: the first that is met is its highest.
      if (part === 0 || walked[y * width + x] || isIn(x, y - 1, part)) continue;
      const path = walk(
        x,
        y,
        (u, v) => isIn(u, v, part),
        (u, v) => {
          walked[v * width + u] = 1;
        },
      );
      for (const ring of simpleRings(path)) {
        const polygon = found[part - 1] ?? { outer: [], holes: [] };
        found[part - 1] = polygon;
        if (areaOf(ring) > 0) polygon.outer = ring;
        else polygon.holes.push(ring);
      }
    }
  return found;
}

/** The number of each pixel's part, from 1; 0 outside. */
function partsOf(
  labels: ArrayLike<number>,
  width: number,
  height: number,
  value: number,
): Int32Array {
  const parts = new Int32Array(width * height);
  const open: number[] = [];
  let count = 0;
  const enter = (at: number) => {
    if (labels[at] !== value || parts[at] !== 0) return;
    parts[at] = count;
    open.push(at);
  };
  for (let first = 0; first < parts.length; first++) {
    if (labels[first] !== value || parts[first] !== 0) continue;
    count++;
    enter(first);
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const x = at % width;
      if (x > 0) enter(at - 1);
      if (x < width - 1) enter(at + 1);
      if (at >= width) enter(at - width);
      if (at < parts.length - width) enter(at + width);
    }
  }
  return parts;
}

/** Right, down, left, up. */
const steps = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
] as const;

/** For each direction, the pixel ahead on the right and the one ahead on the left, from the corner. */
const ahead = [
  [0, 0, 0, -1],
  [-1, 0, 0, 0],
  [-1, -1, -1, 0],
  [0, -1, -1, -1],
] as const;

/** Walks around with the inside on the right, from the upper left corner of a pixel; returns where it turns. */
function walk(
  startX: number,
  startY: number,
  isIn: (x: number, y: number) => boolean,
  pass: (x: number, y: number) => void,
): number[] {
  const corners: number[] = [];
  let [x, y, direction] = [startX, startY, 0];
  do {
    if (direction === 0) pass(x, y);
    x += steps[direction]![0];
    y += steps[direction]![1];
    const [rx, ry, lx, ly] = ahead[direction]!;
    const turn = !isIn(x + rx, y + ry) ? 1 : isIn(x + lx, y + ly) ? 3 : 0;
    if (turn > 0) corners.push(x, y);
    direction = (direction + turn) % 4;
  } while (x !== startX || y !== startY || direction !== 0);
  return corners;
}

/** A ring that comes to one corner twice is cut there in two. */
function simpleRings(path: readonly number[]): Ring[] {
  const rings: Ring[] = [];
  const open: number[] = [];
  const places = new Map<string, number>();
  const key = (at: number) => `${open[at]},${open[at + 1]}`;
  for (let i = 0; i < path.length; i += 2) {
    const before = places.get(`${path[i]},${path[i + 1]}`);
    if (before !== undefined) {
      for (let at = before + 2; at < open.length; at += 2) places.delete(key(at));
      rings.push(open.splice(before));
      places.delete(`${path[i]},${path[i + 1]}`);
    }
    places.set(`${path[i]},${path[i + 1]}`, open.length);
    open.push(path[i]!, path[i + 1]!);
  }
  return [...rings, open];
}

/** Positive where the ring runs clockwise as it is seen. */
function areaOf(ring: Ring): number {
  let sum = 0;
  for (let i = 0; i < ring.length; i += 2) {
    const next = (i + 2) % ring.length;
    sum += ring[i]! * ring[next + 1]! - ring[next]! * ring[i + 1]!;
  }
  return sum / 2;
}

/**
 * A polygon as one ring, for formats without holes: a cut leads from the top of each hole straight up, there and
 * back, which covers nothing.
 */
export function withCuts({ outer, holes }: Polygon): Ring {
  let ring = [...outer];
  const byTop = holes.map(fromTop).sort((a, b) => a[1]! - b[1]!);
  // Whatever is above a hole was there before it.
  for (const hole of byTop) {
    const [x, y] = [hole[0]!, hole[1]!];
    const { at, height } = edgeAbove(ring, x, y);
    const bridge = [x, height];
    ring = [...ring.slice(0, at + 2), ...bridge, ...hole, x, y, ...bridge, ...ring.slice(at + 2)];
  }
  return ring;
}

/** The ring from its highest corner on; of several the leftmost. */
function fromTop(ring: Ring): Ring {
  let top = 0;
  for (let i = 2; i < ring.length; i += 2)
    if (ring[i + 1]! < ring[top + 1]! || (ring[i + 1] === ring[top + 1] && ring[i]! < ring[top]!))
      top = i;
  return [...ring.slice(top), ...ring.slice(0, top)];
}

/** The nearest level edge straight above a place: where it begins in the ring, and how high it lies. */
function edgeAbove(ring: Ring, x: number, y: number) {
  let [at, height] = [0, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < ring.length; i += 2) {
    const next = (i + 2) % ring.length;
    const level = ring[i + 1]!;
    if (level !== ring[next + 1] || level > y || level <= height) continue;
    if (Math.min(ring[i]!, ring[next]!) <= x && x <= Math.max(ring[i]!, ring[next]!))
      [at, height] = [i, level];
  }
  return { at, height };
}
