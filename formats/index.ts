/** The number formats. A new one is a value here, and a line in a table at the end. */
import type { Capable, FileFormat, FloatFormat, Format, Widen } from "./format.ts";
import { bfloatToFloat, floatToBfloat, floatToHalf, halfToFloat } from "./half.ts";
import { type Bytes, bytesOf, type Floats, viewOf } from "./views.ts";

export * from "./format.ts";
export { bfloatToFloat, floatToBfloat, floatToHalf, halfToFloat } from "./half.ts";
export { bytesOf } from "./views.ts";

const f32 = {
  name: "f32",
  scalar: "f32",
  width: 4,
  isFloat: true,
  block: { elements: 1, words: 1 },
  integers: 2 ** 24,
  largest: 3.4028234663852886e38,
  array: Float32Array,
  encode: (values: Floats) => bytesOf(values),
  decode: (bytes: Bytes) => viewOf(Float32Array, bytes),
} as const satisfies Format & FloatFormat;

/** Numbers of 16 bits. Two of them lie in a word, the first in its lower half. */
const narrow = (
  [integers, largest]: readonly [integers: number, largest: number],
  toBits: (values: Floats) => Uint16Array<ArrayBuffer>,
  toFloats: (bits: Uint16Array<ArrayBuffer>) => Float32Array<ArrayBuffer>,
) =>
  ({
    scalar: "f32",
    width: 2,
    isFloat: true,
    block: { elements: 2, words: 1 },
    ...{ integers, largest },
    encode: (values: Floats) => bytesOf(toBits(values)),
    decode: (bytes: Bytes) => toFloats(viewOf(Uint16Array, bytes)),
  }) as const;

/** IEEE half precision. */
const half = narrow([2 ** 11, 65504], floatToHalf, halfToFloat);

const packedF16 = {
  ...half,
  name: "packed-f16",
  widen: (word, place, on) => on.half(on.shiftRight(word(0), on.times(place, 16))),
} as const satisfies Format & FloatFormat;

const f16 = {
  ...half,
  name: "f16",
  needs: "half",
} as const satisfies Format & FloatFormat;

/** The upper half of a single. */
const bfloat = narrow([2 ** 8, 3.3895313892515355e38], floatToBfloat, bfloatToFloat);

const packedBf16 = {
  ...bfloat,
  name: "packed-bf16",
  widen: (word, place, on) =>
    on.float(on.shiftLeft(on.shiftRight(word(0), on.times(place, 16)), 16)),
} as const satisfies Format & FloatFormat;

const bf16 = {
  ...bfloat,
  name: "bf16",
  needs: "bfloat",
} as const satisfies Format & FloatFormat;

const i32 = whole("i32", Int32Array, 2 ** 31 - 1);
const u32 = whole("u32", Uint32Array, 2 ** 32 - 1);

/** Whole numbers of 32 bits. */
function whole<Name extends "i32" | "u32">(
  name: Name,
  Numbers: Int32ArrayConstructor | Uint32ArrayConstructor,
  largest: number,
) {
  return {
    name,
    scalar: name,
    width: 4,
    isFloat: false,
    block: { elements: 1, words: 1 },
    integers: largest,
    largest,
    array: Numbers,
    encode: (values: Floats) => bytesOf(Numbers.from(values)),
    decode: (bytes: Bytes) => Float32Array.from(viewOf<ArrayLike<number>>(Numbers, bytes)),
  } as const satisfies Format & FileFormat;
}

/** What files alone have. */
const filed = <Name extends string>(
  name: Name,
  width: number,
  decode: (bytes: Bytes) => Floats,
  isFloat = false,
) => ({ name, width, isFloat, decode }) as const satisfies FileFormat;

const f64 = filed("f64", 8, (b) => Float32Array.from(viewOf(Float64Array, b)), true);
const i64 = filed("i64", 8, (b) => Float32Array.from(viewOf(BigInt64Array, b), Number));
const i16 = filed("i16", 2, (b) => Float32Array.from(viewOf(Int16Array, b)));
const i8 = filed("i8", 1, (b) => Float32Array.from(viewOf(Int8Array, b)));
const u8 = filed("u8", 1, (b) => Float32Array.from(b));
const bool = filed("bool", 1, (b) => Float32Array.from(b, (value) => (value === 0 ? 0 : 1)));

/** Of frozen parameters: rounded once, and computed with in `f32`. */
const weights = {
  f32,
  f16,
  bf16,
};
/** Of tensors on a device. */
const stored = { ...weights, i32, u32, "packed-f16": packedF16, "packed-bf16": packedBf16 };
/** Of floats that are written. */
const floats = { f32, f16, bf16 };
/** Of checkpoints. */
const files = { f64, f32, f16, bf16, i64, i32, i16, i8, u8, bool };

