/**
 * Weights that need no file: every element is a hash of a seed, the tensor's name and its place. A
 * full-size SAM can so be checked against numbers made elsewhere without a checkpoint.
 */
import { fnv1a } from "../../runtime/weights/fnv.ts";
import {
  floatEntry,
  makeWeights,
  type TensorEntry,
  type Weights,
} from "../../runtime/weights/index.ts";
import type { SamConfig } from "./config.ts";
import { gaussian } from "./names.ts";
import { samTensors } from "./tensors.ts";

/** The checkpoint of a configuration under a seed, made as it is read. */
export function hashedWeights(config: SamConfig, seed: string): Weights {
  const tensors = new Map<string, TensorEntry>();
  for (const { name, shape } of samTensors(config)) tensors.set(name, floatEntry(shape));
  return makeWeights({
    source: `weights hashed from "${seed}"`,
    tensors,
    metadata: {},
    async *stream(name, elements) {
      const { shape } = tensors.get(name)!;
      const total = count(shape);
      for (let start = 0; start < total; start += elements) {
        const length = Math.min(elements, total - start);
        yield new Uint8Array(hashedTensor(seed, name, shape, start, length).buffer);
      }
    },
    close: async () => {},
  });
}

/** The normalised image that goes with the weights: f32 `[1, 3, size, size]`, values in -2..2. */
export const hashedImage = (seed: string, size: number): Float32Array<ArrayBuffer> =>
  hashed(`${seed}/image`, 0, 3 * size * size, 0, 2);

/** `length` elements from `start` of a tensor, row-major. The spread depends on what it is for. */
export function hashedTensor(
  seed: string,
  name: string,
  shape: readonly number[],
  start = 0,
  length = count(shape),
): Float32Array<ArrayBuffer> {
  const [offset, scale] = spread(name, shape);
  return hashed(`${seed}/${name}`, start, length, offset, scale);
}

const count = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** Values are uniform in offset - scale to offset + scale. */
function spread(name: string, shape: readonly number[]): [offset: number, scale: number] {
  if (/rel_pos|pos_embed/.test(name)) return [0, 0.5];
  if (name === gaussian.meta) return [0, 1.7];
  // Uniform values of this scale have a deviation of 0.7 / sqrt(inputs): signals keep their size.
  if (shape.length >= 2) return [0, (Math.sqrt(3) * 0.7) / Math.sqrt(count(shape) / shape[0]!)];
  return [name.endsWith(".weight") ? 1 : 0, 0.1];
}

export function hashed(
  key: string,
  start: number,
  length: number,
  offset: number,
  scale: number,
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(length);
  const first = fnv1a(new TextEncoder().encode(key));
  for (let i = 0; i < length; i++) {
    const r = (2 * finalise((first + Math.imul(start + i, 0x9e3779b9)) >>> 0)) / 2 ** 32 - 1;
    out[i] = offset + scale * r;
  }
  return out;
}

/** The last step of MurmurHash3: every bit of the input reaches every bit of the result. */
function finalise(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}
