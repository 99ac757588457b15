/** A kernel that shows whether a device computes: a compiled product of odd sizes, checked on the host. */
import { compile } from "../compiler/compile.ts";
import { input, trace } from "../compiler/index.ts";
import { deviceProfile } from "../compiler/profile.ts";
import { matmul } from "../ops/matmul/matmul.ts";
import type { Device } from "../runtime/devices/device.ts";
import { createSession } from "../runtime/session.ts";

/** What a kernel run on the device gave against the same numbers computed on the processor. */
export interface KernelResult {
  readonly ok: boolean;
  /** The largest absolute difference. */
  readonly maxError: number;
  /** From submission to the result in host memory, in milliseconds. */
  readonly ms: number;
}

// No multiple of any tile, so that edges are computed too.
const [rows, depth, columns] = [77, 129, 53];
// A sum of 129 products of numbers below one, in single precision.
const tolerance = 1e-4;

/** Multiplies two matrices on the device and on the host. The device stays open. */
export async function checkKernel(device: Device): Promise<KernelResult> {
  const graph = trace(
    () => ({
      y: matmul(input("a", "f32", [rows, depth]), input("b", "f32", [depth, columns])),
    }),
    {},
  );
  const { target, capabilities } = device;
  const profile = deviceProfile(capabilities);
  const session = await createSession(compile(graph, { name: "doctor", target, profile }), device);
  const a = Float32Array.from({ length: rows * depth }, (_, i) => Math.sin(i));
  const b = Float32Array.from({ length: depth * columns }, (_, i) => Math.cos(3 * i));
  const start = performance.now();
  const { y } = await session.run({ a, b });
  const ms = performance.now() - start;
  session.close();
  const maxError = largestError(a, b, y!);
  // NaN compares as false, so that it is no success.
  return { ok: maxError <= tolerance, maxError, ms };
}

function largestError(a: Float32Array, b: Float32Array, y: ArrayLike<number>): number {
  let largest = 0;
  for (let m = 0; m < rows; m++)
    for (let n = 0; n < columns; n++) {
      let sum = 0;
      for (let k = 0; k < depth; k++) sum += a[m * depth + k]! * b[k * columns + n]!;
      const error = Math.abs(sum - y[m * columns + n]!);
      if (Number.isNaN(error)) return error;
      largest = Math.max(largest, error);
    }
  return largest;
}
