/** Outlines of masks: exact polygons, with holes and without. */
import { describe, expect, test } from "vitest";
import { type Polygon, polygonsOf, type Ring, withCuts } from "../../../predict/vision/rings.ts";
import { fillPolygon } from "../../../predict/vision/rle.ts";

const drawn = (...rows: readonly string[]) => ({
  size: { width: rows[0]!.length, height: rows.length },
  labels: Uint8Array.from(rows.join(""), (c) => Number(c === "#")),
});

/** Even-odd by the middles of pixels: nothing of the code that is tested. */
function covered(rings: readonly Ring[], width: number, height: number): number[] {
  const out: number[] = [];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      let crossings = 0;
      for (const ring of rings)
        for (let i = 0; i < ring.length; i += 2) {
          const [ax, ay] = [ring[i]!, ring[i + 1]!];
          const next = (i + 2) % ring.length;
          const [bx, by] = [ring[next]!, ring[next + 1]!];
          if (ay > y + 0.5 !== by > y + 0.5 && ax > x + 0.5 && bx > x + 0.5) crossings++;
        }
      out.push(crossings % 2);
    }
  return out;
}

const ringsOf = (polygons: readonly Polygon[]) =>
  polygons.flatMap(({ outer, holes }) => [outer, ...holes]);

const random = (width: number, height: number, share: number, seed: number) => {
  let state = seed;
  return Uint8Array.from({ length: width * height }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Number(state / 2 ** 32 < share);
  });
};

describe("outlines", () => {
  test("run along the edges of pixels, around holes the other way", () => {
    const { size, labels } = drawn(".....", ".###.", ".#.#.", ".###.", "#....");
    expect(polygonsOf(labels, size)).toEqual([
      { outer: [4, 1, 4, 4, 1, 4, 1, 1], holes: [[3, 3, 3, 2, 2, 2, 2, 3]] },
      { outer: [1, 4, 1, 5, 0, 5, 0, 4], holes: [] },
    ]);
  });

  test("of pixels that touch at a corner are apart; a ring that closes at a corner has a hole there", () => {
    const corner = drawn("#.", ".#");
    expect(polygonsOf(corner.labels, corner.size).length).toBe(2);
    const closed = drawn("###", "#.#", "##.");
    const [polygon, ...others] = polygonsOf(closed.labels, closed.size);
    expect(others).toEqual([]);
    expect(polygon!.holes).toEqual([[2, 2, 2, 1, 1, 1, 1, 2]]);
  });

  test("cover what the mask covers, in simple rings, whatever the mask", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const [width, height] = [3 + (seed % 17), 2 + (seed % 13)];
      const labels = random(width, height, 0.2 + (seed % 7) / 10, seed);
      const polygons = polygonsOf(labels, { width, height });
      expect(covered(ringsOf(polygons), width, height)).toEqual([...labels]);
      for (const ring of ringsOf(polygons)) {
        const corners = Array.from(
          { length: ring.length / 2 },
          (_, i) => `${ring.slice(2 * i, 2 * i + 2)}`,
        );
        expect(new Set(corners).size).toBe(corners.length);
      }
    }
  });

  test("with cuts are single rings that COCO's own rule fills with the same pixels", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const [width, height] = [5 + (seed % 19), 4 + (seed % 11)];
      const labels = random(width, height, 0.5 + (seed % 5) / 10, 100 + seed);
      const mask = new Uint8Array(width * height);
      for (const polygon of polygonsOf(labels, { width, height }))
        fillPolygon(withCuts(polygon), mask, width, height);
      expect([...mask]).toEqual([...labels]);
    }
  });

  test("are of the value that is asked for", () => {
    const labels = Uint8Array.from([0, 2, 2, 1, 1, 2]);
    expect(polygonsOf(labels, { width: 3, height: 2 }, 2)).toEqual([
      { outer: [3, 0, 3, 2, 2, 2, 2, 1, 1, 1, 1, 0], holes: [] },
    ]);
  });
});
