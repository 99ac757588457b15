/** A plan's parameters, streamed from a checkpoint onto the device. */
import type { Plan, PlanTensor } from "../compiler/plan.ts";
import { diagnose } from "../diagnostics/index.ts";
import { meant } from "../diagnostics/nearest.ts";
import { storedBytes } from "../formats/index.ts";
import type { Device, DeviceBuffer, Progress } from "./devices/device.ts";
import { writeTensor } from "./stored.ts";
import type { Readable } from "./weights/adapted.ts";
import { isFloat } from "./weights/dtype.ts";
import { named } from "./weights/fitted.ts";
import { otherShape } from "./weights/shapes.ts";

/** @throws E420 when the weights lack a parameter, and the reason of the first signal that is aborted. */
export async function fillParameters(
  plan: Plan,
  device: Device,
  buffers: readonly DeviceBuffer[],
  weights: Readable | undefined,
  onProgress: Progress,
  signals: readonly AbortSignal[],
): Promise<void> {
  if (plan.parameters.length === 0) return;
  if (!weights)
    throw diagnose("E420", {
      message: `plan ${plan.name} has ${plan.parameters.length} parameters but no weights are given`,
      help: "pass { weights: await openWeights(...) }",
    });
  const total = plan.parameters.reduce((sum, p) => sum + p.bytes, 0);
  let done = 0;
  for (const p of plan.parameters) {
    checkParameter(p, weights);
    if (p.dtype === "f32" && !isFloat(weights.tensors.get(p.name)!.dtype))
      (await named()).checkFloats(weights, p.name);
    const before = done;
    const chunks = counted(weights.chunks(p.name, undefined, true), signals, (elements) => {
      done = Math.min(before + p.bytes, done + storedBytes(p.stored ?? "f32", elements));
      onProgress(done, total, "bytes of weights");
    });
    await writeTensor(device, buffers[p.buffer]!, p, chunks, weights.source);
  }
}

/** Tells of each chunk when the next is asked for: then it has been written. */
async function* counted(
  chunks: AsyncIterable<Float32Array<ArrayBuffer>>,
  signals: readonly AbortSignal[],
  written: (elements: number) => void,
) {
  for (const signal of signals) signal.throwIfAborted();
  for await (const chunk of chunks) {
    for (const signal of signals) signal.throwIfAborted();
    yield chunk;
    written(chunk.length);
  }
}

function checkParameter(p: PlanTensor, weights: Readable): void {
  const entry = weights.tensors.get(p.name);
  if (entry && entry.shape.join() === p.shape.join()) return;
  if (entry)
    throw diagnose("E420", {
      message: otherShape(p.name, entry, p, "plan"),
      where: weights.source,
      help: "use the checkpoint that the plan was compiled for",
    });
  const names = [...weights.tensors.keys()];
  const near = meant(p.name, names);
  const first = names[0] === undefined ? "they are empty" : `the first is ${names[0]}`;
  throw diagnose("E420", {
    message: `the weights have no tensor ${p.name}`,
    where: weights.source,
    help: `${near === undefined ? `there are ${names.length} tensors, ${first}` : `did you mean ${near}?`}; use the checkpoint that the plan was compiled for, or renameWeights`,
  });
}
