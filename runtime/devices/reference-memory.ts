/**
 * Buffers of the reference device: bytes, as a GPU has them, and which of them were written. In double
 * precision the oracle needs more of an `f32` than its bytes: doubles lie beside them, one for each word.
 */
import type { Place, PlanBuffer, StoredScalar } from "../../compiler/plan.ts";
import { deviceBytes, deviceNumbers, formatOf, type NativeName } from "../../formats/index.ts";
import { checkHeld, type DeviceBuffer, type Numbers } from "./device.ts";
import { strict } from "./memory.ts";

interface ReferenceBuffer extends DeviceBuffer {
  isFreed: boolean;
  readonly memory: Uint8Array<ArrayBuffer>;
  /** By byte. */
  readonly written: Uint8Array;
  /** What each word is as an `f32`. */
  readonly doubles: Float64Array | undefined;
}

/** The elements of a tensor, and which were written. */
export interface Elements {
  readonly data: Float64Array;
  readonly written: Uint8Array;
}

const wordBytes = 4;

/** States are zeros at first; of the others nothing was written. */
export function allocate({ bytes, role }: PlanBuffer, isDouble: boolean): DeviceBuffer {
  const words = Math.ceil(bytes / wordBytes);
  const buffer: ReferenceBuffer = {
    bytes,
    memory: new Uint8Array(words * wordBytes),
    written: new Uint8Array(words * wordBytes).fill(role === "state" ? 1 : 0),
    doubles: isDouble ? new Float64Array(words) : undefined,
    isFreed: false,
    destroy() {
      buffer.isFreed = true;
    },
  };
  return buffer;
}

/** Copies bytes as they are; doubles, in double precision, are one `f32` each. */
export function writeBytes(to: DeviceBuffer, offset: number, data: ArrayBufferView): void {
  checkHeld(to);
  const { memory, written, doubles } = to as ReferenceBuffer;
  if (doubles && data instanceof Float64Array) {
    doubles.set(data, offset / wordBytes);
    written.fill(1, offset, offset + data.length * wordBytes);
    return;
  }
  memory.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
  written.fill(1, offset, offset + data.byteLength);
  doubles?.set(
    deviceNumbers("f32", memory.subarray(offset, offset + data.byteLength)),
    offset / wordBytes,
  );
}

/** @throws E450 for elements that nobody wrote. */
export function readNumbers(
  from: DeviceBuffer,
  offset: number,
  count: number,
  scalar: StoredScalar,
): Numbers {
  checkHeld(from);
  const { memory, written, doubles } = from as ReferenceBuffer;
  const end = offset + count * wordBytes;
  const missing = written.subarray(offset, end).indexOf(0);
  if (missing >= 0)
    strict(`element ${Math.floor(missing / wordBytes)} of a result was never written`, "read");
  if (doubles && isDouble(scalar)) return doubles.slice(offset / wordBytes, end / wordBytes);
  return new (formatOf(scalar).array!)(memory.slice(offset, end).buffer);
}

/** Only floats that kernels compute with are doubles: whole numbers need none, halves are what is stored. */
const isDouble = (scalar: NativeName) => formatOf(scalar).array === Float32Array;

export function copyPlace(buffers: readonly DeviceBuffer[], from: Place, to: Place): void {
  const [source, target] = [buffers[from.buffer], buffers[to.buffer]] as ReferenceBuffer[];
  const end = from.offset + from.bytes;
  target!.memory.set(source!.memory.subarray(from.offset, end), to.offset);
  target!.written.set(source!.written.subarray(from.offset, end), to.offset);
  target!.doubles?.set(
    source!.doubles!.subarray(from.offset / wordBytes, end / wordBytes),
    to.offset / wordBytes,
  );
}

/** Copies a buffer as it is, with what was written of it. */
export function copyBuffer(from: DeviceBuffer, to: DeviceBuffer): void {
  for (const buffer of [from, to]) checkHeld(buffer);
  const whole = { offset: 0, bytes: from.bytes };
  copyPlace([from, to], { buffer: 0, ...whole }, { buffer: 1, ...whole });
}

/** A range holds nothing any more, whoever wrote it. */
export function forget(buffer: DeviceBuffer, { offset, bytes }: Place): void {
  (buffer as ReferenceBuffer).written.fill(0, offset, offset + bytes);
}

/** The elements of a tensor as a kernel sees them: a copy, which `putElements` brings back. */
export function elementsAt(
  buffer: DeviceBuffer,
  { offset }: Place,
  scalar: NativeName,
  size: number,
): Elements {
  const { memory, written, doubles } = buffer as ReferenceBuffer;
  const width = widthOf(scalar);
  const flags = new Uint8Array(size);
  for (let i = 0, at = offset; i < size; i++, at += width)
    flags[i] = written[at]! & written[at + width - 1]!;
  const data =
    doubles && isDouble(scalar)
      ? doubles.slice(offset / wordBytes, offset / wordBytes + size)
      : deviceNumbers(scalar, memory.subarray(offset, offset + size * width));
  return { data, written: flags };
}

export function putElements(
  buffer: DeviceBuffer,
  { offset }: Place,
  scalar: NativeName,
  elements: Elements,
): void {
  const { memory, written, doubles } = buffer as ReferenceBuffer;
  const width = widthOf(scalar);
  if (doubles && isDouble(scalar)) doubles.set(elements.data, offset / wordBytes);
  else memory.set(deviceBytes(scalar, elements.data), offset);
  elements.written.forEach((flag, i) => {
    if (flag) written.fill(1, offset + i * width, offset + (i + 1) * width);
  });
}

/** Bytes of one element. */
function widthOf(scalar: NativeName): number {
  const { block } = formatOf(scalar);
  return (block.words * wordBytes) / block.elements;
}
