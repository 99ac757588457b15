/**
 * The safetensors format: 8 bytes of header length (little-endian), a JSON header, then the
 * elements of all tensors, one after another without gaps. The header is believed in nothing: every
 * dtype, shape and offset is checked against the others and against the size of the file.
 */
import { diagnose } from "../../diagnostics/index.ts";
import { fileBytes } from "../../formats/index.ts";
import { changed, readChecksums } from "./checksums.ts";
import type { Dtype } from "./dtype.ts";
import { openHash } from "./hash.ts";
import { isRecord, parseJson } from "./json.ts";
import type { ByteSource } from "./source.ts";
import { countElements, makeWeights, type TensorEntry, type Weights } from "./weights.ts";

const help = "the file is cut short or damaged, or is another: fetch it again";

/** Above this a header is refused, as the format's own implementation does. */
const maxHeader = 100_000_000;

interface Placed extends TensorEntry {
  /** Byte offset from the start of the file. */
  readonly start: number;
}

/**
 * Opens a safetensors file: reads the header only.
 *
 * Errors: E210 (cut short, or no header), E211 (the header is not JSON), E212 (a tensor's entry is
 * malformed), E213 (offsets leave a hole, overlap, or leave the file), E214 (a dtype inarch cannot
 * read), E461 (a file that inarch wrote was changed). Reading a tensor of such a file to its end gives
 * E461 when it was changed.
 */
export async function openSafetensors(source: ByteSource): Promise<Weights> {
  const header = await readHeader(source);
  const all = readMetadata(header.json.__metadata__, source.name);
  const tensors = new Map<string, Placed>();
  for (const [name, entry] of Object.entries(header.json)) {
    if (name === "__metadata__") continue;
    tensors.set(name, readEntry(name, entry, header.dataStart, source.name));
  }
  checkLayout(tensors, header.dataStart, source);
  const checks = readChecksums(header.bytes, all, tensors.keys(), source.name);
  const { checksum, hashes, metadata } = checks;
  return makeWeights({
    source: source.name,
    tensors,
    metadata,
    ...(checksum === undefined ? {} : { checksum }),
    stream: (name, elements, isLent) =>
      stream(source, name, tensors.get(name)!, hashes?.get(name), elements, isLent),
    close: async () => source.close?.(),
  });
}

async function* stream(
  source: ByteSource,
  name: string,
  { start, bytes, dtype }: Placed,
  expected: string | undefined,
  elements: number,
  isLent = false,
) {
  const lent = isLent ? source.lend?.() : undefined;
  const step = Math.min(fileBytes(dtype, elements), lent?.bytes ?? bytes);
  const hash = expected === undefined ? undefined : openHash(lent?.mix);
  try {
    for (let at = 0; at < bytes; at += step) {
      const piece = await (lent ?? source).read(start + at, Math.min(step, bytes - at));
      hash?.add(piece);
      // Before the last piece is given away: who has that need not come back for an error.
      if (at + step >= bytes && hash && hash.digits() !== expected)
        throw changed("the tensor does not match its hash", `${source.name}, tensor "${name}"`);
      yield piece;
    }
  } finally {
    lent?.done();
  }
}

async function readHeader(source: ByteSource) {
  const { name, size } = source;
  if (size < 8) {
    throw diagnose("E210", {
      message: `a safetensors file starts with 8 bytes of header length; here are ${size} bytes`,
      where: name,
      help,
    });
  }
  const length = Number(new DataView((await source.read(0, 8)).buffer).getBigUint64(0, true));
  if (length > maxHeader) {
    throw diagnose("E210", {
      message: `the header claims ${length} bytes; the format allows ${maxHeader}`,
      where: `${name}, bytes 0 to 8`,
      help,
    });
  }
  if (8 + length > size) {
    throw diagnose("E210", {
      message: `the header claims ${length} bytes, but the file ends after ${size - 8} of them`,
      where: name,
      help,
    });
  }
  const bytes = await source.read(0, 8 + length);
  // The format asks for the brace at once, and for sizes and offsets as digits.
  const parsed: ReturnType<typeof parseJson> =
    length > 0 && bytes[8] !== 0x7b
      ? { problem: "it does not begin with {" }
      : parseJson(bytes.subarray(8), "whole");
  if ("problem" in parsed || !isRecord(parsed.value)) {
    const problem = "problem" in parsed ? parsed.problem : "it is another JSON value";
    throw diagnose("E211", {
      message: `the header is not a JSON object: ${problem}`,
      where: `${name}, bytes 8 to ${8 + length}`,
      help,
    });
  }
  return { json: parsed.value, bytes, dataStart: 8 + length };
}

