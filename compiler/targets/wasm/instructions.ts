/**
 * The instructions of WebAssembly that kernels are made of, and how they are encoded: a mnemonic's bytes
 * are in one table, and so is what follows them.
 */

/** What follows an instruction's bytes. */
type Immediates =
  | "none"
  /** A local's number, a label's depth, a global's number. */
  | "number"
  | "i32"
  | "f32"
  | "f64"
  /** Sixteen bytes: a constant, or the places that a shuffle takes. */
  | "bytes"
  | "lane"
  /** Alignment as a power of two, and an offset. */
  | "memory"
  | "memory lane"
  /** What a block leaves on the stack: `blockTypes`. */
  | "block";

const simd = 0xfd;
const row = (of: Immediates, codes: Readonly<Record<string, number>>, prefix?: number) =>
  Object.entries(codes).map(([name, code]) => [name, { code, of, prefix }] as const);

const table = new Map(
  [
    row("block", { block: 0x02, loop: 0x03, if: 0x04 }),
    row("none", { else: 0x05, end: 0x0b, select: 0x1b }),
    row("number", { br_if: 0x0d, "local.get": 0x20, "local.set": 0x21, "local.tee": 0x22 }),
    row("memory", { "i32.load": 0x28, "f32.load": 0x2a, "i32.load16_u": 0x2f }),
    row("memory", { "i32.store": 0x36, "f32.store": 0x38, "i32.store16": 0x3b }),
    row("i32", { "i32.const": 0x41 }),
    row("f32", { "f32.const": 0x43 }),
    row("f64", { "f64.const": 0x44 }),
    row("none", { "i32.eqz": 0x45, "i32.eq": 0x46, "i32.ne": 0x47 }),
    row("none", { "i32.lt_s": 0x48, "i32.lt_u": 0x49, "i32.le_s": 0x4c, "i32.le_u": 0x4d }),
    row("none", { "i32.ge_u": 0x4f, "f32.eq": 0x5b, "f32.ne": 0x5c, "f32.lt": 0x5d }),
    row("none", { "f32.le": 0x5f, "i32.add": 0x6a, "i32.sub": 0x6b, "i32.mul": 0x6c }),
    row("none", { "i32.div_s": 0x6d, "i32.div_u": 0x6e, "i32.rem_s": 0x6f, "i32.rem_u": 0x70 }),
    row("none", { "i32.and": 0x71, "i32.or": 0x72, "i32.xor": 0x73, "i32.shl": 0x74 }),
    row("none", { "i32.shr_s": 0x75, "i32.shr_u": 0x76, "f32.abs": 0x8b, "f32.neg": 0x8c }),
    row("none", { "f32.floor": 0x8e, "f32.sqrt": 0x91, "f32.add": 0x92, "f32.sub": 0x93 }),
    row("none", { "f32.mul": 0x94, "f32.div": 0x95, "f32.min": 0x96, "f32.max": 0x97 }),
    row("none", { "f32.convert_i32_s": 0xb2, "f32.convert_i32_u": 0xb3 }),
    row("none", { "i32.reinterpret_f32": 0xbc, "f32.reinterpret_i32": 0xbe }),
    row("none", { "i32.trunc_sat_f32_s": 0x00, "i32.trunc_sat_f32_u": 0x01 }, 0xfc),
    row("memory", { "v128.load": 0x00, "v128.load32_splat": 0x09, "v128.store": 0x0b }, simd),
    row("bytes", { "v128.const": 0x0c, "i8x16.shuffle": 0x0d }, simd),
    row("none", { "i32x4.splat": 0x11, "f32x4.splat": 0x13, "f64x2.splat": 0x14 }, simd),
    row("lane", { "i32x4.extract_lane": 0x1b, "i32x4.replace_lane": 0x1c }, simd),
    row("lane", { "f32x4.extract_lane": 0x1f }, simd),
    row("none", { "i32x4.eq": 0x37, "i32x4.ne": 0x38, "i32x4.lt_s": 0x39 }, simd),
    row("none", { "i32x4.lt_u": 0x3a, "i32x4.gt_u": 0x3c, "i32x4.le_s": 0x3d }, simd),
    row("none", { "i32x4.le_u": 0x3e, "f32x4.eq": 0x41, "f32x4.ne": 0x42 }, simd),
    row("none", { "f32x4.lt": 0x43, "f32x4.le": 0x45, "v128.not": 0x4d, "v128.and": 0x4e }, simd),
    row("none", { "v128.or": 0x50, "v128.xor": 0x51, "v128.bitselect": 0x52 }, simd),
    row("none", { "v128.any_true": 0x53, "v128.andnot": 0x4f }, simd),
    row("memory lane", { "v128.load16_lane": 0x55, "v128.load32_lane": 0x56 }, simd),
    row("memory lane", { "v128.store16_lane": 0x59, "v128.store32_lane": 0x5a }, simd),
    row("memory lane", { "v128.store64_lane": 0x5b }, simd),
    row("memory", { "v128.load64_zero": 0x5d }, simd),
    row("none", { "f32x4.floor": 0x68, "f32x4.nearest": 0x6a, "i16x8.narrow_i32x4_u": 0x86 }, simd),
    row("none", { "i32x4.abs": 0xa0, "i32x4.neg": 0xa1, "i32x4.all_true": 0xa3 }, simd),
    row("none", { "i32x4.extend_low_i16x8_u": 0xa9, "i32x4.shl": 0xab }, simd),
    row("none", { "i32x4.shr_s": 0xac, "i32x4.shr_u": 0xad, "i32x4.add": 0xae }, simd),
    row("none", { "i32x4.sub": 0xb1, "i32x4.mul": 0xb5, "i32x4.min_s": 0xb6 }, simd),
    row("none", { "i32x4.min_u": 0xb7, "i32x4.max_s": 0xb8, "i32x4.max_u": 0xb9 }, simd),
    row("none", { "f32x4.abs": 0xe0, "f32x4.neg": 0xe1, "f32x4.sqrt": 0xe3 }, simd),
    row("none", { "f32x4.add": 0xe4, "f32x4.sub": 0xe5, "f32x4.mul": 0xe6 }, simd),
    row("none", { "f32x4.div": 0xe7, "f32x4.min": 0xe8, "f32x4.max": 0xe9 }, simd),
    row("none", { "f32x4.pmin": 0xea, "f32x4.pmax": 0xeb, "f64x2.add": 0xf0 }, simd),
    row("none", { "f64x2.mul": 0xf2, "f64x2.div": 0xf3 }, simd),
    row("none", { "i32x4.trunc_sat_f32x4_s": 0xf8, "i32x4.trunc_sat_f32x4_u": 0xf9 }, simd),
    row("none", { "f32x4.convert_i32x4_s": 0xfa, "f32x4.convert_i32x4_u": 0xfb }, simd),
    row("none", { "i32x4.trunc_sat_f64x2_s_zero": 0xfc }, simd),
    row("none", { "i32x4.trunc_sat_f64x2_u_zero": 0xfd }, simd),
    row("none", { "f32x4.relaxed_madd": 0x105 }, simd),
    row("none", { "f64x2.convert_low_i32x4_s": 0xfe, "f64x2.convert_low_i32x4_u": 0xff }, simd),
  ].flat(),
);

