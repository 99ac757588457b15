/**
 * The blocks in which a processor multiplies tiles: as many sums as registers hold while a depth goes by, and a
 * model of their time.
 */
import { range } from "./places.ts";

export interface BlockSize {
  readonly rows: number;
  readonly vectors: number;
}

/**
 * V8 loads all that a block multiplies at one place of the depth before it multiplies it: 15 registers hold
 * its sums, its vectors and its rows' numbers. A compiler of C reads a row's number where it is used: of as
 * many registers as `registers` says, all but one hold sums and vectors.
 */
const fits = ({ rows, vectors }: BlockSize, registers: number | undefined): boolean =>
  registers === undefined
    ? rows * vectors + rows + vectors <= 15
    : rows * vectors + vectors + 1 <= registers;

const sizes: readonly BlockSize[] = range(16, (r) => r + 1).flatMap((rows) =>
  range(6, (v) => ({ rows, vectors: v + 1 })),
);

/** The blocks of a sum of so many rows and vectors of columns. */
export const blockOf = (rows: number, vectors: number, registers?: number): BlockSize =>
  bestOf(rows, vectors, registers).block;

/** Cycles for each place of the depth. */
export const cyclesOf = (rows: number, vectors: number, registers?: number): number =>
  bestOf(rows, vectors, registers).cycles;

const known = new Map<string, { readonly block: BlockSize; readonly cycles: number }>();

function bestOf(rows: number, vectors: number, registers: number | undefined) {
  const key = `${rows} ${vectors} ${registers}`;
  const found = known.get(key);
  if (found) return found;
  const cycles = (block: BlockSize) =>
    pieces(rows, block.rows)
      .flatMap(([, a]) => pieces(vectors, block.vectors).map(([, b]) => [a, b] as const))
      .reduce(
        (sum, [a, b]) => sum + a.times * b.times * cyclesOfBlock(a.size, b.size, registers),
        0,
      );
  const best = sizes
    .filter((block) => fits(block, registers))
    .map((block) => ({ block, cycles: cycles(block) }))
    .reduce((a, b) => (b.cycles < a.cycles ? b : a));
  known.set(key, best);
  return best;
}

/**
 * Four instructions in a cycle, two products; a sum waits four cycles for the one before it. In C the vectors
 * come out of a larger cache while products go on: each delays them a little.
 */
const cyclesOfBlock = (rows: number, vectors: number, registers: number | undefined): number =>
  Math.max(4, (rows * vectors) / 2, (rows * vectors + rows + vectors + 5) / 4) +
  (registers === undefined ? 0 : vectors / 2);

/** An extent in pieces of a size, and what is left: where each begins, how large pieces are and how many. */
export function pieces(extent: number, size: number): [first: number, Pieces][] {
  const times = Math.floor(extent / size);
  const rest = extent - times * size;
  const all: [number, Pieces][] = [
    [0, { size, times }],
    [times * size, { size: rest, times: rest > 0 ? 1 : 0 }],
  ];
  return all.filter(([, { times }]) => times > 0);
}

interface Pieces {
  readonly size: number;
  readonly times: number;
}
