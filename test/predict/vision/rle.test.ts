/** Polygons cover the pixels that the published maskApi.c marks; runs are read and written as it does. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  decodeRuns,
  encodeRuns,
  fillPolygon,
  fillRuns,
  type Rle,
  runsOf,
} from "../../../study/data/index.ts";
import { fixturePath, refusal } from "../../support/weights-files.ts";

/** What the published code, compiled, gives for each polygon. */
const published = JSON.parse(readFileSync(fixturePath("coco_polygons.json"), "utf8")) as readonly {
  readonly size: readonly [number, number];
  readonly polygon: readonly number[];
  readonly counts: string;
}[];

test.each(published)("polygon $polygon in $size", ({ size, polygon, counts }) => {
  const [height, width] = size;
  const mask = new Uint8Array(width * height);
  fillPolygon(polygon, mask, width, height);
  expect(encodeRuns(runsOf(mask, width, height))).toBe(counts);
  expect(decodeRuns(counts)).toEqual(runsOf(mask, width, height));
  const again = new Uint8Array(width * height);
  fillRuns({ size, counts }, again);
  expect(again).toEqual(mask);
});

test("long runs take several characters, and shrink", () => {
  const counts = [70_000, 3, 1_000_000, 5, 12, 2 ** 30, 1];
  expect(decodeRuns(encodeRuns(counts))).toEqual(counts);
});

test("what was covered before stays", () => {
  const mask = Uint8Array.of(1, 0, 0, 0);
  fillPolygon([1, 0, 2, 0, 2, 2, 1, 2], mask, 2, 2);
  expect([...mask]).toEqual([1, 1, 0, 1]);
});

test.each([1e99, -(2 ** 20) - 1, Number.NaN])("E1005: a corner at %d is refused", async (far) => {
  const fill = async () => fillPolygon([0, 0, far, 0, 2, 2], new Uint8Array(6), 3, 2);
  const error = await refusal(fill);
  expect([error.code, error.message]).toEqual(["E1005", expect.stringContaining("3 x 2")]);
});

describe("runs that are none", () => {
  test.each<[string, Rle["counts"], string]>([
    ["too few pixels", [3, 2], "5 pixels in all, not the 6 of 3 x 2"],
    ["less than none", [8, -2], "6 pixels in all"],
    ["a text that ends early", "P", "character 2 of 1"],
    ["other characters", "1 2", "character 2 of 3"],
  ])("%s", async (_, counts, words) => {
    const error = await refusal(async () => fillRuns({ size: [2, 3], counts }, new Uint8Array(6)));
    expect(error.code).toBe("E1005");
    expect(error.message).toContain(words);
  });
});
