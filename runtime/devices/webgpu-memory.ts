/** Buffers of a WebGPU device: made, written, copied and read back. What would be refused is not submitted. */
import type { PlanBuffer, StoredScalar } from "../../compiler/plan.ts";
import { bug, diagnose } from "../../diagnostics/index.ts";
import { formatOf, storedBytes, wholeWords } from "../../formats/index.ts";
import { checkHeld, type DeviceBuffer, type Numbers } from "./device.ts";

export interface WebGpuBuffer extends DeviceBuffer {
  readonly handle: GPUBuffer;
}

// The values that the specification gives; the global constants are missing in Node.
export const usage = {
  ...{ mapRead: 1, copySource: 4, copyTarget: 8, storage: 128, queryResolve: 512 },
} as const;
const mapRead = 1;

export async function allocate(
  gpu: GPUDevice,
  buffers: readonly PlanBuffer[],
): Promise<WebGpuBuffer[]> {
  if (buffers.length === 0) return [];
  const limit = gpu.limits.maxBufferSize;
  const largest = Math.max(...buffers.map((b) => b.bytes));
  if (largest > limit)
    throw diagnose("E424", {
      message: `the plan needs a buffer of ${largest} bytes, but the device allows ${limit}`,
      help: "compile for the device's own limits",
    });
  gpu.pushErrorScope("out-of-memory");
  gpu.pushErrorScope("validation");
  const made = buffers.map((buffer) => makeBuffer(gpu, buffer));
  const [invalid, memory] = await Promise.all([gpu.popErrorScope(), gpu.popErrorScope()]);
  if (memory || invalid) {
    for (const b of made) b.destroy();
    const total = buffers.reduce((sum, b) => sum + b.bytes, 0);
    throw diagnose("E423", {
      message: `the device has no room for ${(total / 2 ** 20).toFixed(1)} MiB: ${(memory ?? invalid)!.message}`,
      help: "use a smaller model, batch or image, or close other sessions",
    });
  }
  return made;
}

function makeBuffer(gpu: GPUDevice, { bytes, role, name }: PlanBuffer): WebGpuBuffer {
  const handle = gpu.createBuffer({
    size: wholeWords(bytes),
    usage: usage.storage | usage.copySource | usage.copyTarget,
    label: name ?? role,
  });
  let isFreed = false;
  return {
    bytes,
    handle,
    get isFreed() {
      return isFreed;
    },
    destroy() {
      isFreed = true;
      handle.destroy();
    },
  };
}

export function writeBytes(
  gpu: GPUDevice,
  to: WebGpuBuffer,
  offset: number,
  data: ArrayBufferView<ArrayBuffer>,
): void {
  checkRange(to, offset, data.byteLength);
  const { buffer, byteOffset, byteLength } = data;
  gpu.queue.writeBuffer(to.handle, offset, buffer, byteOffset, byteLength);
}

export function copyBuffers(
  gpu: GPUDevice,
  pairs: readonly (readonly [from: WebGpuBuffer, to: WebGpuBuffer])[],
): void {
  const encoder = gpu.createCommandEncoder();
  for (const [from, to] of pairs) {
    const size = wholeWords(from.bytes);
    checkHeld(from);
    checkRange(to, 0, size);
    encoder.copyBufferToBuffer(from.handle, 0, to.handle, 0, size);
  }
  gpu.queue.submit([encoder.finish()]);
}

/** The copy is submitted before this returns; the promise waits for it. */
export async function readNumbers(
  gpu: GPUDevice,
  from: WebGpuBuffer,
  offset: number,
  count: number,
  scalar: StoredScalar,
): Promise<Numbers> {
  const size = storedBytes(scalar, count);
  checkRange(from, offset, size);
  const staging = gpu.createBuffer({ size, usage: usage.mapRead | usage.copyTarget });
  const encoder = gpu.createCommandEncoder();
  encoder.copyBufferToBuffer(from.handle, offset, staging, 0, size);
  gpu.queue.submit([encoder.finish()]);
  try {
    await staging.mapAsync(mapRead);
  } catch (cause) {
    staging.destroy();
    throw diagnose("E441", {
      message: `the device refuses to read ${size} bytes back: ${(cause as Error).message}`,
      help: "close other sessions, if its memory is full",
      cause,
    });
  }
  const bytes = staging.getMappedRange().slice(0, size);
  staging.destroy();
  return new (formatOf(scalar).array!)(bytes);
}

function checkRange(buffer: WebGpuBuffer, offset: number, bytes: number): void {
  checkHeld(buffer);
  if (offset < 0 || offset + bytes > wholeWords(buffer.bytes))
    bug(`${bytes} bytes at ${offset} of a buffer of ${buffer.bytes} bytes`);
}
