/**
 * What the lanes of a warp do together with matrices, as loops over the elements that the PTX manual gives to each:
 * `ldmatrix` of 8 x 8 numbers of 16 bits, and `mma.m16n8k16` with sums in singles.
 */
/** What a lane brings, and what it goes on with: registers of 32 bits as numbers, and sums as singles. */
export interface MatrixLane {
  /** Of `ldmatrix`: the eight elements of the row that the lane named, if it named one. */
  row: ArrayLike<number> | undefined;
  words: readonly number[];
  sums: readonly number[];
}

const pair = (low: number, high: number) => (low & 0xffff) | (high << 16);

/** Matrix i has the rows that the lanes from 8 i on named. Turned, a lane has a column's neighbours. */
export function loadMatrices(lanes: readonly MatrixLane[], count: number, isTurned: boolean): void {
  const element = (i: number, row: number, column: number): number =>
    isTurned ? lanes[8 * i + column]!.row![row]! : lanes[8 * i + row]!.row![column]!;
  const words = lanes.map((_, lane) =>
    Array.from({ length: count }, (_, i) => {
      const [row, column] = [lane >> 2, 2 * (lane & 3)];
      return pair(element(i, row, column), element(i, row, column + 1));
    }),
  );
  for (const [lane, own] of words.entries()) lanes[lane]!.words = own;
}

const [a, b] = [new Float64Array(16 * 16), new Float64Array(16 * 8)];
const [words, halves] = [new Uint32Array(1), new Uint16Array(2)];

type Widen = (bits: Uint16Array) => Float32Array;

/** The two numbers of a register, the first in its lower bits. */
function put(word: number, widen: Widen, to: Float64Array, first: number, second: number): void {
  words[0] = word;
  halves.set([words[0] & 0xffff, words[0] >>> 16]);
  [to[first], to[second]] = widen(halves) as unknown as readonly [number, number];
}

/** words: four of the left operand, two of the right one, of numbers that are widened. The four sums get a product more each. */
export function multiplyMatrices(lanes: readonly MatrixLane[], widen: Widen): void {
  for (const [i, { words }] of lanes.entries()) {
    const [line, place] = [i >> 2, 2 * (i & 3)];
    for (const r of [0, 1, 2, 3]) {
      const at = 16 * (line + 8 * (r & 1)) + place + 8 * (r >> 1);
      put(words[r]!, widen, a, at, at + 1);
    }
    for (const r of [0, 1]) {
      const depth = place + 8 * r;
      put(words[4 + r]!, widen, b, 8 * depth + line, 8 * (depth + 1) + line);
    }
  }
  for (const [i, lane] of lanes.entries())
    lane.sums = lane.sums.map((first, e) => {
      const [row, column] = [(i >> 2) + 8 * (e >> 1), 2 * (i & 3) + (e & 1)];
      let sum = first;
      for (let k = 0; k < 16; k++) sum += a[16 * row + k]! * b[8 * k + column]!;
      return Math.fround(sum);
    });
}
