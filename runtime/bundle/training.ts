/** The bundle of a training on a device: what the wrappers of `inarch build --train` stand on. */
import { checkOptions, pickOptions } from "../../diagnostics/options.ts";
import { abortable } from "../calls.ts";
import { asDevice } from "../devices/any.ts";
import type { Device } from "../devices/device.ts";
import {
  createBuiltTraining,
  type TrainingOptions,
  type TrainingSession,
  trainingSessionOptions,
} from "../training/session.ts";
import { type BundleSource, type OpenBundleOptions, openTrainingBundle } from "./bundle.ts";

export interface TrainBundleOptions
  extends Omit<TrainingOptions, "weights">,
    Pick<OpenBundleOptions, "url"> {
  /** The base instead of the bundle's own weights; needed where it was built without any. */
  readonly weights?: TrainingOptions["weights"];
}

const { weights: _, ...others } = trainingSessionOptions;

/**
 * Places the training of a bundle on a device. Nothing is compiled but kernels.
 * @throws what `openTrainingBundle` and `createTrainingSession` throw, E615 when there are no weights.
 */
export async function trainBundle(
  source: BundleSource,
  device: Device | GPUDevice,
  options: TrainBundleOptions,
): Promise<TrainingSession> {
  checkOptions<TrainBundleOptions>("a training", options, { ...trainingSessionOptions, url: true });
  const { url, signal, weights } = options;
  const on = asDevice(device);
  const { plan, openWeights } = await openTrainingBundle(source, on, { url, signal });
  const create = (base: TrainingOptions["weights"]) =>
    createBuiltTraining(plan, on, {
      ...pickOptions<Omit<TrainBundleOptions, "url" | "weights">>(options, others),
      weights: base,
    });
  if (weights) return create(weights);
  const own = await abortable(openWeights(), signal, (late) => void late.close());
  try {
    const session = await create(own);
    // A training that goes on on another device reads them again.
    if (!options.recoverable) await own.close();
    const { close } = session;
    return Object.assign(session, {
      async close() {
        await close();
        await own.close();
      },
    });
  } catch (error) {
    await own.close();
    throw error;
  }
}
