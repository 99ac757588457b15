import { expect, test } from "vitest";
import { type Image, image, type Mask } from "../../../predict/vision/image.ts";
import { edgeDistance } from "../../../predict/vision/outline.ts";
import { contactSheet, drawCutout, drawOverlay } from "../../../predict/vision/overlay.ts";

const flat = (width: number, height: number, value: number) =>
  image(width, height, new Uint8Array(width * height * 3).fill(value));
const maskOf = (
  width: number,
  height: number,
  inside: (x: number, y: number) => boolean,
): Mask => ({
  width,
  height,
  data: Uint8Array.from({ length: width * height }, (_, i) =>
    inside(i % width, Math.floor(i / width)) ? 1 : 0,
  ),
});
const at = ({ width, data }: Image, x: number, y: number) => [
  ...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
];

const grey = flat(80, 60, 100);
const left = maskOf(80, 60, (x) => x < 40);
const blue = [58, 126, 193]; // 0.4 of 100 and 0.6 of 30, 144, 255
const untouched = [100, 100, 100];

test("a mask is dodger blue at 0.6, with a white line just inside its edge", () => {
  const drawn = drawOverlay(grey, [left]);
  expect(at(drawn, 5, 30)).toEqual(blue);
  expect(at(drawn, 30, 59)).toEqual(blue);
  expect(Math.min(...at(drawn, 39, 30))).toBeGreaterThan(200);
  expect(at(drawn, 42, 30)).toEqual(untouched);
  expect(at(drawn, 79, 0)).toEqual(untouched);
  expect(grey.data.every((value) => value === 100)).toBe(true);
});

test("a mask of everything has no line at the border, one of nothing changes nothing", () => {
  const all = drawOverlay(grey, [maskOf(80, 60, () => true)]);
  expect([at(all, 0, 0), at(all, 40, 30), at(all, 79, 59)]).toEqual([blue, blue, blue]);
  expect(drawOverlay(grey, [maskOf(80, 60, () => false)]).data).toEqual(grey.data);
});

test("several masks have several colours", () => {
  const right = maskOf(80, 60, (x) => x >= 40);
  const drawn = drawOverlay(grey, [left, right]);
  expect(at(drawn, 5, 30)).toEqual(blue);
  expect(at(drawn, 75, 30)).toEqual([193, 124, 40]);
});

test("points on the object are green stars, points beside it red discs, others not drawn", () => {
  const drawn = drawOverlay(grey, [], {
    points: [
      [20, 20],
      [60, 20],
      [40, 45],
    ],
    labels: [1, 0, -1],
  });
  expect(at(drawn, 20, 20)).toEqual([40, 190, 60]);
  expect(at(drawn, 60, 20)).toEqual([226, 52, 46]);
  expect(at(drawn, 40, 45)).toEqual(untouched);
  // The star's upper tip is far from its centre, a disc's rim is nearer; both are rimmed in white.
  expect(Math.min(...at(drawn, 20, 10))).toBeGreaterThan(220);
  expect(Math.min(...at(drawn, 66, 20))).toBeGreaterThan(220);
});

test("a box is a green line around what it encloses", () => {
  const drawn = drawOverlay(grey, [], { box: [20, 15, 60, 45] });
  for (const [x, y] of [
    [20, 30],
    [60, 30],
    [40, 15],
    [40, 45],
  ] as const) {
    expect(at(drawn, x, y)).toEqual([40, 190, 60]);
  }
  expect(at(drawn, 40, 30)).toEqual(untouched);
  expect(at(drawn, 10, 5)).toEqual(untouched);
});

test("marks at the very corners are cut off, on pictures of any size", () => {
  for (const [width, height] of [
    [1, 1],
    [3, 200],
    [700, 5],
  ] as const) {
    const drawn = drawOverlay(flat(width, height, 9), [maskOf(width, height, () => true)], {
      points: [
        [0, 0],
        [width - 0.5, height - 0.5],
      ],
      labels: [1, 0],
      boxes: [[0, 0, width, height]],
    });
    expect([drawn.width, drawn.height]).toEqual([width, height]);
  }
});

test("a cutout keeps the object and fades the rest to one grey", () => {
  const red = image(
    80,
    60,
    Uint8Array.from({ length: 80 * 60 * 3 }, (_, i) => (i % 3 ? 0 : 200)),
  );
  const drawn = drawCutout(red, left);
  expect(at(drawn, 5, 30)).toEqual([200, 0, 0]);
  const [r, g, b] = at(drawn, 75, 30);
  expect([g, b]).toEqual([r, r]);
  expect(r).toBeGreaterThan(170);
});

test("the distance to a straight edge is right to a tenth of a pixel, its sign says the side", () => {
  for (const axis of ["x", "y"] as const) {
    const mask = maskOf(24, 24, (x, y) => (axis === "x" ? x : y) < 10);
    const distance = edgeDistance(mask, 5);
    for (let i = 6; i < 14; i++) {
      const there = distance[axis === "x" ? 12 * 24 + i : i * 24 + 12]!;
      // The edge lies at 9.5, half way between the last pixel inside and the first outside.
      expect(Math.abs(there - (i - 9.5))).toBeLessThan(0.11);
    }
  }
});

test("a contact sheet sets cells side by side, four in a row, scaled and centred on white", () => {
  const sheet = contactSheet([flat(100, 50, 10), flat(50, 100, 20), flat(10, 10, 30)], 40);
  expect([sheet.width, sheet.height]).toEqual([4 + 3 * 44, 4 + 44]);
  expect(at(sheet, 4, 24)).toEqual([10, 10, 10]);
  expect(at(sheet, 4, 5)).toEqual([255, 255, 255]);
  expect(at(sheet, 48 + 20, 5)).toEqual([20, 20, 20]);
  expect(at(sheet, 92, 4)).toEqual([30, 30, 30]);
  const rows = contactSheet(Array(5).fill(flat(10, 10, 0)), 40);
  expect([rows.width, rows.height]).toEqual([4 + 4 * 44, 4 + 2 * 44]);
});

test("E317: a mask is drawn on an image of its size", () => {
  expect(() => drawOverlay(grey, [maskOf(60, 80, () => true)])).toThrow(/E317.*60 x 80.*80 x 60/);
  expect(() =>
    drawCutout(
      grey,
      maskOf(8, 8, () => true),
    ),
  ).toThrow(/E317.*8 x 8/);
});

test("E318: a contact sheet has pictures", () => {
  expect(() => contactSheet([])).toThrow(/E318/);
});

test("prompts as arrays of numbers are drawn as lists are", () => {
  const picture = image(20, 20, new Uint8Array(20 * 20 * 3));
  const drawn = drawOverlay(picture, [], {
    ...{ points: Float32Array.of(5, 5, 12, 12), labels: Uint8Array.of(1, 0) },
    ...{ box: Uint16Array.of(1, 1, 9, 9), boxes: [Float64Array.of(4, 4, 18, 18)] },
  });
  const lists = {
    ...{ points: [[5, 5] as const, [12, 12] as const], labels: [1, 0] as const },
    ...{ box: [1, 1, 9, 9] as const, boxes: [[4, 4, 18, 18] as const] },
  };
  expect(drawn).toEqual(drawOverlay(picture, [], lists));
  expect(drawn).not.toEqual(picture);
});
