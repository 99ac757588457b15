/** 16-bit floats: every half, and rounding against a slow definition of nearest-even. */
import { expect, test } from "vitest";
import { bfloatToFloat, floatToBfloat, floatToHalf, halfToFloat } from "../../formats/index.ts";
import { randomNumbers } from "../support/weights-files.ts";

const all = Uint16Array.from({ length: 65536 }, (_, i) => i);

/** From the definition: sign * 2^(exponent - bias) * significand. */
function definition(bits: number, exponentBits: number): number {
  const fractionBits = 15 - exponentBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> fractionBits) & (2 ** exponentBits - 1);
  const fraction = (bits & (2 ** fractionBits - 1)) / 2 ** fractionBits;
  if (exponent === 2 ** exponentBits - 1)
    return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0
    ? sign * fraction * 2 ** (1 - bias)
    : sign * (1 + fraction) * 2 ** (exponent - bias);
}

const formats = [
  ["f16", 5, halfToFloat, floatToHalf],
  ["bf16", 8, bfloatToFloat, floatToBfloat],
] as const;

test.each(formats)(
  "%s: each of the 65536 values is what the definition says",
  (_, bits, decode) => {
    const values = decode(all);
    expect(all.every((half) => Object.is(values[half], definition(half, bits)))).toBe(true);
  },
);

test.each(formats)("%s: each value survives the way there and back", (_, bits, decode, encode) => {
  const back = encode(decode(all));
  const isNan = (half: number) => Number.isNaN(definition(half, bits));
  const changed = [...all].filter((half) =>
    isNan(half) ? !isNan(back[half]!) : back[half] !== half,
  );
  expect(changed).toEqual([]);
});

test.each(formats)(
  "%s: floats between two values go to the nearer, ties to even",
  (_, bits, decode, encode) => {
    const values = decode(all);
    const infinity = encode(Float32Array.of(Number.POSITIVE_INFINITY))[0]!;
    const random = randomNumbers(7);
    const candidates: { x: number; half: number }[] = [];
    for (let half = 0; half < infinity; half++) {
      // The step past the largest value counts as if the next one existed.
      const low = definition(half, bits);
      const high = half + 1 === infinity ? 2 * low - values[half - 1]! : values[half + 1]!;
      const middle = (low + high) / 2;
      const even = half % 2 === 0 ? half : half + 1;
      const inside = low + ((high - low) * (1 + random(1000))) / 1002;
      if (Math.fround(middle) === middle) candidates.push({ x: middle, half: even });
      if (Math.fround(inside) !== middle)
        candidates.push({ x: inside, half: Math.fround(inside) < middle ? half : half + 1 });
    }
    for (const sign of [0, 0x8000]) {
      const inputs = Float32Array.from(candidates, ({ x }) => (sign ? -x : x));
      const wrong = [...encode(inputs)].filter((half, i) => half !== (candidates[i]!.half | sign));
      expect(wrong).toEqual([]);
    }
  },
);

const ends: readonly [format: string, encode: typeof floatToHalf, x: number, half: number][] = [
  ["f16", floatToHalf, 65519.99, 0x7bff],
  ["f16", floatToHalf, 65520, 0x7c00],
  ["f16", floatToHalf, -1e30, 0xfc00],
  ["f16", floatToHalf, 2 ** -25, 0],
  ["f16", floatToHalf, 2 ** -25 * 1.0001, 1],
  ["bf16", floatToBfloat, 3.3895e38, 0x7f7f],
  ["bf16", floatToBfloat, 3.4e38, 0x7f80],
  ["bf16", floatToBfloat, -1e-40, 0x8001],
  ["bf16", floatToBfloat, 1e-45, 0],
  ["bf16", floatToBfloat, -0, 0x8000],
];
test.each(ends)("%s: at the ends of the range", (_, encode, x, half) => {
  expect(encode(Float32Array.of(x))[0]).toBe(half);
});
