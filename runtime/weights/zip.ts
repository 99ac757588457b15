/**
 * The zip container of PyTorch checkpoints, read by position: the directory at the end says where
 * each entry lies, and entries are stored as they are. Whatever a zip says twice must agree, so
 * that a flipped bit shows up as an error and never as a tensor read from the wrong place.
 */
import { diagnose } from "../../diagnostics/index.ts";
import { crc32 } from "./crc32.ts";
import type { ByteSource } from "./source.ts";
import { findDirectory } from "./zip-directory.ts";

export interface ZipEntry {
  readonly name: string;
  /** 0 means stored as it is. */
  readonly method: number;
  readonly flags: number;
  readonly crc: number;
  readonly compressedSize: number;
  /** Bytes of the content. */
  readonly size: number;
  /** Where the entry's own header starts. */
  readonly headerStart: number;
  /** No byte of the entry lies at or beyond this: where the next one, or the directory, starts. */
  readonly limit: number;
}

export interface ZipArchive {
  readonly source: ByteSource;
  readonly entries: ReadonlyMap<string, ZipEntry>;
}

/** Reads the directory. Errors: E220 (not a zip, cut short, or inconsistent). */
export async function openZip(source: ByteSource): Promise<ZipArchive> {
  const { start, bytes, count } = await findDirectory(source);
  const view = new DataView(bytes.buffer);
  const found: Omit<ZipEntry, "limit">[] = [];
  let at = 0;
  while (at < bytes.byteLength) {
    const { entry, next } = readRecord(view, at, start, source.name);
    found.push(entry);
    at = next;
  }
  if (found.length !== count) {
    throw zipError(`the directory has ${found.length} entries, but its end record says ${count}`, {
      where: source.name,
    });
  }
  return { source, entries: withLimits(found, start, source.name) };
}

/**
 * Where the content of an entry starts, in bytes from the start of the file. Compares the entry's
 * own header (and the descriptor behind the content, where there is one) with the directory.
 * Errors: E220, E221 (compressed or encrypted).
 */
export async function locate({ source }: ZipArchive, entry: ZipEntry): Promise<number> {
  const where = `${source.name}, entry "${entry.name}"`;
  if (entry.method !== 0 || entry.flags & 1) {
    const how = entry.flags & 1 ? "encrypted" : "compressed";
    throw diagnose("E221", {
      message: `the entry is ${how}; tensors are read in place and must be stored as they are`,
      where,
      help: "write the checkpoint with torch.save, or pack it again with zip -0",
    });
  }
  const fixed = await source.read(entry.headerStart, 30);
  const view = new DataView(fixed.buffer);
  const nameLength = view.getUint16(26, true);
  const extraLength = view.getUint16(28, true);
  const start = entry.headerStart + 30 + nameLength + extraLength;
  const disagrees = (what: string) =>
    zipError(`the entry's own header and the directory disagree about ${what}`, { where });
  if (view.getUint32(0, true) !== 0x04034b50) throw disagrees("where it starts");
  if (view.getUint16(6, true) !== entry.flags) throw disagrees("its flags");
  if (view.getUint16(8, true) !== entry.method) throw disagrees("its compression");
  if (start + entry.size > entry.limit) throw disagrees("its size");
  const rest = await source.read(entry.headerStart + 30, nameLength + extraLength);
  if (decodeName(rest.subarray(0, nameLength)) !== entry.name) throw disagrees("its name");
  const extra = new DataView(rest.buffer, nameLength);
  if (!extraFields(extra)) throw disagrees("the length of its header");
  if (!(entry.flags & 8) && !sizesAgree(view, entry)) throw disagrees("its size or checksum");
  // A wrong header length would shift the content and nothing else. What follows the content shows
  // that it ends where it should; where the neighbour leaves a gap, only the checksum can.
  const end = start + entry.size;
  const ends = entry.flags & 8 ? await descriptorAgrees(source, entry, end) : end === entry.limit;
  if (!ends && !(await checksumAgrees(source, entry, start))) {
    throw disagrees("where its content lies");
  }
  return start;
}

/** The whole content of an entry, compared with its checksum. Errors: E220, E221. */
export async function readEntry(archive: ZipArchive, entry: ZipEntry) {
  const bytes = await archive.source.read(await locate(archive, entry), entry.size);
  if (crc32(bytes) !== entry.crc) {
    throw zipError("the content does not match its checksum", {
      where: `${archive.source.name}, entry "${entry.name}"`,
    });
  }
  return bytes;
}

/** Whether the content, which starts at `start`, has its checksum; reads it in pieces of 16 MiB. */
export async function checksumAgrees(source: ByteSource, entry: ZipEntry, start: number) {
  const piece = 2 ** 24;
  let crc = 0;
  for (let at = 0; at < entry.size; at += piece) {
    crc = crc32(await source.read(start + at, Math.min(piece, entry.size - at)), crc);
  }
  return crc === entry.crc;
}

export function zipError(message: string, { where }: { readonly where: string }) {
  return diagnose("E220", {
    message,
    where,
    help: "the file is cut short or damaged: fetch it again",
  });
}

const unset = 0xffffffff;

