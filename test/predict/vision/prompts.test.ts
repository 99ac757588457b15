import { expect, test } from "vitest";
import { image } from "../../../predict/vision/image.ts";
import { logitsOfPicture } from "../../../predict/vision/mask-prompt.ts";
import { frameOf } from "../../../predict/vision/preprocess.ts";
import { checkPrompts, type Prompts } from "../../../predict/vision/prompts.ts";

const picture = { width: 150, height: 97 };
const check = (prompts: Prompts) => checkPrompts(prompts, picture, 32);

test("points without labels are on the object, and box comes before boxes", () => {
  expect(
    check({
      points: [
        [0, 0],
        [149.9, 96.9],
      ],
      box: [0, 0, 150, 97],
      boxes: [[1, 2, 1, 2]],
    }),
  ).toEqual({
    points: [
      [0, 0],
      [149.9, 96.9],
    ],
    labels: [1, 1],
    boxes: [
      [0, 0, 150, 97],
      [1, 2, 1, 2],
    ],
  });
  expect(check({})).toEqual({ points: [], labels: [], boxes: [] });
});

test("a point that is none may lie anywhere", () => {
  expect(check({ points: [[-1, 900]], labels: [-1] }).labels).toEqual([-1]);
});

const logits = (count: number, side: number) => ({
  shape: [count, side, side] as const,
  data: new Float32Array(count * side * side),
});
const holed = logits(1, 32);
holed.data[70] = Number.NaN;

// What is wrong with each of these prompts for an image of 150 x 97 and masks of 32 x 32.
const mistakes: readonly [claim: string, prompts: unknown, words: RegExp][] = [
  [
    "a point beyond the right edge",
    {
      points: [
        [1, 1],
        [150, 5],
      ],
    },
    /E310.*point 2 \(150, 5\).*150 x 97/,
  ],
  ["a point above the image", { points: [[5, -0.5]], labels: [0] }, /E310.*point 1 \(5, -0\.5\)/],
  [
    "fewer labels than points",
    {
      points: [
        [1, 1],
        [2, 2],
      ],
      labels: [1],
    },
    /E311.*2 points but 1 labels/,
  ],
  ["labels without points", { labels: [1] }, /E311.*0 points but 1 labels/],
  ["a label of 2", { points: [[1, 1]], labels: [2] }, /E312.*label 1 is 2/],
  ["a box from right to left", { box: [90, 10, 20, 50] }, /E313.*x0 90 > x1 20[\s\S]*20,10,90,50/],
  [
    "a box from bottom to top",
    {
      boxes: [
        [0, 0, 1, 1],
        [1, 9, 5, 3],
      ],
    },
    /E313.*box 2.*y0 9 > y1 3/,
  ],
  [
    "a box over the edge",
    { box: [100, 50, 160, 90] },
    /E314.*the box.*150 x 97[\s\S]*100,50,150,90/,
  ],
  ["a box beside the image", { box: [200, 5, 210, 9] }, /E314[\s\S]*not on the image at all/],
  [
    "a point at infinity",
    { points: [[1, Number.POSITIVE_INFINITY]] },
    /E315.*point 1 is \(1, Infinity\)/,
  ],
  ["a point of three numbers", { points: [[1, 2, 3]] }, /E315.*\(1, 2, 3\), not 2 finite/],
  ["a point that is a number", { points: [7] }, /E315.*point 1 is 7/],
  [
    "a box of three numbers",
    { box: [1, 2, 3] },
    /E315.*the box is \(1, 2, 3\), not 4[\s\S]*x0, y0, x1, y1/,
  ],
  [
    "three masks for one",
    { mask: logits(3, 32) },
    /E316.*3 x 32 x 32.*1 x 32 x 32[\s\S]*pickLogits/,
  ],
  ["a mask of the image's size", { mask: logits(1, 97) }, /E316.*1 x 97 x 97/],
  ["a mask with a hole", { mask: holed }, /E315.*NaN at row 2, column 6/],
];

for (const [claim, prompts, words] of mistakes) {
  test(`${claim} is refused`, () => {
    expect(() => check(prompts as Prompts)).toThrow(words);
  });
}

