/**
 * The predictor on the strict reference device: what is compiled when, what waits for what, and
 * what is refused. The numbers of a real SAM are checked on a device in test/models/sam/device.test.ts.
 */
import { describe, expect, test } from "vitest";
import { hashedWeights } from "../../models/sam/hashed.ts";
import { toHuggingFace } from "../../models/sam/names.ts";
import { compileSam, Sam } from "../../models/sam/sam.ts";
import { createSamPredictor, type Prediction, type PredictOptions } from "../../predict/sam.ts";
import { image, pickLogits, preprocess } from "../../predict/vision/index.ts";
import type { Device } from "../../runtime/devices/device.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { renameWeights, type Weights } from "../../runtime/weights/index.ts";
import { randomNumbers, relativeError } from "../../verify/ops/evaluate.ts";
import { plainDecoder, plainEncoder } from "../support/sam-plain.ts";
import { flat, plainWeights, tinySam } from "../support/sam-small.ts";
import { refusal } from "../support/weights-files.ts";

const weights = hashedWeights(tinySam, "test");
const noise = (width: number, height: number, seed: number) =>
  image(width, height, Uint8Array.from(randomNumbers(width * height * 3, seed, [0, 255])));
// Wider than high, and no multiple of anything in the model.
const picture = noise(45, 31, 1);

/** The reference device, counting the programs that it loads and runs. */
function countingDevice() {
  const counts = { loads: 0, runs: 0 };
  const device = referenceDevice();
  const counting: Device = {
    ...device,
    async load(...given) {
      counts.loads++;
      const program = await device.load(...given);
      return {
        ...program,
        run() {
          counts.runs++;
          return program.run();
        },
      };
    },
  };
  return { device: counting, counts };
}

const load = (device: Device = referenceDevice(), from: Weights = weights) =>
  Sam.load(from, { device, config: tinySam });

/** One for the tests that leave it as it was, with the picture set. */
const shared = load().then(async (sam) => {
  await sam.setImage(picture);
  return sam;
});

describe("prediction", () => {
  test("equals the plain SAM on a picture that is not square, prompts in its pixels", async () => {
    const sam = await shared;
    expect(sam.frame()!.inputSize).toEqual({ width: 32, height: 22 });
    const prediction = await sam.predict({ points: [[30, 12]], labels: [0], multimask: true });

    const at = plainWeights(tinySam, "test");
    const encoded = plainEncoder(tinySam, at, preprocess(picture, 32).input);
    const point = [(30 * 32) / 45, (12 * 22) / 31] as const;
    const plain = plainDecoder(tinySam, at, encoded.output, { points: [point], labels: [0] });
    const logits = prediction.lowResLogits;
    expect(logits.shape).toEqual([3, 16, 16]);
    expect(relativeError(logits.data, flat(plain.masks.slice(1)))).toBeLessThan(1e-5);
    expect(relativeError(prediction.scores, plain.iou.slice(1))).toBeLessThan(1e-5);
    for (const mask of prediction.masks)
      expect([mask.width, mask.height, mask.data.length]).toEqual([45, 31, 45 * 31]);

    // Without multimask it is the first mask, and the prompts are what counts, not the order of calls.
    const single = await sam.predict({ points: [[30, 12]], labels: [0] });
    expect(relativeError(single.lowResLogits.data, plain.masks[0]!)).toBeLessThan(1e-5);
    expect(single.masks.length).toBe(1);
  });

  test("gives one result for each of several boxes, the same as box by box", async () => {
    const sam = await shared;
    const boxes = [
      [2, 3, 20, 30],
      [10, 1, 45, 31],
    ] as const;
    const together = await sam.predict({ boxes, multimask: true });
    expect(together.length).toBe(2);
    for (const [i, box] of boxes.entries())
      expect(together[i]).toEqual(await sam.predict({ box, multimask: true }));
    expect(await sam.predict({ boxes: [] })).toEqual([]);
  });

  test("takes its own logits back as a mask, and forgets them with the next prompt", async () => {
    const sam = await shared;
    const before = await sam.predict({ points: [[4, 5]], multimask: true });
    const mask = pickLogits(before.lowResLogits, 2);
    const refined = await sam.predict({ points: [[4, 5]], mask });
    const after = await sam.predict({ points: [[4, 5]] });
    expect(relativeError(refined.lowResLogits.data, after.lowResLogits.data)).toBeGreaterThan(1e-3);
    expect(await sam.predict({ points: [[4, 5]], multimask: true })).toEqual(before);
  });
});

