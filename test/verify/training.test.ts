/**
 * `verify` of whole runs of training: a published one on a device, and runs of other sizes, ranks,
 * counts and steps, written here, on the strict reference device.
 */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { adapt, input } from "../../compiler/index.ts";
import { convLora, decoderOnly, layerNormTuning, taLora } from "../../entries/adapters.ts";
import { mSam } from "../../models/msam.ts";
import { formatSamConfig, type SamConfig } from "../../models/sam/config.ts";
import { semanticSam } from "../../models/semantic-sam.ts";
import { mul } from "../../ops/index.ts";
import { normalize } from "../../predict/vision/index.ts";
import { type TensorData, writeSafetensors } from "../../runtime/weights/index.ts";
import { adamW, crossEntropy, l1Depth, sgd, structureLoss } from "../../training/index.ts";
import { randomNumbers } from "../../verify/ops/evaluate.ts";
import { verify } from "../../verify/verify.ts";
import { deviceTest } from "../support/device.ts";
import { floats, writeRun } from "../support/training-file.ts";
import { fixturePath, refusal } from "../support/weights-files.ts";

const folder = mkdtempSync(join(tmpdir(), "inarch-verify-training-"));

/**
 * Small, with both kinds of blocks, and windows that reach beyond the map. The decoder's last norm is over
 * a quarter of the channels: over two of them its gradient would be rounding alone.
 */
const config: SamConfig = {
  imageSize: 8,
  patchSize: 4,
  embedDim: 4,
  depth: 2,
  numHeads: 2,
  mlpRatio: 1,
  globalAttnIndexes: [0],
  windowSize: 3,
  outChans: 16,
  maskInChans: 4,
  decoderDepth: 1,
  decoderMlpDim: 4,
  decoderNumHeads: 2,
  iouHeadHiddenDim: 4,
  iouHeadDepth: 2,
  numMultimaskOutputs: 1,
};
const flat: SamConfig = { ...config, depth: 1 };
const side = config.imageSize;
const qkv = "image_encoder.blocks.*.attn.qkv";

interface RunFile {
  readonly tensors: Map<string, TensorData>;
  readonly metadata: Readonly<Record<string, string>>;
}

let files = 0;

/** Verifies a copy of a file with some of it changed: what failed, and what nobody looked at. */
async function failures(file: RunFile, change: (file: RunFile) => void = () => {}) {
  const copy = { tensors: new Map(file.tensors), metadata: { ...file.metadata } };
  change(copy);
  const path = join(folder, `run-${files++}.safetensors`);
  writeFileSync(path, writeSafetensors(copy.tensors, copy.metadata));
  const report = await verify({ files: [path], device: "reference" });
  const { checks, unread } = report.files[0]!;
  const failed = checks.filter((check) => !check.passed).map((check) => check.name);
  return { failed, unread, count: checks.length };
}

/** Adds a tenth of its norm to one element. */
function disturb({ tensors }: RunFile, name: string): void {
  const { shape, data } = tensors.get(name)!;
  const values = new Float32Array(data.slice().buffer);
  values[0]! += 0.1 * Math.hypot(...values) + 1e-3;
  tensors.set(name, floats(values, shape));
}

const written = {
  convLora: () => convLoraRun({ rank: 2, experts: 3, batch: 1, steps: 2 }),
  taLora: () => taLoraRun([2, 3, 1], 1),
};

async function convLoraRun(size: { rank: number; experts: number; batch: number; steps: number }) {
  const { rank, experts, batch, steps } = size;
  const semantic = adapt(semanticSam(config, { classes: 1 }), decoderOnly());
  const tensors = await writeRun({
    model: adapt(semantic, convLora({ rank, alpha: 4, experts }), { where: qkv }),
    options: {
      dims: { batch },
      loss: ({ logits }) => ({
        structure: structureLoss(logits!, input("target", "f32", [batch, 1, side, side])),
      }),
      optimiser: adamW({ decay: 0.1, betas: [0.8, 0.9], epsilon: 1e-6 }),
      clip: 0.05,
    },
    steps,
    rate: (step) => 0.01 * (1 - step / steps) ** 2,
    inputs(step) {
      const bytes = Uint8Array.from(randomNumbers(side * side * 3, 50 + step, [0, 255]));
      const target = randomNumbers(side * side, 90 + step, [0, 1]).map((v) => Number(v > 0.5));
      const picture = { width: side, height: side, channels: 3 as const, data: bytes };
      const planes = bytes.map((_, i) => bytes[(i % side ** 2) * 3 + Math.floor(i / side ** 2)]!);
      return {
        inputs: { image: Float32Array.from(normalize(picture, side)), target },
        tensors: {
          image: { dtype: "u8", shape: [1, 3, side, side], data: planes },
          target: { dtype: "u8", shape: [1, 1, side, side], data: Uint8Array.from(target) },
        },
      };
    },
    records: (reports) => ({
      loss: floats(
        reports.map((r) => r.terms.structure!),
        [steps],
      ),
      moe_loss: floats(
        reports.map((r) => r.terms.moe_loss!),
        [steps],
      ),
      grad_norm: floats(
        reports.map((r) => r.norm),
        [steps],
      ),
    }),
  });
  const metadata = {
    kind: "train_sam_conv_lora",
    config: JSON.stringify(formatSamConfig(config)),
    rank: `${rank}`,
    alpha: "4",
    experts: `${experts}`,
    batch: `${batch}`,
    steps: `${steps}`,
    lr: "0.01",
    lr_schedule: '{"kind": "polynomial", "power": 2}',
    weight_decay: "0.1",
    betas: "[0.8, 0.9]",
    eps: "1e-06",
    clip_grad_norm: "0.05",
  };
  return { tensors, metadata };
}

