/**
 * `verify` takes any SAM: files written here from the plain SAM, of other sizes, with several objects
 * at once, without what other files have. On the strict reference device.
 */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { formatSamConfig } from "../../models/sam/config.ts";
import { hashedImage, hashedTensor, hashedWeights } from "../../models/sam/hashed.ts";
import { image, normalize, upsampleMasks } from "../../predict/vision/index.ts";
import { type TensorData, writeSafetensors } from "../../runtime/weights/index.ts";
import { randomNumbers } from "../../verify/ops/evaluate.ts";
import { verify } from "../../verify/verify.ts";
import { type PlainPrompts, plainDecoder, plainEncoder } from "../support/sam-plain.ts";
import { flat, oddSam, plainWeights, tinySam, turn } from "../support/sam-small.ts";
import { readAll, refusal } from "../support/weights-files.ts";

const folder = mkdtempSync(join(tmpdir(), "inarch-verify-sam-"));

const floats = (shape: readonly number[], values: ArrayLike<number>): TensorData => ({
  dtype: "f32",
  shape,
  data: new Uint8Array(Float32Array.from(values).buffer),
});

const whole = (shape: readonly number[], values: readonly number[]): TensorData => ({
  dtype: "i64",
  shape,
  data: new Uint8Array(BigInt64Array.from(values.map(BigInt)).buffer),
});

function write(
  name: string,
  tensors: Readonly<Record<string, TensorData>>,
  metadata: Readonly<Record<string, string>>,
): string {
  const path = join(folder, name);
  writeFileSync(path, writeSafetensors(new Map(Object.entries(tensors)), metadata));
  return path;
}

/** A hashed SAM with two objects, each of two clicks. */
function hashedFile(change: (tensors: Record<string, TensorData>) => void = () => {}): string {
  const at = plainWeights(tinySam, "seed");
  const pixels = hashedImage("seed", 32);
  const plain = plainEncoder(tinySam, at, pixels);
  const objects: PlainPrompts[] = [
    {
      points: [
        [3, 4],
        [20, 9],
      ],
      labels: [1, 0],
    },
    {
      points: [
        [30, 30],
        [8, 16],
      ],
      labels: [1, -1],
    },
  ];
  const decoded = objects.map((prompts) => plainDecoder(tinySam, at, plain.output, prompts));
  const qkv = "image_encoder.blocks.0.attn.qkv.weight";
  const weight = hashedTensor("seed", qkv, [36, 12]);
  const tensors = {
    [`check.${qkv}`]: floats(
      [2, 3],
      [0, 1, 2, 12, 13, 14].map((i) => weight[i]!),
    ),
    "check.image": floats(
      [2, 2],
      [0, 1, 32, 33].map((i) => pixels[i]!),
    ),
    "encoder.block.0.sample": floats([1, 1, 1, 12], plain.blocks[0]![0]!),
    "encoder.block.1.sample": floats([1, 1, 1, 12], plain.blocks[1]![0]!),
    "encoder.output": floats([1, 16, 4, 4], flat(turn(plain.output))),
    "prompt.points": floats(
      [2, 2, 2],
      objects.flatMap((o) => o.points.flat()),
    ),
    "prompt.point_labels": whole(
      [2, 2],
      objects.flatMap((o) => [...o.labels]),
    ),
    "points.multimask.low_res_logits": floats(
      [2, 3, 16, 16],
      decoded.flatMap((d) => flat(d.masks.slice(1))),
    ),
    "points.multimask.iou": floats(
      [2, 3],
      decoded.flatMap((d) => [...d.iou.subarray(1)]),
    ),
  };
  change(tensors);
  const config = JSON.stringify(formatSamConfig(tinySam));
  return write("hashed.safetensors", tensors, { kind: "sam_hashed", seed: "seed", config });
}

test("a hashed SAM of any configuration, several objects at once", async () => {
  const report = await verify({ files: [hashedFile()], device: "reference" });
  const [file] = report.files;
  expect(file!.checks.filter((check) => !check.passed)).toEqual([]);
  expect(file!.checks.map((check) => check.name)).toEqual([
    "check.image",
    "check.image_encoder.blocks.0.attn.qkv.weight",
    "encoder.block.0.sample",
    "encoder.block.1.sample",
    "encoder.output",
    "points.multimask.low_res_logits",
    "points.multimask.iou",
  ]);
  expect(file!.unread).toEqual([]);
});