export const valueTypes = { i32: 0x7f, f32: 0x7d, v128: 0x7b } as const;
export type ValueType = keyof typeof valueTypes;

/** What a block leaves on the stack, as its immediate. */
export const blockTypes = { ...valueTypes, nothing: 0x40 } as const;

/** Unsigned, seven bits a byte, the lowest first. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  pushUnsigned(bytes, value);
  return bytes;
}

function pushUnsigned(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
}

/** Signed, of 32 bits. */
function pushSigned(bytes: number[], value: number): void {
  let rest = value | 0;
  while (rest < -0x40 || rest >= 0x40) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>= 7;
  }
  bytes.push(rest & 0x7f);
}

const pushNumber = (bytes: number[], number: Float32Array | Float64Array) =>
  bytes.push(...new Uint8Array(number.buffer));

function pushImmediates(bytes: number[], of: Immediates, given: readonly number[]): void {
  const [first = 0, second = 0, third = 0] = given;
  switch (of) {
    case "none":
      return;
    case "number":
      pushUnsigned(bytes, first);
      return;
    case "i32":
      pushSigned(bytes, first);
      return;
    case "f32":
      pushNumber(bytes, Float32Array.of(first));
      return;
    case "f64":
      pushNumber(bytes, Float64Array.of(first));
      return;
    case "bytes":
      bytes.push(...given);
      return;
    case "lane":
    case "block":
      bytes.push(first);
      return;
    case "memory":
    case "memory lane":
      pushUnsigned(bytes, first);
      pushUnsigned(bytes, second);
      if (of === "memory lane") bytes.push(third);
      return;
  }
}

/** Adds one instruction's bytes. False for a mnemonic that is not in the table: a bug of the caller's. */
export function instruction(bytes: number[], name: string, given: readonly number[]): boolean {
  const found = table.get(name);
  if (!found) return false;
  const { code, of, prefix } = found;
  if (prefix === undefined) bytes.push(code);
  else {
    bytes.push(prefix);
    pushUnsigned(bytes, code);
  }
  pushImmediates(bytes, of, given);
  return true;
}
