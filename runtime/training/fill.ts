/** Fills a training session's memory: the base as it is streamed, what trains from it or anew. */
import { bug, diagnose } from "../../diagnostics/index.ts";
import type { Device, DeviceBuffer, Progress } from "../devices/device.ts";
import { writeTensor } from "../stored.ts";
import { isFloat } from "../weights/dtype.ts";
import { notFinite, watchFinite } from "../weights/finite.ts";
import { named } from "../weights/fitted.ts";
import { initialValues } from "../weights/initial.ts";
import { fingerprint } from "../weights/kinds.ts";
import { otherShape } from "../weights/shapes.ts";
import type { Weights } from "../weights/weights.ts";
import type { ResidentTensor, TrainingPlan } from "./plan.ts";

export interface FillOptions {
  readonly weights: Weights;
  readonly seed: number;
  readonly onProgress?: Progress;
  readonly signal?: AbortSignal;
}

/**
 * Returns a fingerprint of every frozen tensor, by name: files of training keep those of the base, so
 * that they are not taken for one of another base.
 */
export async function fillTraining(
  plan: TrainingPlan,
  device: Device,
  states: ReadonlyMap<string, DeviceBuffer>,
  options: FillOptions,
): Promise<Map<string, string>> {
  const { weights, seed, onProgress = () => {}, signal } = options;
  const all = [...plan.frozen, ...plan.tensors];
  const total = all.reduce((sum, t) => sum + t.bytes, 0);
  const fingerprints = new Map<string, string>();
  const { found: infinite, look } = watchFinite();
  let done = 0;
  for (const tensor of all) {
    signal?.throwIfAborted();
    const buffer = states.get(tensor.state) ?? bug(`no state ${tensor.state}`);
    const looked = lookedThrough(valuesOf(tensor, seed, weights), (chunk) => {
      look(tensor.name, chunk);
      if (!fingerprints.has(tensor.name)) fingerprints.set(tensor.name, fingerprint(chunk));
    });
    await writeTensor(device, buffer, tensor, looked, weights.source);
    done += tensor.bytes;
    onProgress(done, total, "bytes of weights");
  }
  if (infinite.size > 0) throw notFinite(weights.source, infinite);
  for (const { name } of plan.tensors) fingerprints.delete(name);
  return fingerprints;
}

async function* lookedThrough(
  chunks: AsyncIterable<Float32Array<ArrayBuffer>>,
  look: (chunk: Float32Array<ArrayBuffer>) => void,
) {
  for await (const chunk of chunks) {
    look(chunk);
    yield chunk;
  }
}

async function* valuesOf(tensor: ResidentTensor, seed: number, weights: Weights) {
  const entry = weights.tensors.get(tensor.name);
  if (entry && !isFloat(entry.dtype)) (await named()).checkFloats(weights, tensor.name);
  if (entry && entry.shape.join() === tensor.shape.join())
    yield* weights.chunks(tensor.name, undefined, true);
  else if (entry && !tensor.init)
    throw diagnose("E430", {
      message: otherShape(tensor.name, entry, tensor, "model"),
      where: weights.source,
      help: "use the checkpoint of the model that is trained",
    });
  else yield await initialValues(tensor, seed, weights);
}
