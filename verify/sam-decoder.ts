/**
 * The prompt encoder and the mask decoder of a SAM against their reference, for every mix of prompts
 * that the file holds: `NAME.multimask.low_res_logits`, where NAME lists what was given.
 */
import { compileAsync, traceProgram } from "../compiler/index.ts";
import { type SamConfig, samModel } from "../models/index.ts";
import { decoderTokens } from "../predict/tokens.ts";
import {
  type Box,
  frameOf,
  type Label,
  type Point,
  type Size,
  threshold,
  upsampleMasks,
} from "../predict/vision/index.ts";
import { createSession, type Session } from "../runtime/session.ts";
import type { Weights } from "../runtime/weights/index.ts";
import { type Check, compare, compareMasks, joined, type Tolerance } from "./compare.ts";
import type { Setting } from "./kinds.ts";
import { garbled, type Reference } from "./reference.ts";

export interface DecoderSubject {
  readonly config: SamConfig;
  readonly weights: Weights;
  /** `[outChans, grid, grid]` of the image that the prompts are of. */
  readonly embedding: Float32Array;
  /** The part of the model's input that is not padding. */
  readonly inputSize: Size;
  readonly tolerance: Tolerance;
}

/** The least intersection over union of final masks. */
const leastOverlap = 0.999;

export async function* verifyDecoder(
  reference: Reference,
  setting: Setting,
  subject: DecoderSubject,
): AsyncIterable<Check> {
  const sessions = new Map<number, Session>();
  const open = async (tokens: number) => {
    const known = sessions.get(tokens);
    if (known) return known;
    const { config, weights } = subject;
    const { device, profile, onProgress, signal } = setting;
    const graph = traceProgram(samModel(config, { taps: "all" }), "decode", { tokens });
    const plan = await compileAsync(graph, {
      name: "decode",
      target: device.target,
      profile,
      signal,
    });
    const made = await createSession(plan, device, { weights, onProgress });
    sessions.set(tokens, made);
    return made;
  };
  const prompts = await readPrompts(reference, subject.config);
  for (const [i, mix] of mixesOf(reference).entries()) {
    const { count, words } = await readMix(reference, mix);
    const results: Results[] = [];
    for (let object = 0; object < count; object++)
      results.push(await runDecoder(open, subject, promptsOf(prompts, words, object)));
    if (i === 0 && reference.has("prompt.dense_pe")) {
      const { data } = await reference.read("prompt.dense_pe");
      yield compare("prompt.dense_pe", results[0]!.dense_pe, data, subject.tolerance);
    }
    yield* compareMix(reference, subject, mix, results);
  }
  for (const session of sessions.values()) session.close();
}

/** The names before the first dot of what the decoder returned. */
const mixesOf = (reference: Reference): string[] => [
  ...new Set(
    reference.names.flatMap((name) => {
      const match = /^(.+)\.(?:multimask|single)\.(?:low_res_logits|iou)$/.exec(name);
      return match ? [match[1]!] : [];
    }),
  ),
];

/** What a mix consists of, and for how many objects at once it was asked. */
async function readMix(reference: Reference, mix: string) {
  const words = mix === "none" ? [] : mix.split("_");
  const unknown = words.filter((word) => !["points", "box", "mask"].includes(word));
  if (unknown.length > 0)
    throw garbled(reference.path, `"${mix}" is no mix of points, box, mask, and not none`);
  const kind = reference.has(`${mix}.multimask.iou`) ? "multimask" : "single";
  const { shape } = await reference.read(`${mix}.${kind}.iou`, 2);
  return { count: shape[0]!, words: new Set(words) };
}

/** All prompts of the file, in pixels of the model's input; the first index counts objects. */
interface AllPrompts {
  readonly points: readonly (readonly Point[])[];
  readonly labels: readonly (readonly Label[])[];
  readonly boxes: readonly Box[];
  readonly masks: readonly Float32Array<ArrayBuffer>[];
}

async function readPrompts(reference: Reference, config: SamConfig): Promise<AllPrompts> {
  const rows = async (name: string, width: number) => {
    if (!reference.has(name)) return [];
    const { data } = await reference.read(name);
    return Array.from({ length: data.length / width }, (_, i) =>
      data.slice(i * width, (i + 1) * width),
    );
  };
  const tokens = reference.has("prompt.points")
    ? (await reference.read("prompt.points", 3)).shape[1]!
    : 1;
  const side = (4 * config.imageSize) / config.patchSize;
  const points = await rows("prompt.points", 2 * tokens);
  const labels = await rows("prompt.point_labels", tokens);
  const odd = labels.flatMap((list) => [...list]).find((label) => ![-1, 0, 1].includes(label));
  if (odd !== undefined) throw garbled(reference.path, `a point has the label ${odd}`);
  return {
    points: points.map((list) =>
      Array.from({ length: tokens }, (_, i): Point => [list[2 * i]!, list[2 * i + 1]!]),
    ),
    labels: labels.map((list) => [...list] as Label[]),
    boxes: (await rows("prompt.box", 4)).map((box) => [...box] as unknown as Box),
    masks: await rows("prompt.mask", side * side),
  };
}

