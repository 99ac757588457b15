/** Resampling reads the pixels that PyTorch reads: positions against its single precision. */
import { expect, test } from "vitest";
import { type ResampleAxis, resampling } from "../../../ops/resample/kernel.ts";
import { randomNumbers } from "../../../verify/ops/evaluate.ts";

const single = Math.fround;

/** PyTorch's `area_pixel_compute_scale`, `area_pixel_compute_source_index` and nearest index. */
function theirs(from: number, to: number, d: number, axis: ResampleAxis): number {
  if (axis.mode !== "nearest" && axis.alignCorners)
    return to > 1 ? single(single((from - 1) / (to - 1)) * d) : 0;
  const step = single(axis.scale === undefined ? from / to : 1 / axis.scale);
  if (axis.mode === "nearest") return Math.min(Math.floor(single(d * step)), from - 1);
  return single(single(step * single(d + 0.5)) - 0.5);
}

function ours(from: number, d: number, axis: ResampleAxis): number {
  const r = resampling(from, axis);
  const position = r.factor * d + r.offset;
  const whole = Math.floor(position / r.divisor);
  if (axis.mode === "nearest")
    return r.exceptions.find(([e]) => e === d)?.[1] ?? Math.min(whole, from - 1);
  return whole - r.shift + (position % r.divisor) / r.divisor;
}

const sizes = randomNumbers(300, 1, [1, 300]).map(Math.floor);
const targets = randomNumbers(300, 2, [1, 600]).map(Math.floor);
const scales = randomNumbers(300, 3, [0.4, 4]);

const claims: readonly (readonly [string, (i: number) => ResampleAxis])[] = [
  ["nearest, to a size", (i) => ({ mode: "nearest", size: targets[i]! })],
  ["nearest, by a scale", (i) => ({ mode: "nearest", scale: scales[i]! })],
  ["bilinear, to a size", (i) => ({ mode: "bilinear", size: targets[i]! })],
  ["bicubic, by a scale", (i) => ({ mode: "bicubic", scale: scales[i]! })],
  ["aligned corners", (i) => ({ mode: "bilinear", size: targets[i]!, alignCorners: true })],
];

test.each(claims)("%s", (_claim, axisOf) => {
  for (const [i, from] of sizes.entries()) {
    const axis = axisOf(i);
    const { to } = resampling(from, axis);
    for (let d = 0; d < to; d++) {
      const [mine, known] = [ours(from, d, axis), theirs(from, to, d, axis)];
      const rounding = axis.mode === "nearest" ? 0 : 2e-7 * Math.max(1, Math.abs(known));
      if (!(Math.abs(mine - known) <= rounding))
        expect.fail(`${from} ${JSON.stringify(axis)} element ${d}: ${mine}, PyTorch ${known}`);
    }
  }
});

test("single precision finds another nearest pixel at the middle of 2 -> 82", () => {
  expect(resampling(2, { mode: "nearest", size: 82 }).exceptions).toEqual([[41, 0]]);
});

test("a scale of 2 and twice the size are the same whole numbers", () => {
  const axis = { mode: "bicubic", scale: 2 } as const;
  expect(resampling(7, axis)).toEqual(resampling(7, { mode: "bicubic", size: 14 }));
  expect(resampling(7, axis)).toMatchObject({ factor: 2, offset: 3, divisor: 4, shift: 1 });
});
