/** Masks of everything in a picture, from files to files. */
import { join } from "node:path";
import { type AutomaticOptions, automaticMasks } from "../../predict/automatic/automatic.ts";
import { readImage, writePng } from "../../predict/node/image.ts";
import { drawOverlay, encodeRuns, fillRuns } from "../../predict/vision/index.ts";
import type { Progress } from "../../runtime/devices/device.ts";
import { type DeviceKind, openDevice } from "../../runtime/node/device.ts";
import { makeFolder } from "../../runtime/node/files.ts";
import { deviceWords } from "../../runtime/node/opened.ts";
import { saveTo } from "../../runtime/node/save.ts";
import { openWeightsFile } from "../../runtime/node/weights.ts";
import { Sam } from "../sam/sam.ts";
import { readSamConfig } from "./config.ts";

export interface EverythingRequest {
  /** A picture: PNG, JPEG, WebP, TIFF, GIF or AVIF, told by its content. */
  readonly image: string;
  /** A checkpoint in Meta's or Hugging Face's names. */
  readonly weights: string;
  /** A file with the configuration; the shapes of the weights tell it unless given. */
  readonly config?: string | undefined;
  readonly settings?: Omit<AutomaticOptions, "onProgress" | "signal"> | undefined;
  /** The folder that is written to; it is made if need be. */
  readonly out: string;
  /** As `openDevice` chooses unless given. */
  readonly device?: DeviceKind | undefined;
  readonly onProgress?: Progress | undefined;
  readonly onPhase?: ((words: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What `masks.json` holds of a mask, in the words of the published generator. */
export interface EverythingMask {
  readonly segmentation: { readonly size: readonly [number, number]; readonly counts: string };
  readonly area: number;
  readonly bbox: readonly number[];
  readonly predicted_iou: number;
  readonly point_coords: readonly (readonly number[])[];
  readonly stability_score: number;
  readonly crop_box: readonly number[];
}

export interface EverythingReport {
  readonly file: string;
  readonly overlay: string;
  readonly device: string;
  readonly masks: readonly EverythingMask[];
}

/**
 * Finds everything in a picture, and writes `masks.json`, a list with COCO's runs, and `overlay.png`.
 * @throws E325 and E460 for settings, E3xx for the picture, E2xx for the weights, E4xx for the device.
 */
export async function segmentEverything(request: EverythingRequest): Promise<EverythingReport> {
  const { image, out, settings, onProgress, onPhase, signal } = request;
  const picture = await readImage(image);
  const weights = await openWeightsFile(request.weights);
  try {
    const config = request.config === undefined ? undefined : await readSamConfig(request.config);
    const opened = await openDevice({ kind: request.device });
    const { device } = opened;
    onPhase?.(`on ${deviceWords(opened)}`);
    try {
      const sam = await Sam.load(weights, { device, config, onProgress, signal });
      const found = await automaticMasks(sam, picture, {
        ...settings,
        onProgress: (done, all) => onProgress?.(done, all, "points"),
        signal,
      });
      await sam.close();
      await makeFolder(out);
      const [file, overlay] = ["masks.json", "overlay.png"];
      const masks = found.map(
        ({ runs, area, box, iou, point, stability, crop }): EverythingMask => ({
          segmentation: { size: runs.size, counts: encodeRuns(runs.counts) },
          ...{ area, bbox: box, predicted_iou: iou, point_coords: [point] },
          ...{ stability_score: stability, crop_box: crop },
        }),
      );
      await saveTo(join(out, file), `${JSON.stringify(masks)}\n`);
      // The largest are drawn first, so that none hides a smaller one.
      const { width, height } = picture;
      const drawn = [...found]
        .sort((a, b) => b.area - a.area)
        .map(({ runs }) => {
          const data = new Uint8Array(width * height);
          fillRuns(runs, data);
          return { width, height, data };
        });
      await writePng(join(out, overlay), drawOverlay(picture, drawn));
      return { file, overlay, device: device.name, masks };
    } finally {
      device.destroy();
    }
  } finally {
    await weights.close();
  }
}
