/**
 * What a device is given: numbers become the bytes of the format that a plan stores them in. It is done
 * here and nowhere else.
 */
import type { PlanTensor } from "../compiler/plan.ts";
import { diagnose } from "../diagnostics/index.ts";
import { formatOf, holdsSingles, isFormat, storedNumbers } from "../formats/index.ts";
import type { Device, DeviceBuffer, Numbers } from "./devices/device.ts";
import { unknownFormat } from "./unknown-format.ts";

/** Where a tensor is, and how it lies there. */
export type StoredTensor = Pick<PlanTensor, "name" | "offset" | "shape" | "stored" | "panels">;

/**
 * Writes the values of a tensor, `source` of them, as they arrive.
 * @throws E151 for a finite one that would be infinite in its format, E153 for a format that a plan of
 * another version has.
 */
export async function writeTensor(
  device: Pick<Device, "write" | "inPanels">,
  buffer: DeviceBuffer,
  tensor: StoredTensor,
  chunks: AsyncIterable<Float32Array<ArrayBuffer>>,
  source: string,
): Promise<void> {
  const { stored = "f32", panels } = tensor;
  if (!isFormat(stored)) throw unknownFormat(`${tensor.name} is stored in`, stored);
  const { block } = formatOf(stored);
  let { offset } = tensor;
  let count = 0;
  // Whole blocks are written: what begins one waits for the next chunk.
  let waiting = new Float32Array(0);
  for await (const chunk of panels ? device.inPanels!(chunks, tensor) : chunks) {
    checkRange(tensor, chunk, count, source);
    count += chunk.length;
    const values = waiting.length > 0 ? joined(waiting, chunk) : chunk;
    const whole = values.length - (values.length % block.elements);
    if (whole > 0) {
      const bytes = storedNumbers(stored, values.subarray(0, whole));
      await device.write(buffer, offset, bytes);
      offset += bytes.byteLength;
    }
    waiting = values.slice(whole);
  }
  if (waiting.length > 0) await device.write(buffer, offset, storedNumbers(stored, waiting));
}

/** Writes numbers of the type that the tensor at `offset` has: doubles as singles, or as they are. */
export function writeNumbers(
  device: Device,
  buffer: DeviceBuffer,
  offset: number,
  numbers: Numbers,
): void | Promise<void> {
  const isRounded = numbers instanceof Float64Array && !device.doubles;
  return device.write(buffer, offset, isRounded ? Float32Array.from(numbers) : numbers);
}

function joined(a: Float32Array, b: Float32Array): Float32Array<ArrayBuffer> {
  const both = new Float32Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** NaN and infinity are in every format; whether they are wanted is asked elsewhere. */
function checkRange(
  { name, stored = "f32" }: StoredTensor,
  values: Float32Array,
  before: number,
  source: string,
): void {
  if (holdsSingles(stored)) return;
  const { largest, encode, decode } = formatOf(stored);
  const rounded = (v: number) => decode!(encode(Float32Array.of(v)))[0];
  const isBeyond = (v: number) =>
    Math.abs(v) > largest && Number.isFinite(v) && !Number.isFinite(rounded(v));
  const at = values.findIndex(isBeyond);
  if (at < 0) return;
  throw diagnose("E151", {
    message: `element ${before + at} of ${name} is ${values[at]}, the largest ${stored} is ${largest}`,
    where: source,
    help: 'compile with { precision: "f32" }, or with another weightFormat',
  });
}