interface OnePrompt {
  readonly points: readonly Point[];
  readonly labels: readonly Label[];
  readonly box?: Box | undefined;
  readonly mask?: Float32Array<ArrayBuffer> | undefined;
}

/** The prompts of one object, as far as the mix has them; what there is one of is for all. */
function promptsOf(all: AllPrompts, words: ReadonlySet<string>, index: number): OnePrompt {
  const pick = <T>(list: readonly T[]) => list[Math.min(index, list.length - 1)];
  return {
    points: words.has("points") ? (pick(all.points) ?? []) : [],
    labels: words.has("points") ? (pick(all.labels) ?? []) : [],
    box: words.has("box") ? pick(all.boxes) : undefined,
    mask: words.has("mask") ? pick(all.masks) : undefined,
  };
}

interface Results {
  readonly logits: Float32Array;
  readonly iou: Float32Array;
  readonly sparse: Float32Array;
  readonly dense: Float32Array;
  readonly dense_pe: Float32Array;
}

async function runDecoder(
  open: (tokens: number) => Promise<Session>,
  { config, embedding }: DecoderSubject,
  { mask, ...prompts }: OnePrompt,
): Promise<Results> {
  const { imageSize, patchSize, outChans } = config;
  // Positions are the model's own already: its input is its own picture.
  const frame = frameOf({ width: imageSize, height: imageSize }, imageSize);
  const { points, labels, count, bucket } = decoderTokens(prompts, frame);
  const session = await open(bucket);
  const side = (4 * imageSize) / patchSize;
  const results = await session.run({
    embedding: Float32Array.from(embedding),
    points,
    labels,
    count: [count],
    mask: mask ?? new Float32Array(side * side),
    has_mask: [mask ? 1 : 0],
  });
  const floats = (name: string) => Float32Array.from(results[name]!);
  return {
    logits: floats("low_res_logits"),
    iou: floats("iou"),
    sparse: floats("sparse").slice(0, count * outChans),
    dense: floats("dense"),
    dense_pe: floats("dense_pe"),
  };
}

async function* compareMix(
  reference: Reference,
  subject: DecoderSubject,
  mix: string,
  results: readonly Results[],
): AsyncIterable<Check> {
  const { config, tolerance } = subject;
  const side = (4 * config.imageSize) / config.patchSize;
  const masks = config.numMultimaskOutputs + 1;
  const line = async (name: string, mine: readonly Float32Array[]) =>
    compare(name, joined(mine), (await reference.read(name)).data, tolerance);
  for (const name of ["sparse", "dense"] as const)
    if (reference.has(`${mix}.${name}`))
      yield line(
        `${mix}.${name}`,
        results.map((r) => r[name]),
      );
  for (const [kind, from, to] of [
    ["multimask", 1, masks],
    ["single", 0, 1],
  ] as const) {
    const logits = results.map((r) => r.logits.subarray(from * side * side, to * side * side));
    const iou = results.map((r) => r.iou.subarray(from, to));
    const name = `${mix}.${kind}`;
    if (reference.has(`${name}.low_res_logits`)) yield line(`${name}.low_res_logits`, logits);
    if (reference.has(`${name}.iou`)) yield line(`${name}.iou`, iou);
    if (reference.has(`${name}.full_res_logits`))
      yield* compareFull(reference, subject, name, logits);
  }
}

/** The masks at the size of the picture, as logits and as what is inside. */
async function* compareFull(
  reference: Reference,
  { config, inputSize, tolerance }: DecoderSubject,
  name: string,
  logits: readonly Float32Array[],
): AsyncIterable<Check> {
  const side = (4 * config.imageSize) / config.patchSize;
  const full = await reference.read(`${name}.full_res_logits`, 4);
  const [objects, masks, height, width] = full.shape as [number, number, number, number];
  if (objects !== logits.length)
    throw garbled(reference.path, `${name}.full_res_logits has ${objects} objects`);
  const frame = { originalSize: { width, height }, inputSize, modelSize: config.imageSize };
  const mine = logits.map((l) => upsampleMasks(l, [masks, side, side], frame));
  yield compare(`${name}.full_res_logits`, joined(mine), full.data, tolerance);
  const split = (values: Float32Array) =>
    Array.from({ length: values.length / (width * height) }, (_, i) =>
      threshold(values.subarray(i * width * height, (i + 1) * width * height)),
    );
  yield compareMasks(`${name}.masks`, mine.flatMap(split), split(full.data), leastOverlap);
}