async function taLoraRun(ranks: readonly [number, number, number], steps: number) {
  const tasks = [
    { name: "parts", channels: 2 },
    { name: "distance", channels: 1 },
  ];
  const frame = { image: [6, 8], output: [3, 4] } as const;
  const model = mSam(flat, { tasks }, { frame });
  const adapter = taLora({ tasks: 2, ranks, scale: 2, dropout: 0, orthogonality: 0.25 });
  const train = ["prompt_encoder.no_mask_embed.weight"];
  const tuned = adapt(adapt(model, adapter, { where: qkv, train }), layerNormTuning());
  const tensors = await writeRun({
    model: adapt(tuned, decoderOnly()),
    options: {
      loss: ({ parts, distance }) => ({
        parts: mul(crossEntropy(parts!, input("parts", "i32", [1, 3, 4])), 0.75),
        distance: mul(l1Depth(distance!, input("distance", "f32", [1, 1, 3, 4])), 0.25),
      }),
      optimiser: sgd({ momentum: 0.5, decay: 0.01 }),
    },
    steps,
    rate: () => 0.5,
    predict: "segment",
    inputs(step) {
      const image = randomNumbers(3 * 6 * 8, 10 + step).map(Math.fround);
      const parts = randomNumbers(12, 20 + step, [-1, 2]).map(Math.floor);
      const distance = randomNumbers(12, 30 + step, [0, 3]).map(Math.fround);
      return {
        inputs: { image, parts, distance },
        tensors: {
          image: floats(image, [1, 3, 6, 8]),
          parts: { ...floats(parts, [1, 3, 4]) },
          distance: floats(distance, [1, 1, 3, 4]),
        },
      };
    },
    records: (reports) => ({
      losses: floats(
        reports.flatMap(({ terms }) => [
          terms.orthogonal_reg! / 0.25,
          terms.distance! / 0.25,
          terms.parts! / 0.75,
        ]),
        [steps, 3],
      ),
    }),
  });
  const metadata = {
    kind: "train_msam_ta_lora",
    config: JSON.stringify(formatSamConfig(flat)),
    ranks: JSON.stringify(ranks),
    tasks: JSON.stringify(tasks),
    task_weights: "[0.75, 0.25]",
    loss_columns: '["orthogonal_reg", "distance", "parts"]',
    orthogonal_lambda: "0.25",
    scaling: "2",
    dropout: "0",
    steps: `${steps}`,
    optimizer: "sgd",
    momentum: "0.5",
    lr: "0.5",
    weight_decay: "0.01",
  };
  return { tensors, metadata };
}

