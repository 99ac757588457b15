/** Files as the fuzzer has them, and what reading them to the end means. */
import { createHash } from "node:crypto";
import {
  bytesSource,
  openWeights,
  type TensorData,
  type Weights,
} from "../../../runtime/weights/index.ts";

/** By path; files that stand alone have the path "". */
export type Files = ReadonlyMap<string, Uint8Array>;

export interface Format {
  readonly files: () => Promise<Files>;
  /** Reads all, and returns what was read in a few characters. Throws what users get. */
  readonly read: (files: Files) => Promise<string>;
  /** inarch wrote it: whatever is damaged is refused. */
  readonly own?: true;
  /** The part of a file, from its beginning, that holds structure rather than numbers. */
  readonly share: number;
  /** The JSON that can be changed under right hashes, and the files that then hold it. */
  readonly json?: {
    readonly of: (files: Files) => unknown;
    readonly put: (files: Files, json: unknown) => Files;
  };
}

export const alone = (bytes: Uint8Array): Files => new Map([["", bytes]]);
export const only = (files: Files) => files.get("")!;
export const digest = (...parts: readonly (string | Uint8Array)[]) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex").slice(0, 16);
};

/** A value that is made once. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

export async function readTensors(weights: Weights): Promise<string> {
  const parts: (string | Uint8Array)[] = [];
  for (const [name, { dtype, shape, bytes }] of weights.tensors) {
    const { data } = await weights.read(name);
    const elements = shape.reduce((a, b) => a * b, 1);
    if (data.byteLength !== bytes || bytes % (elements || 1) !== 0)
      throw new TypeError(`${name} of [${shape}] has ${data.byteLength} bytes`);
    parts.push(`${name} ${dtype} [${shape}]`, data);
    if (dtype === "f32")
      for await (const chunk of weights.chunks(name, 64))
        if (chunk.length === 0) throw new TypeError("an empty chunk");
  }
  return digest(...parts);
}

export const openBytes = (bytes: Uint8Array) => openWeights(bytesSource("damaged", bytes));

export const f32 = (shape: readonly number[], seed: number): TensorData => {
  const size = shape.reduce((a, b) => a * b, 1);
  return {
    dtype: "f32",
    shape,
    data: new Uint8Array(Float32Array.from({ length: size }, (_, i) => Math.sin(seed + i)).buffer),
  };
};

export const base = new Map([
  ["weight", f32([3, 4], 1)],
  ["bias", f32([3], 2)],
]);

/**
 * The header of a safetensors file as JSON, and a file with another one. It goes without checksums, as one
 * that another program wrote anew.
 */
export const header = {
  of: (files: Files) => {
    const bytes = only(files);
    const { __metadata__: all = {}, ...tensors } = JSON.parse(
      new TextDecoder().decode(bytes.subarray(8, 8 + headerLength(bytes))),
    );
    const { "inarch.checksum.2": _sum, "inarch.hashes": _hashes, ...metadata } = all;
    return { __metadata__: metadata, ...tensors };
  },
  put: (files: Files, json: unknown) => {
    const bytes = only(files);
    const text = new TextEncoder().encode(JSON.stringify(json));
    const size = new Uint8Array(8);
    new DataView(size.buffer).setBigUint64(0, BigInt(text.length), true);
    return alone(Uint8Array.from([...size, ...text, ...bytes.subarray(8 + headerLength(bytes))]));
  },
};

const headerLength = (bytes: Uint8Array) =>
  Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
