/** Numbers of 16 bits in the lanes of a vector: widened and rounded, four at a time. */
import type { Code } from "./code.ts";

/** The numbers of halves, whose patterns are the lower 16 bits of each lane. Others do not matter. */
export function widenHalves(code: Code): void {
  const [bits, size] = [code.local("v128"), code.local("v128")];
  code.tee(bits);
  code.patterns(0x7fff);
  code.op("v128.and");
  code.i32(13);
  code.op("i32x4.shl");
  code.tee(size);
  code.floats(2 ** 112);
  code.op("f32x4.mul");
  // Infinity and NaN have the largest exponent here as there.
  code.patterns(0x7c00 << 13);
  code.get(size);
  code.op("i32x4.le_u");
  code.patterns(0x7f800000);
  code.op("v128.and");
  code.op("v128.or");
  code.get(bits);
  code.patterns(0x8000);
  code.op("v128.and");
  code.i32(16);
  code.op("i32x4.shl");
  code.op("v128.or");
  code.release("v128", bits);
  code.release("v128", size);
}

/** The numbers of bfloats, whose patterns are the lower 16 bits of each lane. Others do not matter. */
export function widenBfloats(code: Code): void {
  code.i32(16);
  code.op("i32x4.shl");
}

/** The patterns of the nearest bfloats, ties to even, in the lower 16 bits of each lane. */
export function roundBfloats(code: Code): void {
  const bits = code.local("v128");
  code.tee(bits);
  code.i32(16);
  code.op("i32x4.shr_u");
  code.patterns(1);
  code.op("v128.and");
  code.get(bits);
  code.op("i32x4.add");
  code.patterns(0x7fff);
  code.op("i32x4.add");
  // NaN is cut and made quiet: rounding could make it infinite.
  code.get(bits);
  code.patterns(0x400000);
  code.op("v128.or");
  code.get(bits);
  code.get(bits);
  code.op("f32x4.eq");
  code.op("v128.bitselect");
  code.i32(16);
  code.op("i32x4.shr_u");
  code.release("v128", bits);
}

/** The patterns of the nearest halves, ties to even, in the lower 16 bits of each lane. */
export function roundHalves(code: Code): void {
  const [bits, size] = [code.local("v128"), code.local("v128")];
  code.tee(bits);
  code.patterns(0x7fffffff);
  code.op("v128.and");
  code.set(size);
  // A normal half: the lowest bit that stays decides a tie.
  code.get(size);
  code.get(size);
  code.i32(13);
  code.op("i32x4.shr_u");
  code.patterns(1);
  code.op("v128.and");
  code.op("i32x4.add");
  code.patterns(0xc8000fff);
  code.op("i32x4.add");
  code.i32(13);
  code.op("i32x4.shr_u");
  // One below those: the sum has its last bit where the half has.
  code.get(size);
  code.floats(0.5);
  code.op("f32x4.add");
  code.floats(0.5);
  code.op("i32x4.sub");
  code.patterns(0x38800000);
  code.get(size);
  code.op("i32x4.le_u");
  code.op("v128.bitselect");
  // From 65520 on infinity, and NaN.
  code.patterns(0x7c00);
  code.patterns(0x7e00);
  code.get(size);
  code.patterns(0x7f800000);
  code.op("i32x4.le_u");
  code.op("v128.bitselect");
  code.get(size);
  code.patterns(0x477ff000);
  code.op("i32x4.lt_u");
  code.op("v128.bitselect");
  code.get(bits);
  code.i32(16);
  code.op("i32x4.shr_u");
  code.patterns(0x8000);
  code.op("v128.and");
  code.op("v128.or");
  code.release("v128", bits);
  code.release("v128", size);
}
