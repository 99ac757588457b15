/** mSAM equals plain decoders in double precision, for any batch; its tensors; zero gradients. */
import { describe, expect, test } from "vitest";
import { defineAdapter } from "../../adapters/adapter.ts";
import { gradient } from "../../compiler/grad/backward.ts";
import { withDims } from "../../compiler/graph/sources.ts";
import { elements, type Tensor } from "../../compiler/graph/tensor.ts";
import { adapt, graphOf, Parameters, parametersOf, traceProgram } from "../../compiler/index.ts";
import { mSam, mSamTensors } from "../../models/msam.ts";
import { samPresets } from "../../models/sam/config.ts";
import { hashedImage } from "../../models/sam/hashed.ts";
import { full } from "../../ops/index.ts";
import { relativeError } from "../../verify/ops/evaluate.ts";
import { hashedLookup, plainResize, runHashed } from "../support/hashed-run.ts";
import { type Lookup, plainDecoder, plainEncoder, split } from "../support/sam-plain.ts";
import { tinySam } from "../support/sam-small.ts";
import { refusal } from "../support/weights-files.ts";

/** Sines and error functions are approximations of single precision, also in double. */
const tolerance = 1e-6;
const side = tinySam.imageSize;
const tasks = [
  { name: "semantic", channels: 2 },
  { name: "depth", channels: 1 },
];
const model = mSam(tinySam, { tasks });
const images = ["a", "b"].map((seed) => hashedImage(seed, side));

const at = hashedLookup(mSamTensors(tinySam, { tasks }));

/** One channel of a task: the decoder's first mask of the image with the channel's embedding. */
function plainChannel(image: Float32Array, task: number, row: number): number[] {
  const own: Lookup = (name) =>
    name === "prompt_encoder.no_mask_embed.weight"
      ? split(at(name), tinySam.outChans)[row]!
      : at(name.replace("mask_decoder.", `mask_decoder.${task}.`));
  const { output } = plainEncoder(tinySam, at, image);
  const { masks } = plainDecoder(tinySam, own, output, { points: [], labels: [] });
  const from = (4 * side) / tinySam.patchSize;
  return plainResize(masks[0]!, [from, from], [side, side]);
}

test("every task's channels equal the plain decoder's, for each image of a batch", async () => {
  const graph = traceProgram(model, "segment", { batch: 2 });
  expect(graph.outputs.map(({ name, tensor }) => [name, ...tensor.shape])).toEqual([
    ["semantic", 2, 2, side, side],
    ["depth", 2, 1, side, side],
  ]);
  const image = Float32Array.from(images.flatMap((one) => [...one]));
  const { semantic, depth } = await runHashed(graph, { image });
  const expected = (task: number, rows: readonly number[]) =>
    images.flatMap((one) => rows.flatMap((row) => plainChannel(one, task, row)));
  expect(relativeError(semantic!, expected(0, [0, 1]))).toBeLessThan(tolerance);
  expect(relativeError(depth!, expected(1, [2]))).toBeLessThan(tolerance);
});

test("a task alone is computed by its own decoder", async () => {
  const graph = traceProgram(model, "segment_depth");
  const { depth, depth_iou } = await runHashed(graph, { image: images[1]! });
  const expected = plainChannel(images[1]!, 1, 2);
  expect(relativeError(depth!, expected)).toBeLessThan(tolerance);
  expect(depth_iou!.length).toBe(1);
  expect(parametersOf(graph).filter(({ name }) => name.startsWith("mask_decoder.0."))).toEqual([]);
});

test("an image that does not fill the square is padded, its output cropped and resized", async () => {
  const frame = { image: [side, 20], output: [13, 11] } as const;
  const graph = traceProgram(mSam(tinySam, { tasks }, { frame }), "segment_depth");
  const square = images[0]!.map((value, i) => (i % side < 20 ? value : 0));
  const { depth } = await runHashed(graph, { image: square.filter((_, i) => i % side < 20) });
  const cropped = plainChannel(square, 1, 2).filter((_, i) => i % side < 20);
  const expected = plainResize(cropped, frame.image, frame.output);
  expect(relativeError(depth!, expected)).toBeLessThan(tolerance);
});

