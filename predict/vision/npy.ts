/**
 * Arrays as NumPy writes them: a short text header, then the bare values. A user can look at saved
 * logits with `numpy.load`, and give back logits that NumPy saved.
 */
import { diagnose } from "../../diagnostics/index.ts";

export interface NumpyArray {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** The bytes of a `.npy` file, version 1.0, little-endian float32, last dimension contiguous. */
export function encodeNpy({ shape, data }: NumpyArray): Uint8Array {
  checkCount(shape, data.length, "the array to save");
  // A tuple of one needs its comma.
  const tuple = `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': ${tuple}, }`;
  const start = Math.ceil((preamble + header.length + 1) / 64) * 64;
  const out = new Uint8Array(start + data.length * 4);
  const view = new DataView(out.buffer);
  out.set([...magic, 1, 0]);
  view.setUint16(8, start - preamble, true);
  out.set(new TextEncoder().encode(`${header.padEnd(start - preamble - 1)}\n`), preamble);
  data.forEach((value, i) => {
    view.setFloat32(start + i * 4, value, true);
  });
  return out;
}

/**
 * Reads a `.npy` file of float32 or float64 (rounded to float32), of either byte order.
 *
 * @param where The file's name, for messages.
 * @param accept "numbers" also reads whole numbers of 8, 16 and 32 bits, rounded to float32.
 * @throws E321 for bytes that are no `.npy` file or a cut one, E322 for other contents.
 */
export function decodeNpy(
  bytes: Uint8Array,
  where?: string,
  accept: "floats" | "numbers" = "floats",
): NumpyArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { start, text } = findHeader(bytes, view, where);
  const { descr, fortran, shape } = parseHeader(text, where);
  const kind = kinds[descr.replace(/^[<>|=]/, "")];
  if (!kind || (accept === "floats" && !descr.includes("f"))) {
    throw diagnose("E322", {
      message: `the .npy file holds '${descr}', not floats of 32 or 64 bits`,
      where,
      help: "save it as numpy.save(file, array.astype('float32'))",
    });
  }
  if (fortran && shape.length > 1) {
    throw diagnose("E322", {
      message: "the .npy file holds its values column by column (fortran_order)",
      where,
      help: "save it as numpy.save(file, numpy.ascontiguousarray(array))",
    });
  }
  const count = shape.reduce((product, side) => product * side, 1);
  const [width, get] = kind;
  if (bytes.length - start !== count * width) {
    throw diagnose("E321", {
      message: `shape (${shape.join(", ")}) of '${descr}' needs ${count * width} bytes after byte ${start}, but ${bytes.length - start} follow`,
      where,
      help: "the file was cut short or appended to; save it again",
    });
  }
  const little = !descr.startsWith(">");
  const read = (i: number) => get(view, start + i * width, little);
  return { shape, data: Float32Array.from({ length: count }, (_, i) => read(i)) };
}

/** Whether a file begins as a `.npy` file does. */
export const isNpy = (bytes: Uint8Array): boolean => magic.every((byte, i) => bytes[i] === byte);

const magic = [0x93, ...new TextEncoder().encode("NUMPY")];
/** Magic, two bytes of version, two of header length. */
const preamble = 10;

type Get = (view: DataView, at: number, little: boolean) => number;

/** By NumPy's name of a kind of number: its bytes, and how it is read. */
const kinds: Readonly<Record<string, readonly [bytes: number, get: Get]>> = {
  f4: [4, (view, at, little) => view.getFloat32(at, little)],
  f8: [8, (view, at, little) => view.getFloat64(at, little)],
  u1: [1, (view, at) => view.getUint8(at)],
  i1: [1, (view, at) => view.getInt8(at)],
  u2: [2, (view, at, little) => view.getUint16(at, little)],
  i2: [2, (view, at, little) => view.getInt16(at, little)],
  u4: [4, (view, at, little) => view.getUint32(at, little)],
  i4: [4, (view, at, little) => view.getInt32(at, little)],
};

function findHeader(bytes: Uint8Array, view: DataView, where?: string) {
  if (!isNpy(bytes)) {
    throw diagnose("E321", {
      message: `the file does not begin as a .npy file does (${bytes.length} bytes)`,
      where,
      help: "give the .npy file that a previous call wrote, or one of numpy.save",
    });
  }
  // Versions 2 and 3 have a header length of four bytes.
  const long = (bytes[6] ?? 0) >= 2;
  const begin = long ? 12 : 10;
  const length =
    bytes.length < begin ? 0 : long ? view.getUint32(8, true) : view.getUint16(8, true);
  const start = begin + length;
  if (length === 0 || start > bytes.length) {
    throw diagnose("E321", {
      message: `the .npy header should end at byte ${start}, but the file has ${bytes.length} bytes`,
      where,
      help: "the file was cut short; save it again",
    });
  }
  return { start, text: new TextDecoder().decode(bytes.subarray(begin, start)) };
}

/** The header is a Python dictionary; only the three keys that NumPy writes are looked for. */
function parseHeader(text: string, where?: string) {
  const descr = /'descr':\s*'([^']*)'/.exec(text)?.[1];
  const fortran = /'fortran_order':\s*(True|False)/.exec(text)?.[1];
  const tuple = /'shape':\s*\(([\d,\s]*)\)/.exec(text)?.[1];
  if (fortran === undefined || tuple === undefined || descr === undefined) {
    const structured = /'descr':\s*\[/.test(text);
    throw diagnose(structured ? "E322" : "E321", {
      message: structured
        ? "the .npy file holds records, not floats"
        : `the .npy header is damaged: ${JSON.stringify(text.slice(0, 80).trim())}`,
      where,
      help: "save it as numpy.save(file, array.astype('float32'))",
    });
  }
  const shape = tuple.split(",").flatMap((side) => (side.trim() ? [Number(side)] : []));
  return { descr, fortran: fortran === "True", shape };
}

function checkCount(shape: readonly number[], length: number, what: string): void {
  const count = shape.reduce((product, side) => product * side, 1);
  if (count === length) return;
  throw diagnose("E320", {
    message: `${what} of shape ${shape.join(" x ")} needs ${count} values, but has ${length}`,
  });
}
