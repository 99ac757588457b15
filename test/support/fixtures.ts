/** Reads the tensors of a reference file under test/fixtures. */
import { readFileSync } from "node:fs";

export interface Fixture {
  readonly shape: readonly number[];
  readonly data: Uint8Array | Float32Array | Int32Array | BigInt64Array;
}

/** Every tensor of a safetensors file, by name, and its metadata. */
export function fixture(file: string): {
  tensors: Map<string, Fixture>;
  metadata: Record<string, string>;
} {
  const bytes = readFileSync(new URL(`../fixtures/${file}`, import.meta.url));
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const { __metadata__: metadata, ...entries } = JSON.parse(bytes.toString("utf8", 8, start));
  const arrays = { U8: Uint8Array, F32: Float32Array, I32: Int32Array, I64: BigInt64Array };
  const tensors = new Map<string, Fixture>();
  for (const [name, entry] of Object.entries(entries)) {
    const { dtype, shape, data_offsets } = entry as {
      dtype: keyof typeof arrays;
      shape: number[];
      data_offsets: [number, number];
    };
    const [from, to] = data_offsets;
    const copy = Uint8Array.from(bytes.subarray(start + from, start + to));
    tensors.set(name, { shape, data: new arrays[dtype](copy.buffer) });
  }
  return { tensors, metadata };
}
