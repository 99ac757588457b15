/** The number formats of checkpoints, and their conversion from and to 32-bit floats. */
import { bfloatToFloat, floatToBfloat, floatToHalf, halfToFloat } from "./half.ts";

export type Dtype = "f64" | "f32" | "f16" | "bf16" | "i64" | "i32" | "i16" | "i8" | "u8" | "bool";

/** The formats that a float tensor can be written in. */
export type FloatDtype = "f32" | "f16" | "bf16";

/** Bytes per element. */
export const itemBytes: Readonly<Record<Dtype, number>> = {
  f64: 8,
  f32: 4,
  f16: 2,
  bf16: 2,
  i64: 8,
  i32: 4,
  i16: 2,
  i8: 1,
  u8: 1,
  bool: 1,
};

export const isFloat = (dtype: Dtype): boolean =>
  dtype === "f64" || dtype === "f32" || dtype === "f16" || dtype === "bf16";

/**
 * Little-endian elements as 32-bit floats. f16, bf16, i16, i8, u8 and bool are exact; f64, i64 and
 * i32 round to the nearest float (f64 beyond 3.4e38 becomes infinite).
 *
 * The result may share the memory of `data`. Typed arrays follow the host's byte order, and every
 * host that runs WebGPU or CUDA is little-endian, as the files are.
 */
export function toFloat32(data: Uint8Array<ArrayBuffer>, dtype: Dtype): Float32Array<ArrayBuffer> {
  const aligned = data.byteOffset % itemBytes[dtype] === 0 ? data : data.slice();
  const { buffer, byteOffset } = aligned;
  const length = aligned.byteLength / itemBytes[dtype];
  switch (dtype) {
    case "f32":
      return new Float32Array(buffer, byteOffset, length);
    case "f64":
      return Float32Array.from(new Float64Array(buffer, byteOffset, length));
    case "f16":
      return halfToFloat(new Uint16Array(buffer, byteOffset, length));
    case "bf16":
      return bfloatToFloat(new Uint16Array(buffer, byteOffset, length));
    case "i64":
      return Float32Array.from(new BigInt64Array(buffer, byteOffset, length), Number);
    case "i32":
      return Float32Array.from(new Int32Array(buffer, byteOffset, length));
    case "i16":
      return Float32Array.from(new Int16Array(buffer, byteOffset, length));
    case "i8":
      return Float32Array.from(new Int8Array(buffer, byteOffset, length));
    case "u8":
      return Float32Array.from(aligned);
    case "bool":
      return Float32Array.from(aligned, (value) => (value === 0 ? 0 : 1));
  }
}

/**
 * 32-bit floats as little-endian bytes of another format, rounded to nearest, ties to even. What
 * is too large for the format becomes infinite; `largestFinite` says from where on.
 */
export function fromFloat32(
  values: Float32Array<ArrayBuffer>,
  dtype: FloatDtype,
): Uint8Array<ArrayBuffer> {
  switch (dtype) {
    case "f32":
      return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    case "f16":
      return new Uint8Array(floatToHalf(values).buffer);
    case "bf16":
      return new Uint8Array(floatToBfloat(values).buffer);
  }
}

/** The largest finite value of each format. */
export const largestFinite: Readonly<Record<FloatDtype, number>> = {
  f32: 3.4028234663852886e38,
  f16: 65504,
  bf16: 3.3895313892515355e38,
};
