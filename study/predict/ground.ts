/** Where on the ground a picture is, as a GeoTIFF says it: coordinates of its map for places in pixels. */
/** Tags of a TIFF by their numbers. */
type Ground = ReadonlyMap<number, readonly number[] | string>;

export interface Placing {
  /** Coordinates on the map of a place, x to the right and y down from the upper left corner, in pixels. */
  at(x: number, y: number): readonly [x: number, y: number];
  /** The map's number in EPSG's list, where the file says it. */
  readonly epsg?: number | undefined;
}

/**
 * Undefined for a picture that is not placed by a scale and a point, or by a matrix.
 * Source: OGC GeoTIFF 1.1, 7.1.2 and B.6: a picture of points, and not of areas, has its places in the middle of pixels.
 */
export function placingOf(ground: Ground): Placing | undefined {
  const numbers = (tag: number) => ground.get(tag) as readonly number[] | undefined;
  const [scale, point, matrix] = [33550, 33922, 34264].map(numbers);
  const keys = numbers(34735) ?? [];
  const keyOf = (wanted: number) => {
    for (let at = 4; at + 3 < keys.length; at += 4)
      if (keys[at] === wanted && keys[at + 1] === 0) return keys[at + 3];
    return undefined;
  };
  const own = [keyOf(3072), keyOf(2048)].find((code) => code !== undefined && code < 32767);
  const half = keyOf(1025) === 2 ? 0.5 : 0;
  const epsg = own === undefined ? {} : { epsg: own };
  if (matrix && matrix.length >= 8) {
    const [a, b, , c, d, e, , f] = matrix as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    return {
      ...epsg,
      at: (x, y) => [a * (x - half) + b * (y - half) + c, d * (x - half) + e * (y - half) + f],
    };
  }
  if (!scale || !point || point.length < 6) return undefined;
  const [column, row, , left, top] = point as [number, number, number, number, number];
  return {
    ...epsg,
    at: (x, y) => [left + (x - half - column) * scale[0]!, top - (y - half - row) * scale[1]!],
  };
}

/** Whether the map shows the picture as in a mirror: what runs clockwise in one runs the other way in the other. */
export function isMirrored({ at }: Placing): boolean {
  const [[x, y], [right, far], [down, low]] = [at(0, 0), at(1, 0), at(0, 1)];
  return (right - x) * (low - y) - (far - y) * (down - x) > 0;
}
