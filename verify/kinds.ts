/** The kinds of reference files, each with what checks it. A new kind is a new file and a line here. */
import type { Profile } from "../compiler/index.ts";
import type { Device, Progress } from "../runtime/devices/device.ts";
import type { Check } from "./compare.ts";
import { verifyConvLora } from "./conv-lora.ts";
import { verifyDenseMetrics, verifySegmentationMetrics } from "./metrics.ts";
import type { Reference } from "./reference.ts";
import { verifyResample } from "./resample.ts";
import { verifySamFile, verifySamHashed } from "./sam.ts";
import { verifyStructureLoss } from "./structure-loss.ts";
import { verifyTaLora } from "./ta-lora.ts";
import { verifyMSamTaLora } from "./training-msam.ts";
import { verifySamConvLora, verifySamLora } from "./training-sam.ts";

export interface Setting {
  readonly device: Device;
  /** What the programs are compiled for. */
  readonly profile: Profile;
  readonly onProgress: Progress;
  /** Stops compiling. */
  readonly signal?: AbortSignal | undefined;
}

/** Yields a line as soon as it is known; throws only for what cannot be checked at all. */
export type Checker = (reference: Reference, setting: Setting) => AsyncIterable<Check>;

export const kinds: Readonly<Record<string, Checker>> = {
  conv_lora: verifyConvLora,
  dense_metrics: verifyDenseMetrics,
  resample: verifyResample,
  sam: verifySamFile,
  sam_hashed: verifySamHashed,
  segmentation_metrics: verifySegmentationMetrics,
  structure_loss: verifyStructureLoss,
  ta_lora: verifyTaLora,
  train_msam_ta_lora: verifyMSamTaLora,
  train_sam_conv_lora: verifySamConvLora,
  train_sam_lora: verifySamLora,
};
