import { expect, test } from "vitest";
import { splitMasks } from "../../../predict/vision/image.ts";
import {
  type Logits,
  pickLogits,
  threshold,
  upsampleMasks,
} from "../../../predict/vision/postprocess.ts";
import { type Frame, frameOf } from "../../../predict/vision/preprocess.ts";
import { fixture } from "../../support/fixtures.ts";

const whole: Frame = {
  originalSize: { width: 170, height: 170 },
  inputSize: { width: 128, height: 128 },
  modelSize: 128,
};
const padded = frameOf({ width: 150, height: 97 }, 128);

for (const [file, frame] of [
  ["sam_nano.safetensors", whole],
  ["sam_nano_padded.safetensors", padded],
] as const) {
  const { tensors } = fixture(file);
  const low = tensors.get("points.multimask.low_res_logits")!;
  const expected = tensors.get("points.multimask.full_res_logits")!;
  const shape: Logits["shape"] = [low.shape[1]!, low.shape[2]!, low.shape[3]!];
  const large = upsampleMasks(low.data as Float32Array, shape, frame);

  test(`${file}: enlarged logits equal the reference to 1e-5`, () => {
    expect(large.length).toBe(expected.data.length);
    expect(relativeError(large, expected.data as Float32Array)).toBeLessThan(1e-5);
  });

  test(`${file}: boolean masks equal the reference's in every pixel`, () => {
    const masks = threshold(large);
    expect(Buffer.compare(masks, threshold(expected.data as Float32Array))).toBe(0);
    const inside = masks.reduce((sum, value) => sum + value, 0);
    expect(inside).toBeGreaterThan(0);
    expect(inside).toBeLessThan(masks.length);
  });
}

/** Both interpolations one after the other, pixel by pixel, in float64. */
function upsampleSlowly(logits: Float32Array, [count, h, w]: Logits["shape"], frame: Frame) {
  const sample = (data: ArrayLike<number>, width: number, at: number, y: number, x: number) =>
    data[at + y * width + x]!;
  const resize = (
    data: ArrayLike<number>,
    ih: number,
    iw: number,
    stride: number,
    oh: number,
    ow: number,
  ) =>
    Float64Array.from({ length: oh * ow }, (_, i) => {
      const place = (out: number, inputs: number, outputs: number) => {
        const at = Math.max(0, ((out + 0.5) * inputs) / outputs - 0.5);
        const low = Math.min(Math.floor(at), inputs - 1);
        return [low, Math.min(low + 1, inputs - 1), at - low] as const;
      };
      const [y0, y1, v] = place(Math.floor(i / ow), ih, oh);
      const [x0, x1, u] = place(i % ow, iw, ow);
      const row = (y: number) =>
        sample(data, stride, 0, y, x0) * (1 - u) + sample(data, stride, 0, y, x1) * u;
      return row(y0) * (1 - v) + row(y1) * v;
    });
  const { modelSize, inputSize, originalSize } = frame;
  return Array.from({ length: count }, (_, n) => {
    const model = resize(
      logits.subarray(n * h * w, (n + 1) * h * w),
      h,
      w,
      w,
      modelSize,
      modelSize,
    );
    const { width, height } = originalSize;
    return [...resize(model, inputSize.height, inputSize.width, modelSize, height, width)];
  }).flat();
}

const frames: readonly [width: number, height: number, model: number, low: number][] = [
  [40, 64, 64, 16],
  [33, 7, 32, 8],
  [1, 200, 64, 16],
  [200, 1, 64, 16],
  [9, 9, 16, 16],
  [9, 12, 16, 40],
  [100, 60, 48, 1],
];
for (const [width, height, model, low] of frames) {
  test(`masks of ${low} in a model of ${model} for ${width} x ${height} are two interpolations`, () => {
    const data = Float32Array.from({ length: 2 * low * low }, (_, i) => 7 * Math.sin(i * i + 1));
    const frame = frameOf({ width, height }, model);
    const large = upsampleMasks(data, [2, low, low], frame);
    const slowly = upsampleSlowly(data, [2, low, low], frame);
    expect(relativeError(large, slowly)).toBeLessThan(1e-5);
  });
}

test("only logits above the level are inside", () => {
  const logits = Float32Array.of(-1, -0, 0, 1e-30, 2, Number.NaN);
  expect([...threshold(logits)]).toEqual([0, 0, 0, 1, 1, 0]);
  expect([...threshold(logits, 1)]).toEqual([0, 0, 0, 0, 1, 0]);
});

test("one mask of several is cut out without a copy", () => {
  const data = Float32Array.from({ length: 12 }, (_, i) => i);
  const picked = pickLogits({ shape: [3, 2, 2], data }, 1);
  expect(picked.shape).toEqual([1, 2, 2]);
  expect([...picked.data]).toEqual([4, 5, 6, 7]);
  expect(splitMasks(Uint8Array.of(1, 0, 1, 1), { width: 1, height: 2 })).toEqual([
    { width: 1, height: 2, data: Uint8Array.of(1, 0) },
    { width: 1, height: 2, data: Uint8Array.of(1, 1) },
  ]);
});

test("E320: logits fill their shape and lie within their frame", () => {
  const data = new Float32Array(16);
  expect(() => upsampleMasks(data, [1, 4, 5], padded)).toThrow(/E320.*1 x 4 x 5 need 20.*16/);
  const wide = { ...padded, inputSize: { width: 200, height: 83 } };
  expect(() => upsampleMasks(data, [1, 4, 4], wide)).toThrow(/E320.*model input of 128.*200 x 83/);
  expect(() => pickLogits({ shape: [1, 4, 4], data }, 1)).toThrow(/E320.*no mask 1 among 1/);
});

function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [difference, norm] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i]! - expected[i]!) ** 2;
    norm += expected[i]! ** 2;
  }
  return Math.sqrt(difference / norm);
}
