/**
 * Where bytes come from. A checkpoint is read by position, piece by piece, because the largest
 * (ViT-H, 2.56 GB) exceeds both what one read may return and what should sit in memory.
 */
import { diagnose } from "../../diagnostics/index.ts";
import type { Mix } from "./hash.ts";

export interface ByteSource {
  /** What error messages call it: a path, a URL, a name. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /**
   * Reads exactly `length` bytes from `offset`. The array belongs to the caller and starts at
   * offset 0 of its buffer, so that any typed array may be laid over it. Errors: E202.
   */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Memory to read into again and again, for whoever is done with a piece before asking for the next. */
  lend?(): LentMemory;
  close?(): Promise<void>;
}

export interface LentMemory {
  /** The longest piece that it has room for: a multiple of 16 bytes. */
  readonly bytes: number;
  /** As `ByteSource.read`, over the piece before; the array starts at a multiple of 16 bytes of its buffer. */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  /** For a hash of what was read. */
  readonly mix: Mix;
  /** Gives it back. */
  done(): void;
}

/** Bytes that are in memory already. */
export function bytesSource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    size: bytes.byteLength,
    async read(offset, length) {
      checkRange(name, bytes.byteLength, offset, length);
      const copy = allocate(length, name);
      copy.set(bytes.subarray(offset, offset + length));
      return copy;
    },
  };
}

/** A `Blob` or `File` of a browser, read through `slice` so that it never sits in memory whole. */
export function blobSource(name: string, blob: Blob): ByteSource {
  return {
    name,
    size: blob.size,
    async read(offset, length) {
      checkRange(name, blob.size, offset, length);
      return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
    },
  };
}

/** Refuses a range that is not inside the source. `length` and `offset` are in bytes. */
export function checkRange(name: string, size: number, offset: number, length: number): void {
  if (offset >= 0 && length >= 0 && offset + length <= size) return;
  throw diagnose("E202", {
    message: `${length} bytes at offset ${offset} do not lie inside the ${size} bytes there are`,
    where: name,
    help: "the file is cut short, or changed while it was read: fetch it again",
  });
}

/** `length` zero bytes, or an error that says how much was wanted. */
export function allocate(length: number, where: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw diagnose("E203", {
      message: `${length} bytes of memory cannot be had in one piece`,
      where,
      help: "read large tensors in pieces: for await (const values of weights.chunks(name))",
      cause,
    });
  }
}