function readMetadata(value: unknown, file: string): Record<string, string> {
  if (value === undefined) return {};
  if (isRecord(value)) {
    const wrong = Object.keys(value).filter((key) => typeof value[key] !== "string");
    // The check above is what makes the claim about the values' type true.
    if (wrong.length === 0) return value as Record<string, string>;
    throw diagnose("E212", {
      message: `metadata must be strings, but ${wrong.map((key) => `"${key}"`).join(", ")} is not`,
      where: `${file}, __metadata__`,
      help: "write numbers and lists as JSON text inside a string",
    });
  }
  throw diagnose("E212", {
    message: "__metadata__ must be an object of strings",
    where: file,
    help: 'write {"__metadata__": {"key": "value"}, …}',
  });
}

const dtypes: Readonly<Record<string, Dtype>> = {
  F64: "f64",
  F32: "f32",
  F16: "f16",
  BF16: "bf16",
  I64: "i64",
  I32: "i32",
  I16: "i16",
  I8: "i8",
  U8: "u8",
  BOOL: "bool",
};

function readEntry(name: string, entry: unknown, dataStart: number, file: string): Placed {
  const where = `${file}, tensor "${name}"`;
  const malformed = (message: string) =>
    diagnose("E212", {
      message,
      where,
      help: 'an entry is {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}',
    });
  if (!isRecord(entry)) throw malformed("the entry is not an object");
  const extra = Object.keys(entry).filter((k) => !["dtype", "shape", "data_offsets"].includes(k));
  if (extra.length > 0) throw malformed(`the entry has unknown fields: ${extra.join(", ")}`);
  const { shape, data_offsets: offsets } = entry;
  if (typeof entry.dtype !== "string") throw malformed("dtype is not a string");
  const dtype = Object.hasOwn(dtypes, entry.dtype) ? dtypes[entry.dtype] : undefined;
  if (dtype === undefined) {
    throw diagnose("E214", {
      message: `the dtype ${JSON.stringify(entry.dtype)} is not one that inarch reads`,
      where,
      help: `convert the tensor to one of ${Object.keys(dtypes).join(", ")}`,
    });
  }
  const elements = Array.isArray(shape) ? countElements(shape) : undefined;
  if (elements === undefined) {
    throw malformed(`the shape ${JSON.stringify(shape)} is not a list of sizes`);
  }
  const bytes = fileBytes(dtype, elements);
  if (!isRange(offsets)) {
    throw malformed(`data_offsets ${JSON.stringify(offsets)} is not a pair of byte offsets`);
  }
  const span = offsets[1] - offsets[0];
  if (span !== bytes) {
    throw malformed(
      `the shape [${shape}] of ${entry.dtype} takes ${bytes} bytes, but data_offsets span ${span}`,
    );
  }
  return { dtype, shape: shape as number[], bytes, start: dataStart + offsets[0] };
}

const isRange = (value: unknown): value is [number, number] =>
  Array.isArray(value) &&
  value.length === 2 &&
  value.every((offset) => Number.isSafeInteger(offset) && offset >= 0) &&
  value[0] <= value[1];

/** Tensors must cover the rest of the file: each starts where the one before it ends. */
function checkLayout(tensors: ReadonlyMap<string, Placed>, dataStart: number, source: ByteSource) {
  const inOrder = [...tensors].sort(([, a], [, b]) => a.start - b.start || a.bytes - b.bytes);
  let end = dataStart;
  let last = "the header";
  for (const [name, { start, bytes }] of inOrder) {
    if (start !== end) {
      const problem =
        start < end
          ? `overlaps ${last}, which ends at byte ${end}`
          : `leaves ${start - end} bytes unused after ${last}`;
      throw layoutError(`tensor "${name}", from byte ${start} on, ${problem}`, source.name);
    }
    end = start + bytes;
    last = `tensor "${name}"`;
  }
  if (end > source.size) {
    const missing = `${end - source.size} are missing`;
    throw layoutError(
      `header and tensors take ${end} bytes, but the file has ${source.size}: ${missing}`,
      source.name,
    );
  }
  if (end < source.size) {
    throw layoutError(`${source.size - end} bytes follow the last tensor`, source.name);
  }
}

const layoutError = (message: string, file: string) =>
  diagnose("E213", {
    message,
    where: file,
    help,
  });
