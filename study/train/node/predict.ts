/** Masks of pictures, by the adapter that a run has kept. */
import { mkdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { compileAsync, deviceProfile, traceProgram } from "../../../compiler/index.ts";
import { diagnose } from "../../../diagnostics/index.ts";
import { inferSamConfig, withMetaNames } from "../../../models/index.ts";
import { readSamConfig } from "../../../models/node/config.ts";
import { readImage, writeLevels, writePng } from "../../../predict/node/image.ts";
import type { Image, Size } from "../../../predict/vision/image.ts";
import { upsampleMasks } from "../../../predict/vision/postprocess.ts";
import { longestSideSize } from "../../../predict/vision/resize.ts";
import type { Progress } from "../../../runtime/devices/device.ts";
import { createSession } from "../../../runtime/index.ts";
import { type DeviceKind, withDevice } from "../../../runtime/node/device.ts";
import { makeFolder } from "../../../runtime/node/files.ts";
import { deviceWords } from "../../../runtime/node/opened.ts";
import { openWeightsFile } from "../../../runtime/node/weights.ts";
import { batchesOf, normalizedImages } from "../../data/batch.ts";
import { filesIn, isPicture, stemOf } from "../../data/node/files.ts";
import type { Fit } from "../../data/view.ts";
import { taskFor } from "../model.ts";
import { readRun } from "./run-folder.ts";

export interface PredictRequest {
  /** Files and folders of pictures. */
  readonly pictures: readonly string[];
  /** A run's folder: its settings, classes and adapter are used. */
  readonly run: string;
  /** The checkpoint that the run was trained on. */
  readonly weights: string;
  /** A file with its configuration; the shapes of the weights tell it unless given. */
  readonly config?: string | undefined;
  /** The folder for the masks; it is made if need be. */
  readonly out: string;
  /** As `openDevice` chooses unless given. */
  readonly device?: DeviceKind | undefined;
  readonly onProgress?: Progress | undefined;
  readonly onPhase?: ((words: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PredictReport {
  readonly folder: string;
  readonly device: string;
  readonly classes: readonly string[];
  readonly masks: readonly {
    readonly picture: string;
    readonly file: string;
    /** Pixels of each class. */
    readonly pixels: Readonly<Record<string, number>>;
  }[];
}

/**
 * Writes a PNG for each picture, of its size and named as it is: white inside for a run of masks, the class's number
 * as a grey level for one of classes.
 * @throws E1103 for a folder that is no run's, E1105 for pictures whose masks would have one name, E300 to E307 for
 * pictures, E2xx for weights, E431 for those that the run was not trained on, E4xx for the device.
 */
export async function predict(request: PredictRequest): Promise<PredictReport> {
  const { run, out, onPhase = () => {}, onProgress, signal } = request;
  const { settings, classes } = await readRun(run);
  const pictures = await picturesOf(request.pictures);
  const weights = withMetaNames(await openWeightsFile(request.weights));
  const adapter = await openWeightsFile(join(run, "adapter.safetensors"));
  try {
    const { config: given } = request;
    const config = given === undefined ? inferSamConfig(weights) : await readSamConfig(given);
    const { method, methodSettings, fit } = settings;
    const task = taskFor(config, { method, settings: methodSettings, classes });
    return await withDevice({ kind: request.device }, async (opened) => {
      const { device } = opened;
      onPhase(`on ${deviceWords(opened)}`);
      const plan = await compileAsync(traceProgram(task.model, "segment", { batch: 1 }), {
        ...{ target: device.target, profile: deviceProfile(device.capabilities), signal },
      });
      const session = await createSession(plan, device, { weights, adapter });
      await makeFolder(out);
      const masks = [];
      for (const [done, { path, name }] of pictures.entries()) {
        signal?.throwIfAborted();
        const picture = await readImage(path);
        const image = await inputOf(picture, config.imageSize, fit);
        const { logits } = await session.run({ image });
        const labels = labelsOf(logits as Float32Array, picture, { side: config.imageSize, fit });
        const file = `${name}.png`;
        await mkdir(dirname(join(out, file)), { recursive: true });
        const { width, height } = picture;
        const write = task.kind === "mask" ? writePng : writeLevels;
        await write(join(out, file), { width, height, data: labels });
        const pixels = classes.map((of, i) => [of, labels.filter((v) => v === i).length] as const);
        masks.push({ picture: path, file, pixels: Object.fromEntries(pixels) });
        onProgress?.(done + 1, pictures.length, "pictures");
      }
      await session.close();
      return { folder: out, device: device.name, classes, masks };
    });
  } finally {
    await adapter.close();
    await weights.close();
  }
}

/** Files as they are, and those of folders; names are those of their masks, without an ending. */
async function picturesOf(given: readonly string[]) {
  const found: { readonly path: string; readonly name: string }[] = [];
  for (const path of given) {
    const isFolder = await stat(path).then(
      (entry) => entry.isDirectory(),
      () => false,
    );
    if (!isFolder) found.push({ path, name: stemOf(basename(path)) });
    else
      for (const file of (await filesIn(path)).filter(isPicture))
        found.push({ path: join(path, file), name: stemOf(file) });
  }
  const names = new Map<string, string>();
  for (const { path, name } of found) {
    const other = names.get(name);
    if (other !== undefined)
      throw diagnose("E1105", {
        message: `the masks of ${other} and of ${path} would both be ${name}.png`,
        help: "give them in two calls, with two folders for the masks",
      });
    names.set(name, path);
  }
  return found;
}

/** The model's input, as training sees a picture without augmentation. */
async function inputOf(picture: Image, side: number, fit: Fit) {
  const samples = { size: 1, tasks: {}, read: async () => ({ image: picture, targets: {} }) };
  const batches = batchesOf(samples, { side, fit, order: "plain" });
  return normalizedImages(await batches.take({ step: 0, batch: 1 }));
}

/** Of logits `[channels, side, side]` the class of each pixel of the picture: the largest, or 1 above 0. */
function labelsOf(
  logits: Float32Array,
  { width, height }: Size,
  { side, fit }: { readonly side: number; readonly fit: Fit },
): Uint8Array<ArrayBuffer> {
  const originalSize = { width, height };
  const inputSize =
    fit === "square" ? { width: side, height: side } : longestSideSize(originalSize, side);
  const channels = logits.length / side ** 2;
  const maps = upsampleMasks(logits, [channels, side, side], {
    ...{ originalSize, inputSize, modelSize: side },
  });
  const pixels = width * height;
  const labels = new Uint8Array(pixels);
  for (let i = 0; i < pixels; i++)
    if (channels === 1) labels[i] = Number(maps[i]! > 0);
    else
      for (let c = 1; c < channels; c++)
        if (maps[c * pixels + i]! > maps[labels[i]! * pixels + i]!) labels[i] = c;
  return labels;
}
