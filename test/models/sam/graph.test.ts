/** The SAM programs equal a plain SAM in double precision, whatever the sizes; nothing runs twice. */
import { describe, expect, test } from "vitest";
import { compile, defaultProfile, traceProgram } from "../../../compiler/index.ts";
import type { SamConfig } from "../../../models/sam/config.ts";
import { hashedImage, hashedTensor, hashedWeights } from "../../../models/sam/hashed.ts";
import { samModel } from "../../../models/sam/program.ts";
import { samTensors } from "../../../models/sam/tensors.ts";
import { decoderTokens } from "../../../predict/tokens.ts";
import { frameOf } from "../../../predict/vision/index.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { createSession, type Inputs, type Session } from "../../../runtime/session.ts";
import { randomNumbers, relativeError } from "../../../verify/ops/evaluate.ts";
import { type PlainPrompts, plainDecoder, plainEncoder, split } from "../../support/sam-plain.ts";
import { flat, oddSam, plainWeights, tinySam, turn } from "../../support/sam-small.ts";

/** Single precision rounds at every step; a wrong formula is off by far more. */
const tolerance = 2e-6;

interface Running {
  readonly config: SamConfig;
  readonly program: "encode" | "decode";
  readonly dims: Readonly<Record<string, number>>;
  /** Threads of a subgroup, where kernels are to use them. */
  readonly subgroup?: number;
}

const sessions = new Map<string, Promise<Session>>();

async function runProgram(running: Running, inputs: Inputs) {
  const { config, program, dims, subgroup = 0 } = running;
  const key = JSON.stringify(running);
  const made =
    sessions.get(key) ??
    (() => {
      const graph = traceProgram(samModel(config, { taps: "all" }), program, dims);
      const profile = { ...defaultProfile, subgroup };
      const plan = compile(graph, { name: program, target: "reference", profile });
      return createSession(plan, referenceDevice(), { weights: hashedWeights(config, "test") });
    })();
  sessions.set(key, made);
  return (await made).run(inputs);
}

const sams = [
  ["tiny", tinySam, 0],
  ["odd", oddSam, 0],
  ["tiny, in subgroups of 8,", tinySam, 8],
] as const;

describe.each(sams)("the encoder of a %s SAM", (_name, config, subgroup) => {
  test("equals the plain one behind every block, for each image of a batch", async () => {
    const [first, second] = ["a", "b"].map((seed) => hashedImage(seed, config.imageSize));
    const image = Float32Array.from([...first!, ...second!]);
    const results = await runProgram(
      { config, program: "encode", dims: { batch: 2 }, subgroup },
      { image },
    );
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
  [
    "clicks on it, beside it and nowhere",
    () => ({
      points: [
        [5, 20],
        [9.5, 3],
        [1, 1],
      ],
      labels: [1, 0, -1],
    }),
  ],
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
  const mask = [
    ...(prompts.mask ? Array.from(prompts.mask) : new Array<number>(side(config) ** 2).fill(0)),
  ];
  const has_mask = [prompts.mask ? 1 : 0];
  return { count, bucket, inputs: { embedding, points, labels, count: [count], mask, has_mask } };
}

describe.each(sams)("the decoder of a %s SAM", (_name, config, subgroup) => {
  // The others differ in sizes and kernels, not in what is asked.
  const asked = config === tinySam && subgroup === 0 ? mixes : [mixes[2]!, mixes[5]!];
  test.each(asked)("equals the plain one: %s", async (_mix, make) => {
    const prompts = make(config);
    const { inputs, count, bucket } = inputsOf(config, prompts);
    const dims = { tokens: bucket };
    const results = await runProgram({ config, program: "decode", dims, subgroup }, inputs);
    const rows = turn(
      split(Float64Array.from(inputs.embedding), inputs.embedding.length / config.outChans),
    );
    const plain = plainDecoder(config, plainWeights(config, "test"), rows, prompts);
    const sparse = results.sparse!.subarray(0, count * config.outChans);
    expect(relativeError(sparse, flat(plain.sparse))).toBeLessThan(tolerance);
    expect(relativeError(results.dense!, flat(turn(plain.dense)))).toBeLessThan(tolerance);
    expect(relativeError(results.low_res_logits!, flat(plain.masks))).toBeLessThan(tolerance);
    expect(relativeError(results.iou!, plain.iou)).toBeLessThan(tolerance);
  });
});

test("the decoder gives the same masks from a larger bucket: nobody attends to unused slots", async () => {
  const prompts = { points: [[5, 20] as const], labels: [1] };
  const results = [];
  for (const buckets of [[8], [16]]) {
    const { inputs, bucket } = inputsOf(tinySam, prompts, buckets);
    results.push(
      await runProgram({ config: tinySam, program: "decode", dims: { tokens: bucket } }, inputs),
    );
  }
  const [small, large] = results;
  expect(relativeError(large!.low_res_logits!, small!.low_res_logits!)).toBeLessThan(tolerance);
  expect(relativeError(large!.iou!, small!.iou!)).toBeLessThan(tolerance);
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
  const steps = (config: SamConfig) =>
    compile(traceProgram(samModel(config), "encode")).steps.length;
  expect(steps(deeper) - steps(tinySam)).toBe(7);
});

test("tables of relative positions of another length are interpolated linearly", async () => {
  const [name, depth] = ["image_encoder.blocks.1.attn.rel_pos_h", 6];
  const table = Float64Array.from(hashedTensor("test", name, [11, depth]));
  // PyTorch's linear interpolation, pixel centres: from 11 rows to the 7 that a map of 4 asks for.
  const rows = Array.from({ length: 7 }, (_, i) => {
    const at = Math.max(0, ((i + 0.5) * 11) / 7 - 0.5);
    const [low, share] = [Math.floor(at), at % 1];
    return Float64Array.from({ length: depth }, (_, c) => {
      const high = Math.min(low + 1, 10);
      return table[low * depth + c]! * (1 - share) + table[high * depth + c]! * share;
    });
  });
  const own = plainWeights(tinySam, "test");
  const lookup = (key: string) => (key === name ? Float64Array.from(flat(rows)) : own(key));
  const image = hashedImage("a", tinySam.imageSize);
  const plain = plainEncoder(tinySam, lookup, image);

  const graph = traceProgram(samModel(tinySam, { tableRows: new Map([[name, 11]]) }), "encode");
  const hashed = hashedWeights(tinySam, "test");
  const tensors = new Map(hashed.tensors);
  tensors.set(name, { dtype: "f32", shape: [11, depth], bytes: 4 * table.length });
  async function* chunks(key: string) {
    if (key === name) yield Float32Array.from(table);
    else yield* hashed.chunks(key);
  }
  const plan = compile(graph, { target: "reference" });
  const weights = { source: "test", tensors, chunks };
  const session = await createSession(plan, referenceDevice(), { weights });
  const { embedding } = await session.run({ image });
  expect(relativeError(embedding!, flat(turn(plain.output)))).toBeLessThan(tolerance);
});
