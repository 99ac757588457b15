/**
 * How many quarter turns an angle has, and what is left, for angles however large: x / (2 pi) modulo 1, in
 * whole numbers (Payne and Hanek). A float32 is m 2^s. Of 1 / (2 pi), 96 bits matter: times m 2^s, those
 * before them give whole turns, and those behind them less than the result resolves.
 */
import {
  addWrapping,
  type Builder,
  bitsOf,
  index,
  mulWrapping,
  shiftLeft,
  shiftRight,
  type Value,
  xor,
} from "../../compiler/op-kit.ts";

/** 1 / (2 pi) in words of 32 bits: none before the point, then seven. */
const inverseTurn = [
  0, 0x28be60db, 0x9391054a, 0x7f09d5f4, 0x7d4d3770, 0x36d8a566, 0x4f10e410, 0x7f9458ea,
];

export interface Turns {
  /** From 0 to 3, an f32. */
  readonly quarter: Value;
  /** From -pi/4 to pi/4, exact to about 1e-7 of itself. */
  readonly rest: Value;
}

/** The turns of |x|, of a finite `x` (f32) that is 1 or more. */
export function turnsOf(k: Builder, x: Value): Turns {
  const bits = k.let("bits", bitsOf(x));
  const m = k.let("m", addWrapping(lowBits(bits, 23), 0x800000));
  // |x| is m 2^(exponent - 150): its share of a turn begins at this bit of the words.
  const place = k.let("place", subtract(shiftRight(shiftLeft(bits, 1), 24), index(118)));
  const word = k.let("word", shiftRight(place, 5));
  const shift = k.let("shift", lowBits(place, 5).min(31));
  const words = [0, 1, 2, 3].map((j) => k.let("part", wordAt(word, j)));
  const [high, mid, low] = [0, 1, 2].map((j) => {
    const below = shiftRight(shiftRight(words[j + 1]!, 1), index(31).sub(shift));
    return k.let("part", addWrapping(shiftLeft(words[j]!, shift), below));
  });
  // The upper 64 bits of m times these 96, modulo 1.
  const middle = k.let("middle", mulWrapping(m, mid!));
  const second = k.let("second", addWrapping(middle, highProduct(k, m, low!)));
  const carry = second.lt(middle).select(index(1), index(0));
  const above = addWrapping(highProduct(k, m, mid!), carry);
  const first = k.let("first", addWrapping(mulWrapping(m, high!), above));
  const quarters = k.let("quarters", shiftRight(addWrapping(first, 0x20000000), 30));
  const left = k.let("left", subtract(first, shiftLeft(quarters, 30)));
  return { quarter: quarters.cast("f32"), rest: angleOf(k, left, second) };
}

/** The word of the table that is `j` behind `word`, which is 0 to 4. */
const wordAt = (word: Value, j: number): Value =>
  [3, 2, 1, 0].reduce<Value>(
    (value, w) => word.eq(w).select(index(inverseTurn[w + j]!), value),
    index(inverseTurn[4 + j]!),
  );

const lowBits = (a: Value, count: number): Value =>
  shiftRight(shiftLeft(a, 32 - count), 32 - count);

const opposite = (a: Value): Value => addWrapping(xor(a, 0xffffffff), 1);

const subtract = (a: Value, b: Value): Value => addWrapping(a, opposite(b));

/** The upper 32 bits of m * f, with m below 2^24, in halves of 16 bits. */
function highProduct(k: Builder, m: Value, f: Value): Value {
  const [mh, ml] = [k.let("mh", shiftRight(m, 16)), k.let("ml", lowBits(m, 16))];
  const [fh, fl] = [k.let("fh", shiftRight(f, 16)), k.let("fl", lowBits(f, 16))];
  const [a, b] = [k.let("cross", mulWrapping(ml, fh)), k.let("cross", mulWrapping(mh, fl))];
  const low = shiftRight(mulWrapping(ml, fl), 16);
  const carried = shiftRight(addWrapping(addWrapping(lowBits(a, 16), lowBits(b, 16)), low), 16);
  const halves = addWrapping(shiftRight(a, 16), shiftRight(b, 16));
  return k.let("above", addWrapping(addWrapping(mulWrapping(mh, fh), halves), carried));
}

/** The angle of a share of a turn, 64 bits with a sign: first what is left of it, then its number. */
function angleOf(k: Builder, first: Value, second: Value): Value {
  const isNegative = k.let("isNegative", index(0x7fffffff).lt(first));
  const carry = second.eq(0).select(index(1), index(0));
  const upper = isNegative.select(addWrapping(xor(first, 0xffffffff), carry), first);
  const lower = isNegative.select(opposite(second), second);
  const turn = 2 * Math.PI;
  const size = k.let(
    "size",
    upper
      .cast("f32")
      .mul(turn * 2 ** -32)
      .add(lower.cast("f32").mul(turn * 2 ** -64)),
  );
  return isNegative.select(size.neg(), size);
}
