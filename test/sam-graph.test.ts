/** The SAM programs equal a plain SAM in double precision, whatever the sizes; nothing runs twice. */
import { describe, expect, test } from "vitest";
import { compile, traceProgram } from "../compiler/index.ts";
import type { SamConfig } from "../models/sam/config.ts";
import { hashedImage, hashedWeights } from "../models/sam/hashed.ts";
import { samModel } from "../models/sam/program.ts";
import { samTensors } from "../models/sam/tensors.ts";
import { referenceDevice } from "../runtime/devices/reference.ts";
import { createSession, type Inputs } from "../runtime/session.ts";
import { decoderTokens } from "../runtime/sam-tokens.ts";
import { frameOf } from "../runtime/vision/index.ts";
import { randomNumbers, relativeError } from "./evaluate.ts";
import { type PlainPrompts, plainDecoder, plainEncoder, split } from "./sam-plain.ts";
import { flat, oddSam, plainWeights, tinySam, turn } from "./sam-small.ts";

/** Single precision rounds at every step; a wrong formula is off by far more. */
const tolerance = 2e-6;

async function runProgram(
  config: SamConfig,
  program: "encode" | "decode",
  dims: Readonly<Record<string, number>>,
  inputs: Inputs,
) {
  const graph = traceProgram(samModel(config, { taps: "all" }), program, dims);
  const plan = compile(graph, { name: program, target: "reference" });
  const weights = hashedWeights(config, "test");
  const session = await createSession(plan, referenceDevice(), { weights });
  return session.run(inputs);
}

describe.each([
  ["tiny", tinySam],
  ["odd", oddSam],
])("the encoder of a %s SAM", (_name, config) => {
  test("equals the plain one behind every block, for each image of a batch", async () => {
    const [first, second] = ["a", "b"].map((seed) => hashedImage(seed, config.imageSize));
    const image = Float32Array.from([...first!, ...second!]);
    const results = await runProgram(config, "encode", { batch: 2 }, { image });
    [first!, second!].forEach((one, i) => {
      const plain = plainEncoder(config, plainWeights(config, "test"), one);
      const part = (name: string) => {
        const values = results[name]!;
        return values.subarray((i * values.length) / 2, ((i + 1) * values.length) / 2);
      };
      expect(relativeError(part("patch_embed"), flat(plain.patchEmbed))).toBeLessThan(tolerance);
      plain.blocks.forEach((block, b) => {
        expect(relativeError(part(`block.${b}`), flat(block)), `${b}`).toBeLessThan(tolerance);
      });
      const output = flat(turn(plain.output));
      expect(relativeError(part("embedding"), output)).toBeLessThan(tolerance);
    });
  });
});

const side = (config: SamConfig) => (4 * config.imageSize) / config.patchSize;

const mixes: readonly (readonly [string, (config: SamConfig) => PlainPrompts])[] = [
  ["nothing", () => ({ points: [], labels: [] })],
  ["a click", () => ({ points: [[5, 20]], labels: [1] })],
  ["clicks on it, beside it and nowhere", () => ({ points: [[5, 20], [9.5, 3], [1, 1]], labels: [1, 0, -1] })],
  ["a box", () => ({ points: [], labels: [], box: [2, 3, 20, 27] })],
  ["a mask", (config) => ({ points: [], labels: [], mask: randomMask(config) })],
  [
    "a click, a box and a mask",
    (config) => ({ points: [[5, 20]], labels: [0], box: [2, 3, 20, 27], mask: randomMask(config) }),
  ],
];

const randomMask = (config: SamConfig) => randomNumbers(side(config) ** 2, 7, [-8, 8]);

/** The decoder's inputs for prompts in pixels of the model's input. */
function inputsOf(config: SamConfig, prompts: PlainPrompts, buckets?: readonly number[]) {
  const { imageSize } = config;
  const frame = frameOf({ width: imageSize, height: imageSize }, imageSize);
  const tokens = decoderTokens(
    { points: prompts.points, labels: prompts.labels as (0 | 1 | -1)[], box: prompts.box },
    frame,
    buckets,
  );
  const { points, labels, count, bucket } = tokens;
  const embedding = randomNumbers(config.outChans * (imageSize / config.patchSize) ** 2, 3);
  const mask = [...(prompts.mask ? Array.from(prompts.mask) : new Array<number>(side(config) ** 2).fill(0))];
  const has_mask = [prompts.mask ? 1 : 0];
  return { count, bucket, inputs: { embedding, points, labels, count: [count], mask, has_mask } };
}

describe.each([
  ["tiny", tinySam],
  ["odd", oddSam],
])("the decoder of a %s SAM", (_name, config) => {
  test.each(mixes)("equals the plain one: %s", async (_mix, make) => {
    const prompts = make(config);
    const { inputs, count, bucket } = inputsOf(config, prompts);
    const results = await runProgram(config, "decode", { tokens: bucket }, inputs);
    const rows = turn(split(Float64Array.from(inputs.embedding), inputs.embedding.length / config.outChans));
    const plain = plainDecoder(config, plainWeights(config, "test"), rows, prompts);
    const sparse = results.sparse!.subarray(0, count * config.outChans);
    expect(relativeError(sparse, flat(plain.sparse))).toBeLessThan(tolerance);
    expect(relativeError(results.dense!, flat(turn(plain.dense)))).toBeLessThan(tolerance);
    expect(relativeError(results.low_res_logits!, flat(plain.masks))).toBeLessThan(tolerance);
    expect(relativeError(results.iou!, plain.iou)).toBeLessThan(tolerance);
  });

  test("gives the same masks from a larger bucket: nobody attends to unused slots", async () => {
    const prompts = { points: [[5, 20] as const], labels: [1] };
    const results = [];
    for (const buckets of [[8], [16]]) {
      const { inputs, bucket } = inputsOf(config, prompts, buckets);
      results.push(await runProgram(config, "decode", { tokens: bucket }, inputs));
    }
    const [small, large] = results;
    expect(relativeError(large!.low_res_logits!, small!.low_res_logits!)).toBeLessThan(tolerance);
    expect(relativeError(large!.iou!, small!.iou!)).toBeLessThan(tolerance);
  });
});

test("the parameters of both programs are the keys and shapes of the checkpoint", () => {
  const model = samModel(tinySam);
  const found = new Map<string, string>();
  for (const program of ["encode", "decode"])
    for (const { name, shape } of compile(traceProgram(model, program)).parameters)
      found.set(name, shape.join());
  const expected = samTensors(tinySam).map(({ name, shape }) => [name, shape.join()] as const);
  expect([...found].sort()).toEqual([...expected].sort());
});

test("a block of the encoder is seven kernels: everything else melts", () => {
  const deeper = { ...tinySam, depth: 3, globalAttnIndexes: [1] };
  const steps = (config: SamConfig) => compile(traceProgram(samModel(config), "encode")).steps.length;
  expect(steps(deeper) - steps(tinySam)).toBe(7);
});
