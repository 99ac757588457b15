/**
 * Writes safetensors. The order of tensors depends on nothing but their names and dtypes (wide
 * elements first, so that every tensor is aligned; then by name): same tensors, same bytes.
 */
import { diagnose } from "../../diagnostics/index.ts";
import { shown } from "../../diagnostics/options.ts";
import { fileBytes, fileFormat, fileNames } from "../../formats/index.ts";
import { type Hashes, sealHeader, unsealed } from "./checksums.ts";
import type { Dtype } from "./dtype.ts";
import { hashOf } from "./hash.ts";
import { allocate } from "./source.ts";
import { countElements, type TensorData } from "./weights.ts";

/** Where a large file goes, piece by piece. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<void>;
}

/** What is known of a tensor before its elements are. */
export interface TensorPlan {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

/** A whole file in memory. Errors: E216 (a tensor cannot be written as described). */
export const writeSafetensors = (
  tensors: ReadonlyMap<string, TensorData>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> => write(tensors, planSafetensors(tensors, metadata));

/**
 * The same with checksums: whoever reads it sees any changed bit, of a tensor when its last element is
 * read and of anything else when the file is opened. Errors: E216.
 */
export function writeWithChecksums(
  tensors: ReadonlyMap<string, TensorData>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const hashes = new Map([...tensors].map(([name, { data }]) => [name, hashOf(data)]));
  return write(tensors, planSafetensors(tensors, metadata, hashes));
}

function write(
  tensors: ReadonlyMap<string, TensorData>,
  { header, order, totalBytes }: SafetensorsPlan,
): Uint8Array<ArrayBuffer> {
  const file = allocate(totalBytes, "a safetensors file");
  file.set(header);
  let at = header.byteLength;
  for (const { name, bytes } of order) {
    const { data } = tensors.get(name)!;
    if (data.byteLength !== bytes) throw wrongSize(name, bytes, data.byteLength);
    file.set(data, at);
    at += bytes;
  }
  return file;
}

/**
 * Streams a file into `sink`, one tensor after another; `elements` is asked for each tensor's bytes
 * (row-major, little-endian, in pieces of any length). Errors: E216.
 */
export async function streamSafetensors(
  sink: ByteSink,
  { header, order }: SafetensorsPlan,
  elements: (name: string) => AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  await sink.write(header);
  for (const { name, bytes } of order) {
    let written = 0;
    for await (const piece of elements(name)) {
      written += piece.byteLength;
      if (written > bytes) throw wrongSize(name, bytes, written);
      await sink.write(piece);
    }
    if (written !== bytes) throw wrongSize(name, bytes, written);
  }
}

export interface SafetensorsPlan {
  /** The length field and the JSON, padded with spaces to a multiple of 8 bytes. */
  readonly header: Uint8Array<ArrayBuffer>;
  /** The order in which the elements follow. */
  readonly order: readonly { readonly name: string; readonly bytes: number }[];
  /** Size of the whole file. */
  readonly totalBytes: number;
  /** Of a file with checksums. */
  readonly checksum: string | undefined;
}

/**
 * Lays a file out: its header, and in which order the tensors follow. With the hash of every tensor the
 * file gets checksums. Errors: E216.
 */
export function planSafetensors(
  tensors: ReadonlyMap<string, TensorPlan>,
  metadata: Readonly<Record<string, string>>,
  hashes?: Hashes,
): SafetensorsPlan {
  const order = [...tensors]
    .map(([name, { dtype, shape }]) => ({ name, dtype, shape, bytes: sizeOf(name, dtype, shape) }))
    .sort((a, b) => widthOf(b) - widthOf(a) || compare(a.name, b.name));
  const json: Record<string, unknown> = {};
  const whole = { ...metadata, ...(hashes && unsealed(hashes)) };
  const pairs = Object.entries(whole).sort(([a], [b]) => compare(a, b));
  if (pairs.length > 0) json.__metadata__ = Object.fromEntries(pairs);
  let end = 0;
  for (const { name, dtype, shape, bytes } of order) {
    const entry = { dtype: dtype.toUpperCase(), shape, data_offsets: [end, end + bytes] };
    // Plain assignment would lose a tensor that is called __proto__.
    Object.defineProperty(json, name, { value: entry, enumerable: true });
    end += bytes;
  }
  const text = new TextEncoder().encode(JSON.stringify(json));
  const length = Math.ceil(text.byteLength / 8) * 8;
  const header = allocate(8 + length, "a safetensors header").fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(text, 8);
  const checksum = hashes && sealHeader(header);
  return { header, order, totalBytes: header.byteLength + end, checksum };
}

/** Wide numbers come first: then all begin at multiples of their width. */
const widthOf = ({ dtype }: TensorPlan) => fileFormat(dtype).width;

function sizeOf(name: string, dtype: Dtype, shape: readonly number[]): number {
  if (!fileNames.includes(dtype))
    throw diagnose("E216", {
      message: `there is no dtype ${shown(dtype)}`,
      where: `tensor "${name}"`,
      help: `give one of ${fileNames.join(", ")}`,
    });
  const elements = countElements(shape);
  if (name !== "__metadata__" && elements !== undefined) return fileBytes(dtype, elements);
  throw diagnose("E216", {
    message:
      elements === undefined
        ? `the shape [${shape}] is not a list of sizes`
        : "the name __metadata__ is taken by the format",
    where: `tensor "${name}"`,
    help: "give each tensor a name of its own and a shape of whole numbers, zero and up",
  });
}

const wrongSize = (name: string, expected: number, actual: number) =>
  diagnose("E216", {
    message: `the shape and dtype take ${expected} bytes, but ${actual} were given`,
    where: `tensor "${name}"`,
    help: "give the elements as bytes, row-major, and the shape and dtype that belong to them",
  });

/** By UTF-16 code units: the same in every locale. */
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
