/** Number formats: what kernels make of words is what the host makes of bytes. */
import { describe, expect, test } from "vitest";
import {
  elementsIn,
  type FormatName,
  floatFormat,
  formatOf,
  has,
  isWritable,
  type Patterns,
  readable,
  roundingOf,
  storedBytes,
  storedNumbers,
  type WeightFormat,
} from "../../formats/index.ts";

/** A kernel's arithmetic on the host. */
const patterns: Patterns<number> = {
  plus: (a, b) => a + b,
  times: (a, b) => a * b,
  shiftLeft: (a, by) => (a << by) >>> 0,
  shiftRight: (a, by) => a >>> by,
  float: (a) => new Float32Array(Uint32Array.of(a).buffer)[0]!,
  number: (a) => a,
  half: (a) => floatFormat("f16").decode(new Uint8Array(Uint16Array.of(a).buffer))[0]!,
};

const all = Uint16Array.from({ length: 65536 }, (_, i) => i);

test.each([
  ["packed-bf16", "bf16"],
  ["packed-f16", "f16"],
] as const)("%s: a kernel widens each of the 65536 patterns exactly", (name, number) => {
  const expected = floatFormat(number).decode(new Uint8Array(all.buffer));
  const { widen, block } = formatOf(name);
  for (const place of [0, 1]) {
    const wrong = [...all].filter((i) => {
      const word = place === 0 ? 0xabcd0000 + i : i * 65536 + 0xabcd;
      return !Object.is(
        widen!(() => word, place, patterns),
        expected[i],
      );
    });
    expect(wrong).toEqual([]);
  }
  expect(block).toEqual({ elements: 2, words: 1 });
});

/** Patterns of singles, and of what ml_dtypes' bfloat16 makes of them; PyTorch rounds in the same way. */
const roundings: readonly (readonly [single: number, bfloat: number])[] = [
  // To the nearest, ties to even, with carries into the exponent.
  [0x3f800000, 0x3f80],
  [0x3f807fff, 0x3f80],
  [0x3f808000, 0x3f80],
  [0x3f808001, 0x3f81],
  [0x3f817fff, 0x3f81],
  [0x3f818000, 0x3f82],
  [0x3f7fffff, 0x3f80],
  [0xbf808000, 0xbf80],
  [0xbf818000, 0xbf82],
  [0x40490fdb, 0x4049],
  [0xc2f6e979, 0xc2f7],
  // Zeros and subnormals.
  [0x00000000, 0x0000],
  [0x80000000, 0x8000],
  [0x00000001, 0x0000],
  [0x00008000, 0x0000],
  [0x00008001, 0x0001],
  [0x00018000, 0x0002],
  [0x007fffff, 0x0080],
  [0x807f8000, 0x8080],
  // The ends of the range.
  [0x7f7f0000, 0x7f7f],
  [0x7f7f7fff, 0x7f7f],
  [0x7f7f8000, 0x7f80],
  [0x7f7fffff, 0x7f80],
  [0xff7f8000, 0xff80],
  [0x7f800000, 0x7f80],
  [0xff800000, 0xff80],
];

test("bf16 rounds as others round", () => {
  const singles = new Float32Array(Uint32Array.from(roundings, ([single]) => single).buffer);
  const rounded = new Uint16Array(floatFormat("bf16").encode(singles).buffer);
  expect([...rounded]).toEqual(roundings.map(([, bfloat]) => bfloat));
});

test("NaN stays NaN, whatever its sign and payload", () => {
  const patterns = [0x7fc00000, 0xffc00000, 0x7f800001, 0xff800001, 0x7fffffff, 0x7f80ffff];
  const singles = new Float32Array(Uint32Array.from(patterns).buffer);
  for (const name of ["f16", "bf16"] as const) {
    const { encode, decode } = floatFormat(name);
    expect([...decode(encode(singles))]).toEqual(patterns.map(() => Number.NaN));
  }
});

describe("on a device", () => {
  test("tensors are whole words, and numbers that fill none are followed by zeros", () => {
    const sizes: readonly (readonly [FormatName, number, number])[] = [
      ...([
        ["f32", 7, 28],
        ["f16", 7, 16],
        ["packed-f16", 8, 16],
        ["bf16", 1, 4],
      ] as const),
      ["bf16", 0, 4],
    ];
    for (const [name, elements, bytes] of sizes) expect(storedBytes(name, elements)).toBe(bytes);
    expect(elementsIn("bf16", 256)).toBe(128);
    expect([...storedNumbers("bf16", Float32Array.of(1, -2, 0.5))]).toEqual([
      ...[0x80, 0x3f, 0x00, 0xc0],
      ...[0x00, 0x3f, 0x00, 0x00],
    ]);
  });

  test("what it lacks is read as something else of the same bytes, or not at all", () => {
    const [with_, without] = [{ half: true, bfloat: true }, { half: false }];
    const narrow = ["f16", "bf16"] as const;
    expect(narrow.map((name) => [has(with_, name), has(without, name)])).toEqual([
      [true, false],
      [true, false],
    ]);
    expect(narrow.map((name) => [readable(with_, name), readable(without, name)])).toEqual([
      ["f16", "packed-f16"],
      ["bf16", "packed-bf16"],
    ]);
    const all = ["f32", "f16", "packed-f16", "bf16", "packed-bf16"] as const;
    const written = all.filter((name) => isWritable(with_, name));
    expect(written).toEqual(["f32", "f16", "bf16"]);
    expect(all.filter((name) => isWritable(without, name))).toEqual(["f32"]);
  });

  test("a number that is stored by itself is rounded as one of many", () => {
    const values = Float32Array.of(1.001, -3.3e38, 1e-40, 65519, Number.NaN);
    for (const name of ["f32", "f16", "bf16"] as const satisfies readonly WeightFormat[]) {
      const { encode, decode } = floatFormat(name);
      expect([...values].map(roundingOf(name))).toEqual([...decode(encode(values))]);
    }
  });
});
