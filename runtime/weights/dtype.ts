/** The number formats of checkpoints, and their conversion from and to 32-bit floats. */
import {
  type FileName,
  type FloatName,
  fileFormat,
  fileNames,
  floatFormat,
  floatNames,
} from "../../formats/index.ts";

export type Dtype = FileName;

/** The formats that a float tensor can be written in. */
export type FloatDtype = FloatName;

/** Bytes per element. */
export const itemBytes = Object.fromEntries(
  fileNames.map((name) => [name, fileFormat(name).width]),
) as Readonly<Record<Dtype, number>>;

export const isFloat = (dtype: Dtype): boolean => fileFormat(dtype).isFloat;

/**
 * Little-endian elements as 32-bit floats. f16, bf16, i16, i8, u8 and bool are exact; f64, i64 and
 * i32 round to the nearest float (f64 beyond 3.4e38 becomes infinite).
 *
 * The result may share the memory of `data`.
 */
export function toFloat32(data: Uint8Array<ArrayBuffer>, dtype: Dtype): Float32Array<ArrayBuffer> {
  const { width, decode } = fileFormat(dtype);
  return decode(data.byteOffset % width === 0 ? data : data.slice());
}

/**
 * 32-bit floats as little-endian bytes of another format, rounded to nearest, ties to even. What
 * is too large for the format becomes infinite; `largestFinite` says from where on.
 */
export const fromFloat32 = (
  values: Float32Array<ArrayBuffer>,
  dtype: FloatDtype,
): Uint8Array<ArrayBuffer> => floatFormat(dtype).encode(values);

/** The largest finite value of each format. */
export const largestFinite = Object.fromEntries(
  floatNames.map((name) => [name, floatFormat(name).largest]),
) as Readonly<Record<FloatDtype, number>>;