/** One record of the directory. Sizes and the offset may stand in a 64-bit extra field instead. */
function readRecord(view: DataView, at: number, directoryStart: number, file: string) {
  const where = `${file}, byte ${directoryStart + at}`;
  if (at + 46 > view.byteLength || view.getUint32(at, true) !== 0x02014b50) {
    throw zipError("an entry of the directory was expected here", { where });
  }
  const nameLength = view.getUint16(at + 28, true);
  const extraLength = view.getUint16(at + 30, true);
  const nameStart = at + 46;
  const next = nameStart + nameLength + extraLength + view.getUint16(at + 32, true);
  if (next > view.byteLength) throw zipError("an entry runs past the directory's end", { where });
  const name = decodeName(new Uint8Array(view.buffer, nameStart, nameLength));
  if (name === undefined) throw zipError("the name of an entry is not UTF-8 text", { where });
  const extra = extraFields(new DataView(view.buffer, nameStart + nameLength, extraLength));
  if (!extra) throw zipError(`the extra fields of entry "${name}" are damaged`, { where });
  const wide = wideReader(extra.get(1));
  const size = wide(view.getUint32(at + 24, true));
  const compressedSize = wide(view.getUint32(at + 20, true));
  const headerStart = wide(view.getUint32(at + 42, true));
  if (size === undefined || compressedSize === undefined || headerStart === undefined) {
    throw zipError(`the 64-bit sizes of entry "${name}" are missing or too large`, { where });
  }
  const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
  if (method === 0 && size !== compressedSize) {
    throw zipError(`entry "${name}" is stored as it is, yet has two sizes`, { where });
  }
  const crc = view.getUint32(at + 16, true);
  return { entry: { name, method, flags, crc, compressedSize, size, headerStart }, next };
}

/** Gives each entry the room up to its neighbour and refuses entries that overlap. */
function withLimits(
  found: readonly Omit<ZipEntry, "limit">[],
  directoryStart: number,
  file: string,
) {
  const starts = found.map((entry) => entry.headerStart).sort((a, b) => a - b);
  const following = new Map(starts.map((start, i) => [start, starts[i + 1] ?? directoryStart]));
  const entries = new Map<string, ZipEntry>();
  for (const entry of found) {
    const where = `${file}, entry "${entry.name}"`;
    const limit = following.get(entry.headerStart)!;
    if (entries.has(entry.name)) throw zipError("two entries have this name", { where });
    if (entry.headerStart + 30 + entry.compressedSize > limit) {
      throw zipError(
        `its ${entry.compressedSize} bytes from ${entry.headerStart} run into what starts at ${limit}`,
        { where },
      );
    }
    entries.set(entry.name, { ...entry, limit });
  }
  if (following.size !== found.length) {
    throw zipError("two entries start at the same byte", { where: file });
  }
  return entries;
}

/** Extra fields by their number, or `undefined` when their lengths do not fill the room. */
function extraFields(view: DataView): Map<number, DataView> | undefined {
  const fields = new Map<number, DataView>();
  let at = 0;
  while (at + 4 <= view.byteLength) {
    const length = view.getUint16(at + 2, true);
    if (at + 4 + length > view.byteLength) return undefined;
    fields.set(
      view.getUint16(at, true),
      new DataView(view.buffer, view.byteOffset + at + 4, length),
    );
    at += 4 + length;
  }
  // Programs that align entries may leave up to three zero bytes that are no field.
  for (; at < view.byteLength; at++) if (view.getUint8(at) !== 0) return undefined;
  return fields;
}

/**
 * Takes a 32-bit value as it is, or the next 64-bit value of the field when it says "see there".
 */
function wideReader(field: DataView | undefined) {
  let at = 0;
  return (value: number): number | undefined => {
    if (value !== unset) return value;
    if (!field || at + 8 > field.byteLength) return undefined;
    const wide = Number(field.getBigUint64(at, true));
    at += 8;
    return Number.isSafeInteger(wide) ? wide : undefined;
  };
}

/**
 * Checksum and sizes in the entry's own header; `unset` means that they stand in an extra field.
 */
function sizesAgree(header: DataView, entry: ZipEntry): boolean {
  const [crc, compressed, size] = [14, 18, 22].map((offset) => header.getUint32(offset, true));
  return (
    crc === entry.crc &&
    (compressed === unset || compressed === entry.compressedSize) &&
    (size === unset || size === entry.size)
  );
}

/** Behind the content: a signature, the checksum, and two sizes of 4 or of 8 bytes. */
async function descriptorAgrees(source: ByteSource, entry: ZipEntry, end: number) {
  const view = new DataView((await source.read(end, Math.min(24, entry.limit - end))).buffer);
  const begins =
    view.byteLength >= 16 &&
    view.getUint32(0, true) === 0x08074b50 &&
    view.getUint32(4, true) === entry.crc;
  if (!begins) return false;
  if ([8, 12].every((at) => view.getUint32(at, true) === entry.size)) return true;
  const size = BigInt(entry.size);
  return view.byteLength === 24 && [8, 16].every((at) => view.getBigUint64(at, true) === size);
}

function decodeName(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
