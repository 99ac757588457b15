/**
 * Checks of a whole SAM, kinds `sam` and `sam_hashed`: pre-processing, what leaves each block of the
 * encoder, the prompt encoder, the decoder, and the final masks.
 */
import { basename, dirname, join } from "node:path";
import { diagnose, InarchError } from "../diagnostics/index.ts";
import {
  checkSamWeights,
  hashedImage,
  hashedTensor,
  hashedWeights,
  inferSamConfig,
  parseSamConfig,
  type SamConfig,
  samPreset,
  samTensors,
  withMetaNames,
} from "../models/index.ts";
import { type Image, normalize, resizeLongestSide } from "../predict/vision/index.ts";
import { openWeightsFile } from "../runtime/node/weights.ts";
import { type Check, compare, compareBytes, joined, type Tolerance } from "./compare.ts";
import type { Setting } from "./kinds.ts";
import { garbled, type Reference } from "./reference.ts";
import { verifyDecoder } from "./sam-decoder.ts";
import { compareEncoder, type EncoderSubject, runEncoder } from "./sam-encoder.ts";

/** A SAM with weights in a file beside the reference, on images from pixels on. */
export async function* verifySamFile(reference: Reference, setting: Setting): AsyncIterable<Check> {
  const { path, metadata } = reference;
  const file = reference.fact("weights");
  if (file !== basename(file))
    throw garbled(path, `its weights "${file}" are not a file beside it`);
  const weights = await openWeightsFile(join(dirname(path), file)).catch((cause: unknown) => {
    if (!(cause instanceof InarchError) || cause.code !== "E200") throw cause;
    throw diagnose("E200", {
      message: `the weights "${file}" that ${basename(path)} names are not beside it`,
      where: path,
      help: `put ${file} into the folder of ${basename(path)}`,
      cause,
    });
  });
  try {
    const config =
      metadata.config === undefined
        ? inferSamConfig(weights)
        : parseSamConfig(metadata.config, `${path}, config`);
    checkSamWeights(config, weights);
    const { image, inputSize, checks } = await prepareImages(reference, config);
    yield* checks;
    const subject = { config, weights: withMetaNames(weights), image, tolerance: forward };
    yield* verifyModel(reference, setting, subject, inputSize);
  } finally {
    await weights.close();
  }
}

/** A published SAM, or one of a given configuration, with weights and image hashed from a seed. */
export async function* verifySamHashed(
  reference: Reference,
  setting: Setting,
): AsyncIterable<Check> {
  const { metadata, path } = reference;
  const config =
    metadata.config === undefined
      ? samPreset(reference.fact("model"))
      : parseSamConfig(metadata.config, `${path}, config`);
  const seed = reference.fact("seed");
  const image = hashedImage(seed, config.imageSize);
  yield* checkHashes(reference, config, seed, image);
  const weights = hashedWeights(config, seed);
  const subject = { config, weights, image, tolerance: hashed };
  const inputSize = { width: config.imageSize, height: config.imageSize };
  yield* verifyModel(reference, setting, subject, inputSize);
}

const forward: Tolerance = { relative: 1e-4 };
/** The published numbers are single precision too, and a full-size model sums over more of them. */
const hashed: Tolerance = { relative: 1e-3 };

async function* verifyModel(
  reference: Reference,
  setting: Setting,
  subject: EncoderSubject,
  inputSize: { readonly width: number; readonly height: number },
): AsyncIterable<Check> {
  const { config } = subject;
  const grid = config.imageSize / config.patchSize;
  const outputs = await runEncoder(setting, subject);
  yield* compareEncoder(reference, subject, outputs);
  // Prompts are of the first image.
  const embedding = outputs.get("embedding")!.subarray(0, config.outChans * grid * grid);
  yield* verifyDecoder(reference, setting, { ...subject, embedding, inputSize });
}

/** Corners of a weight and of the image, `check.NAME`: the same bits, if the rule is the same. */
async function* checkHashes(
  reference: Reference,
  config: SamConfig,
  seed: string,
  image: Float32Array,
): AsyncIterable<Check> {
  const shapes = new Map(samTensors(config).map(({ name, shape }) => [name, shape]));
  for (const name of reference.names.filter((n) => n.startsWith("check."))) {
    const of = name.slice("check.".length);
    const shape = of === "image" ? [config.imageSize, config.imageSize] : shapes.get(of);
    if (!shape) throw garbled(reference.path, `${name} is a corner of no tensor of this SAM`);
    const corner = await reference.read(name, 2);
    const values = of === "image" ? image : hashedTensor(seed, of, shape);
    const [rows, columns] = corner.shape as [number, number];
    const width = shape.at(-1)!;
    const mine = Array.from({ length: rows * columns }, (_, i) => {
      return values[Math.floor(i / columns) * width + (i % columns)]!;
    });
    yield compare(name, mine, corner.data, { relative: 1e-7 });
  }
}

/** The encoder's input, from the pixels if the file has them, with the lines about the way there. */
async function prepareImages(reference: Reference, { imageSize }: SamConfig) {
  const checks: Check[] = [];
  if (!reference.has("image_rgb")) {
    const { data } = await reference.read("image_normalized", 4);
    const inputSize = { width: imageSize, height: imageSize };
    return { image: data, inputSize, checks };
  }
  const pictures = await readPictures(reference, "image_rgb");
  const { width, height } = pictures[0]!;
  const image = joined(pictures.map((picture) => normalize(picture, imageSize)));
  if (reference.has("original_rgb")) {
    const originals = await readPictures(reference, "original_rgb");
    const resized = originals.map((picture) => resizeLongestSide(picture, imageSize));
    const [mine, theirs] = [resized, pictures].map((list) => joined(list.map((p) => p.data)));
    // Resizers round differently: a grey level or two is no fault.
    checks.push(compareBytes("image_rgb (resized)", mine!, theirs!, 2));
  }
  if (reference.has("image_normalized")) {
    const { data } = await reference.read("image_normalized", 4);
    checks.push(compare("image_normalized", image, data, { relative: 1e-6 }));
  }
  return { image, inputSize: { width, height }, checks };
}

/** Bytes `[batch, 3, height, width]` as pictures. */
export async function readPictures(reference: Reference, name: string): Promise<Image[]> {
  const { shape, data } = await reference.read(name, 4);
  const [batch, channels, height, width] = shape as [number, number, number, number];
  if (channels !== 3) throw garbled(reference.path, `${name} has ${channels} channels, not 3`);
  const area = width * height;
  return Array.from({ length: batch }, (_, b) => {
    const bytes = new Uint8Array(3 * area);
    for (let i = 0; i < bytes.length; i++)
      bytes[i] = data[(b * 3 + (i % 3)) * area + Math.floor(i / 3)]!;
    return { width, height, channels: 3, data: bytes };
  });
}
