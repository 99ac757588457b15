/**
 * What the tests of checkpoints share: paths of fixtures, errors as values, whole files as data.
 */
import { fileURLToPath } from "node:url";
import { InarchError } from "../../diagnostics/index.ts";
import {
  bytesSource,
  openWeights,
  type TensorData,
  type Weights,
} from "../../runtime/weights/index.ts";

export const fixturePath = (file: string) =>
  fileURLToPath(new URL(`../fixtures/${file}`, import.meta.url));

/** The error that a piece of work ends in. Anything but an `InarchError` is passed on. */
export async function refusal(work: () => unknown): Promise<InarchError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof InarchError) return error;
    throw error;
  }
  throw new TypeError("nothing was refused");
}

export const openBytes = (bytes: Uint8Array): Promise<Weights> =>
  openWeights(bytesSource("crafted", bytes));

/** Every tensor of a file; also asserts that lengths are what shapes say. */
export async function readAll(weights: Weights): Promise<Map<string, TensorData>> {
  const tensors = new Map<string, TensorData>();
  for (const [name, { shape, bytes }] of weights.tensors) {
    const tensor = await weights.read(name);
    const elements = shape.reduce((a, b) => a * b, 1);
    if (tensor.data.byteLength !== bytes || bytes % (elements || 1) !== 0) {
      throw new TypeError(`${name} of shape [${shape}] has ${tensor.data.byteLength} bytes`);
    }
    tensors.set(name, tensor);
  }
  return tensors;
}

/** A repeatable source of whole numbers below `limit`: a linear congruential generator. */
export function randomNumbers(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/** A copy with one bit flipped. */
export function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[bit >>> 3]! ^= 1 << (bit & 7);
  return copy;
}
