/** Prompts become the decoder's tokens in SAM's order, in the smallest bucket that holds them. */
import { expect, test } from "vitest";
import { decoderTokens, tokenBuckets } from "../../predict/tokens.ts";
import { frameOf } from "../../predict/vision/index.ts";
import { refusal } from "../support/weights-files.ts";

// A picture of 200 x 100 in a model of 64: everything is scaled by 0.32.
const frame = frameOf({ width: 200, height: 100 }, 64);
const used = (tokens: ReturnType<typeof decoderTokens>) => ({
  labels: [...tokens.labels.subarray(0, tokens.count)],
  points: [...tokens.points.subarray(0, 2 * tokens.count)].map((v) => Math.round(v * 100) / 100),
});

test.each([
  ["no prompt: no token", { points: [], labels: [] }, { labels: [], points: [] }],
  [
    "points end with a padding point",
    {
      points: [
        [100, 50],
        [10, 20],
      ],
      labels: [1, 0],
    },
    { labels: [1, 0, -1], points: [32, 16, 3.2, 6.4, 0, 0] },
  ],
  [
    "a box is two corners",
    { points: [], labels: [], box: [0, 0, 200, 100] },
    { labels: [2, 3], points: [0, 0, 64, 32] },
  ],
  [
    "points with a box need no padding",
    { points: [[100, 50]], labels: [-1], box: [50, 25, 100, 75] },
    { labels: [-1, 2, 3], points: [32, 16, 16, 8, 32, 24] },
  ],
] as const)("%s", (_claim, prompts, expected) => {
  expect(used(decoderTokens(prompts, frame))).toEqual(expected);
});

test.each([
  [0, 8],
  [7, 8],
  [8, 32],
  [31, 32],
  [32, 128],
  [127, 128],
])("%i points need a bucket of %i", (count, bucket) => {
  const points = Array.from({ length: count }, () => [1, 1] as const);
  const tokens = decoderTokens({ points, labels: points.map(() => 1) }, frame);
  expect(tokens.bucket).toBe(bucket);
  expect(tokens.labels.length).toBe(bucket);
  expect(tokens.points.length).toBe(2 * bucket);
});

test("what is not used is no point", () => {
  const tokens = decoderTokens({ points: [[1, 1]], labels: [1] }, frame);
  expect([...tokens.labels]).toEqual([1, -1, -1, -1, -1, -1, -1, -1]);
});

test("E352 says how many points there may be", async () => {
  const points = Array.from({ length: 128 }, () => [1, 1] as const);
  const prompts = { points, labels: points.map(() => 1 as const) };
  const error = await refusal(() => decoderTokens(prompts, frame, tokenBuckets));
  expect(error.code).toBe("E352");
  expect(error.message).toContain("128 points need 129 tokens");
  expect(error.message).toContain("at most 127 points");
});
