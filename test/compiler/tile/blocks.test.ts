/** The blocks of sums on processors: what they need fits into registers, and they cover a tile. */
import { expect, test } from "vitest";
import { blockOf, cyclesOf, pieces } from "../../../compiler/tile/blocks.ts";

test("sums, vectors and rows of every block fit into 15 registers", () => {
  for (let rows = 1; rows <= 40; rows++)
    for (let vectors = 1; vectors <= 24; vectors++) {
      const block = blockOf(rows, vectors);
      const registers = block.rows * block.vectors + block.rows + block.vectors;
      expect(registers, `${rows} x ${vectors}`).toBeLessThanOrEqual(15);
    }
});

test("large tiles are cut in threes, others as little as possible is left over", () => {
  expect(blockOf(192, 48)).toEqual({ rows: 3, vectors: 3 });
  expect(blockOf(196, 16)).toEqual({ rows: 2, vectors: 4 });
  expect(blockOf(1, 6)).toEqual({ rows: 1, vectors: 6 });
  // A cycle multiplies two vectors at most.
  expect(cyclesOf(96, 48)).toBeGreaterThanOrEqual((96 * 48) / 2);
  expect(cyclesOf(96, 48)).toBeLessThan(0.6 * 96 * 48);
});

test("pieces cover an extent once, in their order", () => {
  for (const [extent, size] of [
    [7, 3],
    [6, 3],
    [2, 3],
  ] as const) {
    const all = pieces(extent, size).flatMap(([first, piece]) =>
      Array.from({ length: piece.times }, (_, i) => [first + i * piece.size, piece.size]),
    );
    expect(all.map(([first]) => first)).toEqual(
      all.map((_, i) => all.slice(0, i).reduce((sum, [, own]) => sum + own!, 0)),
    );
    expect(all.reduce((sum, [, own]) => sum + own!, 0)).toBe(extent);
  }
});