const kinds = [
  ...[Float32Array, Float64Array, Int8Array, Int16Array, Int32Array],
  ...[Uint8Array, Uint8ClampedArray, Uint16Array, Uint32Array],
];
test.each(kinds)("%o holds a box, boxes, points and labels", (Kind) => {
  const one = [1, 2, 30, 40] as const;
  const two = [5, 6, 50, 60] as const;
  expect(check({ box: Kind.of(...one) }).boxes).toEqual([one]);
  expect(check({ boxes: Kind.of(...one, ...two) }).boxes).toEqual([one, two]);
  expect(check({ boxes: [Kind.of(...one), two] }).boxes).toEqual([one, two]);
  const asPoints = { points: [[1, 2] as const, [30, 40] as const], labels: [1, 0] as const };
  expect(check({ points: Kind.of(...one), labels: Kind.of(1, 0) })).toMatchObject(asPoints);
  expect(check({ points: [Kind.of(1, 2), [30, 40]] }).points).toEqual(asPoints.points);
});

test.each<[claim: string, prompts: unknown, words: RegExp]>([
  ["a box of three", { box: Float32Array.of(1, 2, 3) }, /E315.*the box is \(1, 2, 3\), not 4/],
  ["a box with NaN", { box: Float32Array.of(1, 2, Number.NaN, 4) }, /E315.*NaN/],
  ["boxes of six", { boxes: new Float32Array(6) }, /E315.*6 numbers, not 4 for each/],
  ["points of three", { points: Int32Array.of(1, 2, 3) }, /E315.*3 numbers, not 2 for each/],
  ["big integers", { box: BigInt64Array.of(1n, 2n, 3n, 4n) }, /E315.*the box is/],
  ["bytes without a kind", { box: new DataView(new ArrayBuffer(4)) }, /E315.*the box is/],
  ["points that are a number", { points: 7 }, /E315.*points are 7[\s\S]*\[x, y\]/],
  ["points that are an object", { points: { x: 1 } }, /E315.*no list/],
  ["labels that are a number", { points: [[1, 1]], labels: 1 }, /E315.*labels are 1/],
  ["a label of two", { points: [[1, 1]], labels: Uint8Array.of(2) }, /E312.*label 1 is 2/],
  ["a box outside", { box: Float32Array.of(200, 5, 210, 9) }, /E314.*\(200, 5, 210, 9\)/],
  [
    "a mask that is a picture",
    { mask: { ...picture, data: new Uint8Array(9) } },
    /E316[\s\S]*logitsOfPicture/,
  ],
  ["a mask that is an array", { mask: new Float32Array(32 * 32) }, /E316[\s\S]*logitsOfPicture/],
])("%s is refused", (_, prompts, words) => {
  expect(() => check(prompts as Prompts)).toThrow(words);
});

test("null is nothing, as undefined is", () => {
  const nothing = { points: null, labels: null, box: null, boxes: null, mask: null };
  expect(check(nothing as unknown as Prompts)).toEqual({ points: [], labels: [], boxes: [] });
});

test("a drawn mask becomes logits: 10 inside, -10 outside and in the padding, 0 half way", () => {
  // 8 x 6 pixels in a model of 16: twice the size, so that a cell of 4 x 4 is 2 x 2 pixels.
  const drawn = image(8, 6, new Uint8Array(8 * 6 * 3));
  for (let y = 0; y < 6; y++)
    for (let x = 0; x < 4; x++) drawn.data.fill(255, (y * 8 + x) * 3, (y * 8 + x) * 3 + 3);
  const { shape, data } = logitsOfPicture(drawn, frameOf(drawn, 16), 4);
  expect(shape).toEqual([1, 4, 4]);
  const rows = [0, 1, 2, 3].map((y) => [...data.subarray(y * 4, y * 4 + 4)]);
  // The edge is interpolated over two pixels, an eighth of which falls into the cell beyond.
  for (const row of rows.slice(0, 3)) {
    expect(row[0]).toBe(10);
    expect(row[1]!).toBeCloseTo(8.75, 1);
    expect(row[2]!).toBeCloseTo(-8.75, 1);
    expect(row[3]).toBe(-10);
  }
  expect(rows[3]).toEqual([-10, -10, -10, -10]);
  const grey = { width: 16, height: 16, inside: new Uint8Array(16 * 16).fill(128) };
  for (const value of logitsOfPicture(grey, frameOf(grey, 16), 4).data) {
    expect(Math.abs(value)).toBeLessThan(0.05);
  }
});

test("E317: a drawn mask has the size of its image", () => {
  const mask = image(128, 83, new Uint8Array(128 * 83 * 3));
  expect(() => logitsOfPicture(mask, frameOf(picture, 128), 32)).toThrow(
    /E317.*128 x 83.*150 x 97/,
  );
});

test("E316: a model's masks divide its input", () => {
  const mask = image(150, 97, new Uint8Array(150 * 97 * 3));
  expect(() => logitsOfPicture(mask, frameOf(picture, 128), 30)).toThrow(/E316.*30.*128/);
});