export type FormatName = keyof typeof stored;
/** Those that targets have types for. */
export type NativeName = {
  [Name in FormatName]: (typeof stored)[Name] extends { readonly widen: Widen } ? never : Name;
}[FormatName];
export type FloatName = keyof typeof floats;
export type WeightFormat = keyof typeof weights;
export type FileName = keyof typeof files;

export const isFormat = (name: string): name is FormatName => Object.hasOwn(stored, name);

export const floatNames = Object.keys(floats) as readonly FloatName[];
export const weightFormats = Object.keys(weights) as readonly WeightFormat[];
export const fileNames = Object.keys(files) as readonly FileName[];

export const formatOf = (name: FormatName): Format => stored[name];
export const floatFormat = (name: FloatName): FloatFormat => floats[name];
export const fileFormat = (name: FileName): FileFormat => files[name];

/** How numbers of a dtype are stored where nobody asks for less: booleans as 0 or 1. */
export const plain = (dtype: Format["scalar"] | "bool"): Format["scalar"] =>
  dtype === "bool" ? "u32" : dtype;

/** Words of a tensor on a device: whole blocks, and one at least. */
export function wordsOf(name: FormatName, elements: number): number {
  const { block } = formatOf(name);
  return Math.max(1, Math.ceil(elements / block.elements)) * block.words;
}

const wordBytes = 4;

/** Bytes of a tensor on a device. */
export const storedBytes = (name: FormatName, elements: number): number =>
  wordBytes * wordsOf(name, elements);

/** Bytes of the words that some bytes lie in: what devices allocate and bind. */
export const wholeWords = (bytes: number): number => Math.ceil(bytes / wordBytes) * wordBytes;

/** The nearest number of a format, ties to even: what a store makes of a number. Slow but for `f32` and whole numbers. */
export function roundingOf(name: FormatName): (value: number) => number {
  const { array, encode, decode } = formatOf(name);
  if (array) return array === Float32Array ? Math.fround : (value) => value;
  const one = new Float32Array(1);
  return (value) => {
    one[0] = value;
    return decode!(encode(one))[0]!;
  };
}

/** Numbers as a device stores them: whole blocks, with zeros after the last number. */
export function storedNumbers(name: FormatName, values: Floats): Bytes {
  const { block, encode } = formatOf(name);
  if (values.length % block.elements === 0) return encode(values);
  const whole = new Float32Array(Math.ceil(values.length / block.elements) * block.elements);
  whole.set(values);
  return encode(whole);
}

/** The fewest elements of which the bytes are a multiple of some bytes. */
export function alignedElements(name: FormatName, bytes: number): number {
  const { block } = formatOf(name);
  let blocks = 1;
  while ((blocks * block.words * wordBytes) % bytes !== 0) blocks++;
  return blocks * block.elements;
}

/** What memory of a device holds, each number a double. The bytes are whole blocks. */
export function deviceNumbers(name: NativeName, bytes: Bytes): Float64Array {
  const { array, decode }: Format = stored[name];
  return new Float64Array(array ? viewOf<ArrayLike<number>>(array, bytes) : decode!(bytes));
}

/** The memory of a device that holds these numbers: they are numbers of the format already. */
export function deviceBytes(name: NativeName, numbers: Float64Array): Bytes {
  const { array }: Format = stored[name];
  return array
    ? bytesOf(new array(numbers) as ArrayBufferView<ArrayBuffer>)
    : storedNumbers(name, new Float32Array(numbers));
}

/** How many elements some bytes on a device hold. */
export function elementsIn(name: FormatName, bytes: number): number {
  const { block } = formatOf(name);
  return Math.floor(bytes / (wordBytes * block.words)) * block.elements;
}

/** Whether every `f32` is a number of the format. */
export const holdsSingles = (name: FormatName): boolean => formatOf(name).integers >= f32.integers;

/** Whether kernels of a device have the format. A plan of another version may name one of its own. */
export function has(device: Capable, name: FormatName): boolean {
  if (!isFormat(name)) return false;
  const { needs } = formatOf(name);
  return !needs || device[needs] === true;
}

/** The format that kernels of a device read where one is asked for: it, or its bytes in words; undefined if there is none. */
export const readable = (device: Capable, name: FormatName): FormatName | undefined =>
  ([name, `packed-${name}`] as FormatName[]).find((one) => has(device, one));

/** Whether kernels of a device write the format. */
export const isWritable = (device: Capable, name: FormatName): boolean =>
  has(device, name) && formatOf(name).widen === undefined;

/** Bytes of a tensor in a file. */
export const fileBytes = (name: FileName, elements: number): number =>
  elements * fileFormat(name).width;

/** How many whole elements some bytes of a file hold. */
export const fileElements = (name: FileName, bytes: number): number =>
  Math.floor(bytes / fileFormat(name).width);
