/**
 * Finds the directory of a zip: its end record is the last thing in the file, and large archives
 * have a 64-bit record with a pointer to it just before.
 */
import { diagnose } from "../../diagnostics/index.ts";
import type { ByteSource } from "./source.ts";

/** A state dict of a hundred thousand tensors needs less. */
const maxDirectory = 64 * 2 ** 20;

export interface Directory {
  /** Byte offset in the file. */
  readonly start: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** How many entries there should be. */
  readonly count: number;
}

/** Errors: E220. */
export async function findDirectory(source: ByteSource): Promise<Directory> {
  const tailStart = Math.max(0, source.size - endLength - 0xffff - wideLength);
  const tail = new DataView((await source.read(tailStart, source.size - tailStart)).buffer);
  const at = findEnd(tail);
  if (at === undefined) {
    throw damaged("the directory at the end of the zip is missing: the file is cut short", source);
  }
  const narrow = {
    disks: tail.getUint16(at + 4, true) + tail.getUint16(at + 6, true),
    here: tail.getUint16(at + 8, true),
    count: tail.getUint16(at + 10, true),
    size: tail.getUint32(at + 12, true),
    start: tail.getUint32(at + 16, true),
  };
  const wide = await readWide(tail, at, tailStart, source);
  const { count, size, start, end } = wide ?? { ...narrow, end: tailStart + at };
  const differs = (a: number, b: number, unset: number) => a !== b && a !== unset;
  if (
    narrow.disks !== 0 ||
    differs(narrow.here, count, 0xffff) ||
    differs(narrow.count, count, 0xffff) ||
    differs(narrow.size, size, 0xffffffff) ||
    differs(narrow.start, start, 0xffffffff)
  ) {
    throw damaged("the records at the end of the zip contradict each other", source);
  }
  if (start + size !== end || size > maxDirectory) {
    throw damaged(
      `the directory should end at byte ${start + size}, but what follows it starts at ${end}`,
      source,
    );
  }
  return { start, bytes: await source.read(start, size), count };
}

const endLength = 22;
const wideLength = 56 + 20;

/** Position of the end record: the one whose comment reaches exactly to the end of the file. */
function findEnd(tail: DataView): number | undefined {
  for (let at = tail.byteLength - endLength; at >= 0; at--) {
    const reaches = at + endLength + tail.getUint16(at + 20, true) === tail.byteLength;
    if (reaches && tail.getUint32(at, true) === 0x06054b50) return at;
  }
  return undefined;
}

/** The 64-bit record, when the pointer to it stands in front of the end record. */
async function readWide(tail: DataView, at: number, tailStart: number, source: ByteSource) {
  const pointer = at - 20;
  if (pointer < 0 || tail.getUint32(pointer, true) !== 0x07064b50) return undefined;
  const start = Number(tail.getBigUint64(pointer + 8, true));
  if (start + 56 > tailStart + pointer) {
    throw damaged(`the 64-bit end record cannot start at byte ${start}`, source);
  }
  const record = new DataView((await source.read(start, 56)).buffer);
  const length = Number(record.getBigUint64(4, true));
  const fits = start + 12 + length === tailStart + pointer;
  const here = record.getBigUint64(24, true);
  const count = record.getBigUint64(32, true);
  const disks =
    record.getUint32(16, true) + record.getUint32(20, true) + tail.getUint32(pointer + 4, true);
  if (record.getUint32(0, true) !== 0x06064b50 || !fits || here !== count || disks !== 0) {
    throw damaged(`the 64-bit end record at byte ${start} is damaged`, source);
  }
  return {
    count: Number(count),
    size: Number(record.getBigUint64(40, true)),
    start: Number(record.getBigUint64(48, true)),
    end: start,
  };
}

const damaged = (message: string, source: ByteSource) =>
  diagnose("E220", {
    message,
    where: source.name,
    help: "fetch the file again, and compare its size with that of the origin",
  });
