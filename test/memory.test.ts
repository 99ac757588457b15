/** Arenas: no two tensors that live together overlap, and little is wasted. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Item, pack } from "../compiler/schedule/memory.ts";

const item: fc.Arbitrary<Item> = fc
  .record({ bytes: fc.integer({ min: 1, max: 5000 }), first: fc.nat(20), length: fc.nat(6) })
  .map(({ bytes, first, length }) => ({ bytes, first, last: first + length }));

describe("arenas", () => {
  test("tensors that live together never overlap, offsets are aligned, and arenas stay in limits", () => {
    fc.assert(
      fc.property(fc.array(item, { minLength: 1, maxLength: 25 }), (items) => {
        const { places, arenas, lowerBound } = pack(items, 8192, 256);
        items.forEach((a, i) => {
          const p = places[i]!;
          expect(p.offset % 256).toBe(0);
          expect(p.offset + a.bytes).toBeLessThanOrEqual(arenas[p.arena]!);
          expect(arenas[p.arena]!).toBeLessThanOrEqual(8192);
          items.slice(0, i).forEach((b, j) => {
            const q = places[j]!;
            const together = a.first <= b.last && b.first <= a.last && p.arena === q.arena;
            const apart = p.offset + a.bytes <= q.offset || q.offset + b.bytes <= p.offset;
            expect(!together || apart).toBe(true);
          });
        });
        expect(arenas.reduce((s, n) => s + n, 0)).toBeGreaterThanOrEqual(lowerBound);
      }),
      { numRuns: 500, seed: 3 },
    );
  });

  test("a chain of equal tensors needs two places", () => {
    const chain = Array.from({ length: 10 }, (_, i) => ({ bytes: 1024, first: i, last: i + 1 }));
    const { arenas, lowerBound } = pack(chain, 2 ** 20, 256);
    expect([arenas, lowerBound]).toEqual([[2048], 2048]);
  });
});
