/** For every pixel the nearest one that is inside. */

export interface Nearest {
  /** Of the nearest pixel inside, row-major; itself where it is inside. */
  readonly index: Int32Array;
  /** Squared distance to it, in pixels. */
  readonly squared: Float64Array;
}

/**
 * Exact, in two passes (Meijster, Roerdink and Hesselink 2000): down the columns, then along the rows. Of pixels that
 * are equally near the one of the smallest column is taken, and of these the one of the smallest row, as SciPy's
 * `distance_transform_edt` does.
 *
 * @param inside `[height, width]`, not 0 inside; at least one pixel is.
 */
export function nearestInside(inside: ArrayLike<number>, width: number, height: number): Nearest {
  const rows = nearestRows(inside, width, height);
  const index = new Int32Array(width * height);
  const squared = new Float64Array(width * height);
  // The columns that are nearest somewhere in this row, and where each begins to be.
  const [column, start] = [new Int32Array(width), new Int32Array(width)];
  for (let y = 0; y < height; y++) {
    const distance = (x: number, from: number) =>
      (x - from) ** 2 + (y - rows[y * width + from]!) ** 2;
    /** The first place from which `b`, further right, is nearer than `a`. */
    const turn = (a: number, b: number) =>
      Math.floor((distance(0, b) - distance(0, a)) / (2 * (b - a))) + 1;
    let last = -1;
    for (let x = 0; x < width; x++) {
      if (rows[y * width + x]! < 0) continue;
      while (last >= 0 && distance(start[last]!, column[last]!) > distance(start[last]!, x)) last--;
      const from = last < 0 ? 0 : Math.max(0, turn(column[last]!, x));
      if (from >= width) continue;
      last++;
      [column[last], start[last]] = [x, from];
    }
    for (let x = width - 1; x >= 0; x--) {
      while (start[last]! > x) last--;
      const from = column[last]!;
      index[y * width + x] = rows[y * width + from]! * width + from;
      squared[y * width + x] = distance(x, from);
    }
  }
  return { index, squared };
}

/** The row of the nearest pixel inside of the same column, the upper of two; -1 where there is none. */
function nearestRows(inside: ArrayLike<number>, width: number, height: number): Int32Array {
  const rows = new Int32Array(width * height).fill(-1);
  for (let x = 0; x < width; x++) {
    for (let y = 0, above = -1; y < height; y++) {
      if (inside[y * width + x]) above = y;
      rows[y * width + x] = above;
    }
    for (let y = height - 1, below = -1; y >= 0; y--) {
      if (inside[y * width + x]) below = y;
      const above = rows[y * width + x]!;
      if (below >= 0 && (above < 0 || below - y < y - above)) rows[y * width + x] = below;
    }
  }
  return rows;
}
