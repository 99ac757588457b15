/**
 * The blocks in which a processor multiplies tiles: as many sums as registers hold while a depth goes by, and a
 * model of their time. All that a block multiplies at one place of the depth is loaded before it is multiplied
 * (V8 orders it so): 15 registers hold its sums, its vectors and its rows' numbers.
 */
import { range } from "./places.ts";

export interface BlockSize {
  readonly rows: number;
  readonly vectors: number;
}

const registers = 15;
const sizes: readonly BlockSize[] = range(6, (r) => r + 1).flatMap((rows) =>
  range(6, (v) => v + 1)
    .filter((vectors) => rows * vectors + rows + vectors <= registers)
    .map((vectors) => ({ rows, vectors })),
);

/** The blocks of a sum of so many rows and vectors of columns. */
export const blockOf = (rows: number, vectors: number): BlockSize => bestOf(rows, vectors).block;

/** Cycles for each place of the depth. */
export const cyclesOf = (rows: number, vectors: number): number => bestOf(rows, vectors).cycles;

const known = new Map<string, { readonly block: BlockSize; readonly cycles: number }>();

function bestOf(rows: number, vectors: number) {
  const key = `${rows} ${vectors}`;
  const found = known.get(key);
  if (found) return found;
  const cycles = (block: BlockSize) =>
    pieces(rows, block.rows)
      .flatMap(([, a]) => pieces(vectors, block.vectors).map(([, b]) => [a, b] as const))
      .reduce((sum, [a, b]) => sum + a.times * b.times * cyclesOfBlock(a.size, b.size), 0);
  const best = sizes
    .map((block) => ({ block, cycles: cycles(block) }))
    .reduce((a, b) => (b.cycles < a.cycles ? b : a));
  known.set(key, best);
  return best;
}

/** Four instructions in a cycle, two products; a sum waits four cycles for the one before it. */
const cyclesOfBlock = (rows: number, vectors: number): number =>
  Math.max(4, (rows * vectors) / 2, (rows * vectors + rows + vectors + 5) / 4);

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
