/** Numbers that are drawn: each a pure function of what it is drawn for, so that a resumed run draws the same. */

/** Draws numbers, one after another. */
export interface Draws {
  /** From 0 to 1, without 1. */
  next(): number;
  /** A whole number from 0, below `end`. */
  below(end: number): number;
  /** From `from` to `to`. */
  between(from: number, to: number): number;
}

/** The draws for a key of whole numbers: a seed, and what the draws are for. */
export function drawsFor(...key: readonly number[]): Draws {
  let state = 0x9e3779b9;
  for (const part of key) {
    state = mix(state ^ (part >>> 0));
    state = mix(state ^ Math.floor(part / 2 ** 32));
  }
  const next = () => {
    // 32 bits of a counter that is mixed; two of them make 53 bits.
    const word = () => {
      state = (state + 0x9e3779b9) >>> 0;
      return mix(state);
    };
    return ((word() >>> 5) * 2 ** 26 + (word() >>> 6)) / 2 ** 53;
  };
  return {
    next,
    below: (end) => Math.floor(next() * end),
    between: (from, to) => from + next() * (to - from),
  };
}

/** The last step of MurmurHash3: every bit of the input reaches every bit of the result. */
function mix(word: number): number {
  let x = word;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}