describe("compilation", () => {
  test("a further click compiles nothing and encodes nothing", async () => {
    const { device, counts } = countingDevice();
    const plans = compileSam(tinySam, { target: "reference" });
    const asked: number[] = [];
    const decode = (bucket: number) => {
      asked.push(bucket);
      return plans.decode(bucket);
    };
    const sam = await createSamPredictor({ plans: { ...plans, decode }, weights, device });
    await sam.setImage(picture);
    const loaded = { ...counts };
    const clicks = Array.from({ length: 8 }, (_, i) => [i, 2 * i] as const);
    for (const count of [1, 2, 7]) await sam.predict({ points: clicks.slice(0, count) });
    expect(asked).toEqual([8]);
    expect(counts).toEqual({ loads: loaded.loads, runs: loaded.runs + 3 });
    // The eighth click and its padding point are nine tokens: the next bucket, once.
    await sam.predict({ points: clicks });
    await sam.predict({ points: clicks });
    expect(asked).toEqual([8, 32]);
    await sam.close();
  });

  test("a bucket that fails to compile may be tried again", async () => {
    const plans = compileSam(tinySam, { target: "reference" });
    let failures = 1;
    const decode = (bucket: number) => {
      if (bucket > 8 && failures-- > 0) throw new RangeError("no");
      return plans.decode(bucket);
    };
    const device = referenceDevice();
    const sam = await createSamPredictor({ plans: { ...plans, decode }, weights, device });
    await sam.setImage(picture);
    const points = Array.from({ length: 9 }, (_, i) => [i, i] as const);
    await expect(sam.predict({ points })).rejects.toThrow(RangeError);
    expect((await sam.predict({ points })).masks.length).toBe(1);
    await sam.close();
  });
});

test("calls that are not awaited are answered in turn, each for the picture before it", async () => {
  const sam = await shared;
  const other = noise(20, 40, 2);
  const prompt: PredictOptions & { boxes?: undefined } = { points: [[7, 9]] };
  const [, first, second, , third] = await Promise.all([
    sam.setImage(picture),
    sam.predict(prompt),
    sam.predict({ box: [1, 1, 18, 20] }),
    sam.setImage(other),
    sam.predict(prompt),
  ]);
  const alone: Prediction[] = [];
  await sam.setImage(picture);
  alone.push(await sam.predict(prompt), await sam.predict({ box: [1, 1, 18, 20] }));
  await sam.setImage(other);
  alone.push(await sam.predict(prompt));
  expect([first, second, third]).toEqual(alone);
  await sam.setImage(picture);
});

test("prompts as arrays of numbers are those as lists, and are copied when the call is made", async () => {
  const sam = await shared;
  const lists = { points: [[5, 9] as const], labels: [0] as const, box: [1, 1, 18, 20] as const };
  const arrays = {
    ...{ points: Float32Array.of(5, 9), labels: Uint8Array.of(0) },
    box: Float64Array.of(1, 1, 18, 20),
  };
  const called = sam.predict(arrays);
  arrays.box.fill(0);
  expect(await called).toEqual(await sam.predict(lists));
  const boxes = [[1, 1, 18, 20] as const, [2, 3, 9, 9] as const];
  const several = await sam.predict({ boxes: Int32Array.from(boxes.flat()) });
  expect(several).toEqual(await sam.predict({ boxes }));
});

test("weights in Hugging Face's names are the same SAM", async () => {
  const hf = [...weights.tensors.keys()].map((name) => [toHuggingFace(name)[0]!, name] as const);
  const [sam, same] = [await shared, await load(undefined, renameWeights(weights, new Map(hf)))];
  await same.setImage(picture);
  expect(await same.predict({ box: [1, 1, 9, 9] })).toEqual(
    await sam.predict({ box: [1, 1, 9, 9] }),
  );
  await same.close();
});

