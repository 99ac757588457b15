/** SAM with prompts in one program is SAM's two programs, for each prompt of each picture. */
import { describe, expect, test } from "vitest";
import { traceProgram } from "../../../compiler/index.ts";
import { inferSamConfig } from "../../../models/index.ts";
import { hashedImage, hashedTensor, hashedWeights } from "../../../models/sam/hashed.ts";
import { samModel } from "../../../models/sam/program.ts";
import { type PromptSizes, promptedSam } from "../../../models/sam/prompted.ts";
import { relativeError } from "../../../verify/ops/evaluate.ts";
import { runHashed } from "../../support/hashed-run.ts";
import { tinySam } from "../../support/sam-small.ts";
import { refusal } from "../../support/weights-files.ts";

const sizes: PromptSizes = { prompts: 2, slots: 3 };
const side = tinySam.imageSize;
const low = (4 * side) / tinySam.patchSize;

/** Of two pictures two prompts each: a point, a box, two points with a mask, and a box with a mask. */
const prompts = [
  { points: [5, 9, -0.5, -0.5, 0, 0], labels: [1, -1, -1], masked: 0 },
  { points: [3, 4, 20, 25, 0, 0], labels: [2, 3, -1], masked: 0 },
  { points: [11, 2, 30, 7, 0, 0], labels: [1, 0, -1], masked: 1 },
  { points: [1, 1, 9, 14, 0, 0], labels: [2, 3, -1], masked: 1 },
];
const images = ["a", "b"].map((seed) => hashedImage(seed, side));
const maskOf = (item: number) => hashedTensor("mask", String(item), [1, low * low]);

describe("promptedSam", () => {
  test("is `encode` and `decode` of samModel, item by item", async () => {
    const graph = traceProgram(promptedSam(tinySam, sizes), "segment", { batch: 2 });
    expect(graph.outputs.map(({ tensor }) => tensor.shape)).toEqual([
      [4, 4, low, low],
      [4, 4],
    ]);
    const { logits, iou } = await runHashed(graph, {
      image: Float32Array.from(images.flatMap((one) => [...one])),
      points: Float32Array.from(prompts.flatMap(({ points }) => points)),
      labels: Int32Array.from(prompts.flatMap(({ labels }) => labels)),
      count: [2],
      mask: Float32Array.from(prompts.flatMap((_, item) => [...maskOf(item)])),
      has_mask: prompts.map(({ masked }) => masked),
    });
    const plain = samModel(tinySam);
    const encode = traceProgram(plain, "encode");
    const decode = traceProgram(plain, "decode", { tokens: sizes.slots });
    const expected: { logits: number[]; iou: number[] } = { logits: [], iou: [] };
    for (const [item, { points, labels, masked }] of prompts.entries()) {
      const { embedding } = await runHashed(encode, { image: images[Math.floor(item / 2)]! });
      const one = await runHashed(decode, {
        ...{ embedding: embedding!, points: Float32Array.from(points), labels, count: [2] },
        ...{ mask: maskOf(item), has_mask: [masked] },
      });
      expected.logits.push(...one.low_res_logits!);
      expected.iou.push(...one.iou!);
    }
    expect(relativeError(logits!, expected.logits)).toBeLessThan(1e-6);
    expect(relativeError(iou!, expected.iou)).toBeLessThan(1e-6);
  });

  test.each([
    [{ prompts: 0, slots: 2 }, "prompts"],
    [{ prompts: 1, slots: 1.5 }, "slots"],
  ])("of %o is E334", async (wrong, what) => {
    const { code, message } = await refusal(() => promptedSam(tinySam, wrong));
    expect(code).toBe("E334");
    expect(message).toContain(what);
  });
});

test("metadata of a checkpoint may say how many heads the mask decoder has", async () => {
  const weights = hashedWeights(tinySam, "heads");
  expect((await refusal(() => inferSamConfig(weights))).code).toBe("E231");
  const metadata = { decoder_num_heads: "2" };
  expect(inferSamConfig({ ...weights, metadata }).decoderNumHeads).toBe(2);
  const wrong = { ...weights, metadata: { decoder_num_heads: "two" } };
  expect((await refusal(() => inferSamConfig(wrong))).code).toBe("E230");
});
