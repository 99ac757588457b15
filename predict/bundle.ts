/** A SAM from a bundle: what the wrapper that `inarch build` generates for a SAM stands on. */
import { diagnose } from "../diagnostics/index.ts";
import { type BundleSource, openBundle } from "../runtime/bundle/bundle.ts";
import { type BundleOptions, checkBundleOptions, weightsOf } from "../runtime/bundle/model.ts";
import { asDevice } from "../runtime/devices/any.ts";
import type { Device } from "../runtime/devices/device.ts";
import { createSamPredictor, type SamPredictor } from "./sam.ts";

/**
 * A bundle of a SAM as a predictor. The weights stay open as long as the predictor: a decoder for
 * more tokens is loaded when it is needed.
 * @throws E615 for a bundle that is no SAM's, and what `createSamPredictor` throws.
 */
export async function loadSamBundle(
  bundle: BundleSource,
  device: Device | GPUDevice,
  options: BundleOptions = {},
): Promise<SamPredictor> {
  checkBundleOptions(options);
  const on = asDevice(device);
  const { url, adapter, onProgress, signal } = options;
  const opened = await openBundle(bundle, on, { url, signal });
  const { plans } = opened;
  const buckets = Object.keys(plans)
    .flatMap((name) => /^decode-(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
  const { encode } = plans;
  if (!encode || buckets.length === 0)
    throw diagnose("E615", {
      message: `the bundle of ${opened.bundle.name} is not that of a whole SAM: its programs are ${Object.keys(plans).join(", ")}`,
      help: "build all programs of a SAM: inarch build sam-vit-b --out DIR",
    });
  const { weights, close } = await weightsOf(opened, options);
  try {
    const predictor = await createSamPredictor({
      plans: { encode, buckets, decode: (bucket) => plans[`decode-${bucket}`]! },
      weights: weights!,
      ...{ adapter, device: on, onProgress, signal },
    });
    return closingToo(predictor, close);
  } catch (error) {
    await close();
    throw error;
  }
}

/** The predictor; closing it closes its weights after it. */
function closingToo(predictor: SamPredictor, close: () => Promise<void>): SamPredictor {
  return {
    setImage: predictor.setImage,
    predict: predictor.predict,
    predictLogits: predictor.predictLogits,
    get frame() {
      return predictor.frame;
    },
    lowSize: predictor.lowSize,
    get lost() {
      return predictor.lost;
    },
    restore: predictor.restore,
    change: predictor.change,
    async close() {
      await predictor.close();
      await close();
    },
  };
}
