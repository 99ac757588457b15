/**
 * Segments a picture from files to files: masks as pictures for people, and scores and logits for
 * programs and for the next call.
 */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { readImage, readMaskFile, writeLogits, writePng } from "../../predict/node/image.ts";
import type { Prediction, PredictOptions } from "../../predict/sam.ts";
import {
  type Box,
  checkPrompts,
  contactSheet,
  drawOverlay,
  frameOf,
  type Image,
  type Label,
  logitsOfPicture,
  type MaskValue,
  type Point,
  pickLogits,
} from "../../predict/vision/index.ts";
import type { Progress } from "../../runtime/devices/device.ts";
import { type DeviceKind, withDevice } from "../../runtime/node/device.ts";
import { makeFolder } from "../../runtime/node/files.ts";
import { deviceWords } from "../../runtime/node/opened.ts";
import { saveTo } from "../../runtime/node/save.ts";
import { openWeightsFile } from "../../runtime/node/weights.ts";
import { Sam } from "../sam/sam.ts";
import { readSamConfig } from "./config.ts";

export interface SegmentRequest {
  /** A picture: PNG, JPEG, WebP, TIFF, GIF or AVIF, told by its content. */
  readonly image: string;
  /** A checkpoint in Meta's or Hugging Face's names. */
  readonly weights: string;
  /** A file with the configuration; the shapes of the weights tell it unless given. */
  readonly config?: string | undefined;
  readonly points?: readonly Point[] | undefined;
  readonly labels?: readonly Label[] | undefined;
  readonly box?: Box | undefined;
  /**
   * Logits that an earlier call saved, or a picture of the size of `image`: white inside, or of two values of which one
   * is 0, or of several with `maskValue`.
   */
  readonly mask?: string | undefined;
  /** The value of the mask's picture that is inside: a number, or a colour as `#rrggbb`. */
  readonly maskValue?: MaskValue | undefined;
  readonly multimask?: boolean | undefined;
  /** The folder that is written to; it is made if need be. */
  readonly out: string;
  /** As `openDevice` chooses unless given. */
  readonly device?: DeviceKind | undefined;
  readonly onProgress?: Progress | undefined;
  /** Told what begins, in a few words. */
  readonly onPhase?: ((words: string) => void) | undefined;
}

/** What `--json` prints, and what `scores.json` holds. File names are relative to the folder. */
export interface SegmentReport {
  readonly image: { readonly file: string; readonly width: number; readonly height: number };
  readonly masks: readonly {
    readonly file: string;
    /** Low-resolution logits: give this file back with --mask. */
    readonly logits: string;
    /** The model's estimate of the IoU. */
    readonly score: number;
    /** Pixels inside. */
    readonly area: number;
  }[];
  readonly overlay: string;
  /** What the files were taken for, where they could hold something else. */
  readonly notes: readonly string[];
  readonly device: string;
  /** Milliseconds. */
  readonly time: { readonly load: number; readonly encode: number; readonly decode: number };
}

/**
 * Segments one picture and writes `mask.png`, `logits.npy` (numbered from 1 with `multimask`),
 * `overlay.png` and `scores.json`. Prompts are checked before anything is loaded.
 * @throws E3xx for the picture and the prompts, E2xx for the weights, E4xx for the device.
 */
export async function segment(request: SegmentRequest): Promise<SegmentReport> {
  const { points, labels, box, multimask, onPhase = () => {} } = request;
  const notes: string[] = [];
  const onNote = (file: string) => (words: string) => {
    notes.push(`${file}: ${words}`);
    onPhase(`${file}: ${words}`);
  };
  const picture = await readImage(request.image, { onNote: onNote(request.image) });
  const prompts = { points, labels, box };
  checkPrompts(prompts, picture, 1);
  const mask =
    request.mask === undefined
      ? undefined
      : await readMaskFile(request.mask, {
          maskValue: request.maskValue,
          onNote: onNote(request.mask),
        });
  // A picture of another size is refused now, on a frame of any model: encoding may take minutes.
  if (mask?.kind === "picture") logitsOfPicture(mask.picture, frameOf(picture, 64), 16);
  if (!points && !box && !mask)
    onPhase("no prompt: the mask is whatever the model sees first; give --point, --box or --mask");
  await makeFolder(request.out);

  const clock = stopwatch();
  onPhase(`loading ${request.weights}`);
  const weights = await openWeightsFile(request.weights);
  try {
    const config = request.config === undefined ? undefined : await readSamConfig(request.config);
    return await withDevice({ kind: request.device }, async (opened) => {
      const { device } = opened;
      onPhase(`on ${deviceWords(opened)}`);
      const { onProgress } = request;
      const sam = await Sam.load(weights, { device, config, onProgress });
      const load = clock();
      onPhase(`encoding ${request.image}, ${picture.width} x ${picture.height}`);
      const frame = await sam.setImage(picture);
      const options: PredictOptions = {
        ...prompts,
        multimask,
        mask:
          mask?.kind === "picture"
            ? logitsOfPicture(mask.picture, frame, sam.lowSize)
            : mask?.logits,
      };
      const encode = clock();
      onPhase("decoding");
      const prediction = await sam.predict({ ...options, boxes: undefined });
      const time = { load, encode, decode: clock() };
      await sam.close();
      return await writeResults(request, picture, prediction, { notes, device: device.name, time });
    });
  } finally {
    await weights.close();
  }
}

/** Milliseconds since it was made or last asked. */
function stopwatch(): () => number {
  let last = performance.now();
  return () => {
    const now = performance.now();
    const passed = now - last;
    last = now;
    return Math.round(passed * 10) / 10;
  };
}

async function writeResults(
  request: SegmentRequest,
  picture: Image,
  { masks, scores, lowResLogits }: Prediction,
  facts: Pick<SegmentReport, "notes" | "device" | "time">,
): Promise<SegmentReport> {
  const { image, out, points, labels, box } = request;
  const several = masks.length > 1;
  const entries = masks.map((mask, i) => ({
    file: several ? `mask-${i + 1}.png` : "mask.png",
    logits: several ? `logits-${i + 1}.npy` : "logits.npy",
    score: scores[i]!,
    area: mask.data.reduce((sum, inside) => sum + inside, 0),
  }));
  for (const [i, { file, logits }] of entries.entries()) {
    await writePng(join(out, file), masks[i]!);
    await writeLogits(join(out, logits), pickLogits(lowResLogits, i));
  }
  // Masks of one click lie within one another, so each gets a picture of its own.
  const overlays = masks.map((mask) => drawOverlay(picture, [mask], { points, labels, box }));
  const overlay = "overlay.png";
  const { width, height } = picture;
  const sheet = several
    ? contactSheet(overlays, Math.min(512, Math.max(width, height)))
    : overlays[0]!;
  await writePng(join(out, overlay), sheet);
  const report = { image: { file: image, width, height }, masks: entries, overlay, ...facts };
  await saveTo(join(out, "scores.json"), `${JSON.stringify(report, null, 2)}\n`);
  await removeOthers(
    out,
    entries.flatMap(({ file, logits }) => [file, logits]),
  );
  return report;
}

/** An earlier call may have written another number of masks: none of them is left beside these. */
async function removeOthers(folder: string, written: readonly string[]): Promise<void> {
  for (const file of await readdir(folder))
    if (/^(?:mask(?:-\d+)?\.png|logits(?:-\d+)?\.npy)$/.test(file) && !written.includes(file))
      await rm(join(folder, file));
}
