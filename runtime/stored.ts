/** Writes a tensor to a device as its plan stores it: whole, or as halves. */
import { diagnose } from "../diagnostics/index.ts";
import type { Device, DeviceBuffer } from "./devices/device.ts";

export interface StoredTensor {
  readonly name: string;
  /** In bytes. */
  readonly offset: number;
  readonly stored?: "f16";
}

const largestHalf = 65504;

/**
 * Writes the values of a tensor, `source` of them, as they arrive.
 * @throws E151 for one that no half can hold.
 */
export async function writeTensor(
  device: Device,
  buffer: DeviceBuffer,
  tensor: StoredTensor,
  chunks: AsyncIterable<Float32Array<ArrayBuffer>>,
  source: string,
): Promise<void> {
  let { offset } = tensor;
  let count = 0;
  // Halves are written in pairs: an odd one waits for the next chunk.
  let waiting = new Float32Array(0);
  for await (const chunk of chunks) {
    if (tensor.stored !== "f16") {
      await device.write(buffer, offset, chunk);
      offset += chunk.byteLength;
      continue;
    }
    checkRange(tensor.name, chunk, count, source);
    count += chunk.length;
    const values = waiting.length > 0 ? joined(waiting, chunk) : chunk;
    const even = values.length - (values.length % 2);
    await device.write(buffer, offset, values.subarray(0, even), "f16");
    offset += 2 * even;
    waiting = values.slice(even);
  }
  if (waiting.length > 0) await device.write(buffer, offset, waiting, "f16");
}

function joined(a: Float32Array, b: Float32Array): Float32Array<ArrayBuffer> {
  const both = new Float32Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** NaN and infinity are halves too; whether they are wanted is asked elsewhere. */
function checkRange(name: string, values: Float32Array, before: number, source: string): void {
  const at = values.findIndex((v) => Math.abs(v) > largestHalf && Number.isFinite(v));
  if (at < 0) return;
  throw diagnose("E151", {
    message: `element ${before + at} of ${name} is ${values[at]}, the largest half is ${largestHalf}`,
    where: source,
    help: 'compile with { precision: "f32" }',
  });
}