describe("Conv-LoRA on SAM", () => {
  let file: RunFile;
  beforeAll(async () => {
    file = await written.convLora();
  });

  test("a run of other ranks and counts passes but for the numbers that are wrong", async () => {
    const place = "image_encoder.blocks.0.attn.qkv";
    const experts = [0, 1, 2].map((i) => `${place}.lora_moe_experts.${i}.0.bias`);
    const idle = experts.find((name) => !file.tensors.has(`grad0.${name}`))!;
    const norm = "mask_decoder.transformer.norm_final_attn";
    const { failed, unread, count } = await failures(file, (copy) => {
      // Where one expert was chosen, another was too.
      copy.tensors.set(`grad0.${idle}`, floats([1, 1], [2]));
      disturb(copy, `grad0.${place}.lora_A`);
      copy.tensors.delete(`grad0.${norm}.bias`);
      disturb(copy, "moe_loss");
      disturb(copy, "grad_norm");
      disturb(copy, `final.${norm}.weight`);
      copy.tensors.delete(`final.${norm}.bias`);
    });
    expect(failed).toEqual([
      `routing at step 0, ${place}`,
      `grad0.${place}.lora_A`,
      `grad0.${idle}`,
      `grad0.${norm}.bias`,
      "moe_loss",
      "grad_norm",
      `final.${norm}.weight`,
      `final.${norm}.bias`,
    ]);
    expect(unread).toEqual([]);
    expect(count).toBeGreaterThan(100);
  });

  test.each<[code: string, words: string, change: (file: RunFile) => void]>([
    ["E361", '"rank" is no number', having({ rank: "three" })],
    ["E361", 'is not a list of 2 numbers: "0.9"', having({ betas: '"0.9"' })],
    ["E361", "has 0 steps", having({ steps: "0" })],
    ["E361", 'optimizer is "lion"', having({ optimizer: "lion" })],
    ["E361", 'says no "kind"', having({ lr_schedule: "{}" })],
    ["E721", "sawtooth", having({ lr_schedule: '{"kind": "sawtooth"}' })],
    ["E230", "depth is missing", having({ config: "{}" })],
    [
      "E361",
      "step.0.target is [1, 1, 4, 16]",
      ({ tensors }) => {
        tensors.set("step.0.target", floats(new Float32Array(64), [1, 1, 4, 16]));
      },
    ],
    [
      "E361",
      'no tensor "init.PLACE.lora_A"',
      ({ tensors }) => {
        for (const name of [...tensors.keys()]) if (name.includes("lora_A")) tensors.delete(name);
      },
    ],
    [
      "E361",
      "init.mask_decoder.iou_token.weight is [8], but",
      ({ tensors }) => {
        tensors.set("init.mask_decoder.iou_token.weight", floats(new Float32Array(8), [8]));
      },
    ],
    [
      "E361",
      "step.0.gate_noise.0 is [4, 1], but",
      ({ tensors }) => {
        tensors.set("step.0.gate_noise.0", floats(new Float32Array(4), [4, 1]));
      },
    ],
  ])("%s for a file that cannot be checked: %s", async (code, words, change) => {
    const error = await refusal(() => failures(file, change));
    expect(error.message).toContain(words);
    expect(error.code).toBe(code);
  });
});

function having(metadata: Readonly<Record<string, string>>) {
  return (file: RunFile) => {
    Object.assign(file.metadata, metadata);
  };
}

describe("TA-LoRA on mSAM", () => {
  let file: RunFile;
  beforeAll(async () => {
    file = await written.taLora();
  });

  test("a run of other tasks and frames passes but for the numbers that are wrong", async () => {
    const head = "mask_decoder.1.iou_prediction_head.layers.0.weight";
    const token = "mask_decoder.1.mask_tokens.weight";
    const { failed, unread, count } = await failures(file, (copy) => {
      // No loss reaches the first: it stayed as it was. The second was trained.
      copy.tensors.set(`final.${head}`, copy.tensors.get(`init.${head}`)!);
      copy.tensors.set(`final.${token}`, copy.tensors.get(`init.${token}`)!);
      disturb(copy, "step.0.prediction.distance");
      disturb(copy, "losses");
    });
    expect(failed).toEqual([
      "step.0.prediction.distance",
      "losses, orthogonal_reg",
      `final.${token}`,
    ]);
    expect(unread).toEqual([]);
    expect(count).toBeGreaterThan(100);
  });

  test.each<[code: string, words: string, change: (file: RunFile) => void]>([
    ["E361", "no list of tasks", having({ tasks: "{}" })],
    ["E361", "task 0 of its metadata has no name", having({ tasks: "[1, 2]" })],
    ["E361", '"task_weights" is not a list of 2 numbers', having({ task_weights: "[1]" })],
    ["E361", "3 columns", having({ loss_columns: '["parts"]' })],
    ["E361", '"edges" of its losses', having({ loss_columns: '["parts", "distance", "edges"]' })],
    ["E361", "made with dropout 0.1", having({ dropout: "0.1" })],
    [
      "E361",
      "step.0.distance, of 1 channels, is [1, 1, 3, 8]",
      ({ tensors }) => {
        tensors.set("step.0.distance", floats(new Float32Array(24), [1, 1, 3, 8]));
      },
    ],
  ])("%s for a file that cannot be checked: %s", async (code, words, change) => {
    const error = await refusal(() => failures(file, change));
    expect(error.message).toContain(words);
    expect(error.code).toBe(code);
  });
});

deviceTest("the published run of LoRA passes on the device", async () => {
  const path = fixturePath("train_lora.safetensors");
  const report = await verify({ files: [path], device: "webgpu" });
  const [{ checks, unread }] = report.files as [(typeof report.files)[0]];
  expect(checks.filter((check) => !check.passed)).toEqual([]);
  expect(checks.length).toBe(197);
  expect(unread).toEqual([]);
});