test.each([
  ["another hash", "check.image"],
  ["another encoder", "encoder.block.1.sample"],
  ["another decoder", "points.multimask.iou"],
])("%s is noticed", async (_claim, name) => {
  const path = hashedFile((tensors) => {
    const { shape, data } = tensors[name]!;
    const values = new Float32Array(data.buffer.slice(0));
    values[values.length - 1]! += 0.05;
    tensors[name] = floats(shape, values);
  });
  const report = await verify({ files: [path], device: "reference" });
  const failed = report.files[0]!.checks.filter((check) => !check.passed);
  expect(failed.map((check) => check.name)).toEqual([name]);
});

test("a SAM of other sizes on two pictures higher than wide, with masks at their own size", async () => {
  const weights = hashedWeights(oddSam, "w");
  writeFileSync(
    join(folder, "odd-weights.safetensors"),
    writeSafetensors(await readAll(weights), {}),
  );
  const at = plainWeights(oddSam, "w");
  const [width, height] = [50, 84];
  const planes = Uint8Array.from(randomNumbers(2 * 3 * width * height, 5, [0, 255]));
  const area = width * height;
  const encoded = [0, 1].map((b) => {
    const bytes = Uint8Array.from({ length: 3 * area }, (_, i) => {
      return planes[(b * 3 + (i % 3)) * area + Math.floor(i / 3)]!;
    });
    return plainEncoder(oddSam, at, normalize(image(width, height, bytes), 84));
  });
  const box = [4, 5, 40, 60] as const;
  const mask = randomNumbers(28 * 28, 6, [-5, 5]);
  const prompts: PlainPrompts = { points: [], labels: [], box, mask };
  const plain = plainDecoder(oddSam, at, encoded[0]!.output, prompts);
  const low = Float32Array.from(plain.masks[0]!);
  const frame = {
    originalSize: { width: 33, height: 55 },
    inputSize: { width, height },
    modelSize: 84,
  };
  const path = write(
    "odd.safetensors",
    {
      image_rgb: { dtype: "u8", shape: [2, 3, height, width], data: planes },
      "encoder.block.2": floats(
        [2, 7, 7, 30],
        encoded.flatMap((e) => flat(e.blocks[2]!)),
      ),
      "encoder.output": floats(
        [2, 24, 7, 7],
        encoded.flatMap((e) => flat(turn(e.output))),
      ),
      "prompt.box": floats([1, 4], box),
      "prompt.mask": floats([1, 1, 28, 28], mask),
      "box_mask.dense": floats([1, 24, 7, 7], flat(turn(plain.dense))),
      "box_mask.single.low_res_logits": floats([1, 1, 28, 28], low),
      "box_mask.single.iou": floats([1, 1], [plain.iou[0]!]),
      "box_mask.single.full_res_logits": floats(
        [1, 1, 55, 33],
        upsampleMasks(low, [1, 28, 28], frame),
      ),
    },
    {
      kind: "sam",
      weights: "odd-weights.safetensors",
      config: JSON.stringify(formatSamConfig(oddSam)),
    },
  );
  const report = await verify({ files: [path], device: "reference" });
  const [file] = report.files;
  expect(file!.checks.filter((check) => !check.passed)).toEqual([]);
  expect(file!.checks.map((check) => check.name)).toEqual([
    "encoder.block.2",
    "encoder.output",
    "box_mask.dense",
    "box_mask.single.low_res_logits",
    "box_mask.single.iou",
    "box_mask.single.full_res_logits",
    "box_mask.single.masks",
  ]);
  expect(file!.unread).toEqual([]);
});

test.each<[string, string, (tensors: Record<string, TensorData>) => void]>([
  ["E361", "corner of no tensor", (t) => Object.assign(t, { "check.none": floats([1, 1], [0]) })],
  [
    "E361",
    "no mix of points, box, mask",
    (t) => Object.assign(t, { "circle.single.iou": floats([1, 1], [0]) }),
  ],
  [
    "E361",
    "has the label 4",
    (t) => Object.assign(t, { "prompt.point_labels": whole([2, 2], [1, 4, 0, 0]) }),
  ],
  ["E361", '"encoder.output"', (t) => Reflect.deleteProperty(t, "encoder.output")],
])("%s for a file with %s", async (code, words, change) => {
  const error = await refusal(() => verify({ files: [hashedFile(change)], device: "reference" }));
  expect(error.code).toBe(code);
  expect(error.message).toContain(words);
});

test("E230 names the published SAMs for another model", async () => {
  const path = write("other.safetensors", {}, { kind: "sam_hashed", seed: "s", model: "vit_s" });
  const error = await refusal(() => verify({ files: [path], device: "reference" }));
  expect(error.code).toBe("E230");
  expect(error.message).toContain("vit_b, vit_l, vit_h");
});
