/**
 * 16-bit floats by their bits: IEEE half (1 sign, 5 exponent, 10 fraction bits) and bfloat16 (the
 * upper half of a 32-bit float). Written out because typed arrays of halves are too new to rely on.
 */

/** Exact. NaNs keep their sign and payload. */
export function halfToFloat(bits: Uint16Array): Float32Array<ArrayBuffer> {
  halfValues ??= tabulateHalves();
  const out = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = halfValues[bits[i]!]!;
  return new Float32Array(out.buffer);
}

/** Rounds to nearest, ties to even; from 65520 on the result is infinite. NaNs stay NaNs. */
export function floatToHalf(values: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = bitsOf(values);
  const out = new Uint16Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = roundToHalf(bits[i]!);
  return out;
}

/** Exact. */
export function bfloatToFloat(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const out = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = bits[i]! << 16;
  return new Float32Array(out.buffer);
}

/** Rounds to nearest, ties to even. NaNs stay NaNs. */
export function floatToBfloat(values: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = bitsOf(values);
  const out = new Uint16Array(bits.length);
  for (let i = 0; i < bits.length; i++) {
    const x = bits[i]!;
    const isNan = (x & 0x7fffffff) > 0x7f800000;
    // Rounding could carry a NaN's payload into infinity, so a NaN is cut and made quiet instead.
    out[i] = isNan ? (x >>> 16) | 0x40 : (x + 0x7fff + ((x >>> 16) & 1)) >>> 16;
  }
  return out;
}

/** The bits of each of the 65536 halves as a 32-bit float; made on first use. */
let halfValues: Uint32Array | undefined;

function tabulateHalves(): Uint32Array {
  const bits = new Uint32Array(65536);
  const values = new Float32Array(bits.buffer);
  for (let half = 0; half < 65536; half++) {
    const sign = (half & 0x8000) << 16;
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    if (exponent === 31) bits[half] = sign | 0x7f800000 | (fraction << 13);
    else if (exponent > 0) bits[half] = sign | ((exponent + 112) << 23) | (fraction << 13);
    else {
      values[half] = fraction * 2 ** -24;
      bits[half]! |= sign;
    }
  }
  return bits;
}

function roundToHalf(x: number): number {
  const sign = (x >>> 16) & 0x8000;
  const magnitude = x & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x3ff);
  if (magnitude >= 0x47800000) return sign | 0x7c00; // 65536 and more, infinity
  if (magnitude < 0x33000000) return sign; // less than half of the smallest subnormal
  if (magnitude < 0x38800000) return sign | roundToSubnormal(magnitude);
  // A carry out of the fraction runs into the exponent, which is what rounding up means.
  return sign | ((magnitude + 0xfff + ((magnitude >>> 13) & 1) - 0x38000000) >>> 13);
}

/** A magnitude below 2^-14 in units of 2^-24. */
function roundToSubnormal(magnitude: number): number {
  const significand = (magnitude & 0x7fffff) | 0x800000;
  const shift = 126 - (magnitude >>> 23);
  const kept = significand >>> shift;
  const rest = significand & ((1 << shift) - 1);
  const tie = 1 << (shift - 1);
  return rest > tie || (rest === tie && kept & 1) ? kept + 1 : kept;
}

const bitsOf = (values: Float32Array) =>
  new Uint32Array(values.buffer, values.byteOffset, values.length);