test("the encoder's places know the task that they compute for", () => {
  const seen: string[] = [];
  const adapter = defineAdapter({
    name: "watcher",
    linear(site, x, base) {
      seen.push(`${site.path} ${site.task}`);
      return base(x);
    },
  });
  const watched = adapt(model, adapter, { where: "image_encoder.blocks.0.attn.qkv" });
  seen.length = 0;
  traceProgram(watched, "segment");
  traceProgram(watched, "segment_depth");
  expect(seen).toEqual([0, 1, 1].map((task) => `image_encoder.blocks.0.attn.qkv ${task}`));
});

describe("tensors", () => {
  const { vit_l } = samPresets;
  const counted = { tasks: [13, 1, 3].map((channels, i) => ({ name: `t${i}`, channels })) };
  const count = (prefix: RegExp) =>
    mSamTensors(vit_l, counted)
      .filter(({ name }) => prefix.test(name))
      .reduce((sum, { shape }) => sum + elements(shape), 0);

  test("of ViT-L for NYUv2 are as many as published", () => {
    expect(count(/^mask_decoder\./)).toBe(12_175_020);
    expect(count(/no_mask_embed/)).toBe(4_352);
    // The published total, without the adapter and with the position matrix, which is no parameter.
    expect(count(/./)).toBe(323_707_928 - 3_244_320 + 256);
  });

  test("are read by the programs, but for points and mask prompts, and begin as SAM's own", () => {
    const found = new Map<string, string>();
    for (const program of Object.keys(model.programs))
      for (const { name, type, init } of parametersOf(traceProgram(model, program))) {
        found.set(name, `${name} ${type.shape}`);
        const own = name === "prompt_encoder.no_mask_embed.weight" || /^mask_decoder/.test(name);
        const from = name.replace(/^mask_decoder\.\d+/, "mask_decoder");
        expect(init, name).toEqual(own ? { kind: "copy", from } : undefined);
      }
    const unread = /point_embeddings|not_a_point|mask_downscaling/;
    const expected = mSamTensors(tinySam, { tasks })
      .filter(({ name }) => !unread.test(name))
      .map(({ name, shape }) => `${name} ${shape}`);
    expect([...found.values()].sort()).toEqual(expected.sort());
  });
});

test("gradients of masks that are sliced away are zero, not absent; those of no use are absent", async () => {
  const p = new Parameters();
  const outputs = withDims({ batch: 2 }, () => model.programs.segment_semantic!(p, { batch: 2 }));
  const { semantic } = outputs as { semantic: Tensor<"f32"> };
  const hidden = tinySam.outChans;
  const layer = (m: number) =>
    p.f32(`mask_decoder.0.output_hypernetworks_mlps.${m}.layers.2.bias`, [hidden / 8]);
  const quality = p.f32("mask_decoder.0.iou_prediction_head.layers.2.bias", [4]);
  const wrt = [layer(0), layer(1), layer(3), quality];
  const [first, second, last, none] = gradient([semantic], [full(1, semantic.shape)], wrt);
  expect(none).toBe(undefined);
  const graph = graphOf(
    Object.entries({ first, second, last }).map(([name, tensor]) => ({ name, tensor: tensor! })),
  );
  const image = Float32Array.from(images.flatMap((one) => [...one]));
  const found = await runHashed(graph, { image });
  expect(Math.hypot(...found.first!)).toBeGreaterThan(0.1);
  expect([...found.second!, ...found.last!]).toEqual(new Array(hidden / 4).fill(0));
});

test.each([
  ["E331", [], "an mSAM of no tasks computes nothing"],
  ["E331", [{ name: "depth", channels: 0 }], "the task depth has 0 channels"],
  ["E332", [{ name: "a b", channels: 1 }], 'task 0 is called "a b", which cannot name an output'],
  ["E332", [...tasks, tasks[0]!], 'tasks 0 and 2 are both called "semantic"'],
])("%s for %o", async (code, wrong, message) => {
  const error = await refusal(() => mSam(tinySam, { tasks: wrong }));
  expect(error).toMatchObject({ code, message: expect.stringContaining(message) });
});

test.each([
  [[40, 8], [8, 8], "an image of 40 x 8 does not fit the model's input of 32 x 32"],
  [[32, 8], [8, 0], "the frame's output is 8 x 0"],
] as const)("E333 for an image of %o and an output of %o", async (image, output, message) => {
  const error = await refusal(() => mSam(tinySam, { tasks }, { frame: { image, output } }));
  expect(error).toMatchObject({ code: "E333", message: expect.stringContaining(message) });
});