describe("refusals", () => {
  test.each<[string, PredictOptions, string]>([
    ["E310", { points: [[45, 3]] }, "45 x 31"],
    ["E311", { points: [[4, 3]], labels: [] }, "1 points but 0 labels"],
    ["E313", { box: [9, 1, 3, 5] }, "ends before it starts"],
    ["E316", { mask: { shape: [1, 4, 4], data: new Float32Array(16) } }, "1 x 16 x 16"],
    ["E352", { points: Array.from({ length: 130 }, () => [1, 1] as const) }, "at most 127"],
  ])("%s for prompts, and the next call works", async (code, options, words) => {
    const sam = await shared;
    const error = await refusal(() => sam.predict({ ...options, boxes: undefined }));
    expect(error.code).toBe(code);
    expect(error.message).toContain(words);
    expect((await sam.predict()).masks.length).toBe(1);
  });

  test("E350 before a picture, and after one that failed to encode", async () => {
    const device = referenceDevice();
    let broken = false;
    const fragile: Device = {
      ...device,
      write(...given) {
        if (broken) throw new RangeError("the device is gone");
        return device.write(...given);
      },
    };
    const sam = await load(fragile);
    expect((await refusal(() => sam.predict())).code).toBe("E350");
    await sam.setImage(picture);
    broken = true;
    await expect(sam.setImage(picture)).rejects.toThrow("the device is gone");
    broken = false;
    expect(sam.frame()).toBeUndefined();
    expect((await refusal(() => sam.predict())).code).toBe("E350");
    await sam.close();
  });

  test("a picture that is none changes nothing", async () => {
    const sam = await shared;
    const bad = { width: 4, height: 4, channels: 3 as const, data: new Uint8Array(5) };
    expect((await refusal(() => sam.setImage(bad))).code).toBe("E301");
    expect((await refusal(() => sam.setImage(new Blob(["x"]) as never))).code).toBe("E365");
    expect((await sam.predict()).masks[0]!.width).toBe(45);
  });

  test("E351 after close, which waits for what was asked before", async () => {
    const sam = await load();
    await sam.setImage(picture);
    const asked = sam.predict();
    await sam.close();
    expect((await asked).masks.length).toBe(1);
    expect((await refusal(() => sam.predict())).code).toBe("E351");
    expect((await refusal(() => sam.setImage(picture))).code).toBe("E351");
    await sam.close();
  });

  test("E353 for plans of something else", async () => {
    const plans = compileSam(tinySam, { target: "reference" });
    const device = referenceDevice();
    const swapped = { ...plans, encode: await plans.decode(8) };
    const error = await refusal(() => createSamPredictor({ plans: swapped, weights, device }));
    expect(error.code).toBe("E353");
    expect(error.message).toContain("is not a SAM encoder");
    const none = { ...plans, buckets: [] };
    expect((await refusal(() => createSamPredictor({ plans: none, weights, device }))).code).toBe(
      "E353",
    );
  });

  test("NaN and infinite weights are all named, and nothing stays open", async () => {
    const bad = new Map([
      ["image_encoder.neck.1.bias", [3, Number.NaN]],
      ["mask_decoder.mask_tokens.weight", [17, Number.NEGATIVE_INFINITY]],
    ]);
    async function* chunks(name: string) {
      const values = await weights.readF32(name);
      const [index, value] = bad.get(name) ?? [];
      if (index !== undefined) values[index] = value!;
      yield values;
    }
    const error = await refusal(() => load(undefined, { ...weights, chunks }));
    expect(error.code).toBe("E205");
    expect(error.message).toContain("image_encoder.neck.1.bias: 1 value, the first is NaN at 3");
    expect(error.message).toContain(
      "mask_decoder.mask_tokens.weight: 1 value, the first is -Infinity at 17",
    );
  });

  test("weights of another configuration are refused before anything is compiled", async () => {
    const { device, counts } = countingDevice();
    const config = { ...tinySam, depth: 3 };
    const error = await refusal(() => Sam.load(weights, { device, config }));
    expect(error.code).toBe("E232");
    expect(error.message).toContain("depth is 3 in the configuration, 2 in the weights");
    expect(counts.loads).toBe(0);
  });
});
