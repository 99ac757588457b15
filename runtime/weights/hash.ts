/**
 * The hash of tensors and of headers: 128 bits, out of 32 lanes of 32 bits. Each lane takes every 32nd word,
 * lane = (lane ^ word) * prime with its high bits folded into the low ones, a step in which two different
 * words, or two different lanes, never have the same result; at last the lanes are taken into four, as words
 * by the same step. So any change within one word, a flipped bit above all, changes the hash
 * with certainty, and any other change but for about one in 2^32. A CRC-32 promises
 * as much of single bits and, a table's entry for each byte, takes six times as long. It is no
 * protection from somebody who wants a collision: three bits suffice, in two words of a lane.
 */

export interface Hash {
  /** Takes the next bytes, of any number. */
  add(bytes: Uint8Array<ArrayBuffer>): void;
  /** 32 hexadecimal digits, of all bytes so far. Nothing can be added after it. */
  digits(): string;
}

/** Takes the next words, a whole number of blocks of 32, into the 32 lanes: word i into lane i % 32. */
export type Mix = (state: Int32Array, words: Int32Array<ArrayBuffer>) => void;

/** Eight vectors of four: a processor computes them side by side. */
const lanes = 32;
const block = 4 * lanes;
/** Bytes that are taken at a time, a multiple of the block: a processor's cache holds them. */
const piece = 2 ** 18;

/** `mix` is `mixWords`, or does the same faster where it can. */
export function openHash(mix: Mix = mixWords): Hash {
  const state = new Int32Array(lanes).map((_, i) => step(i, prime));
  const held = new Uint8Array(block);
  let total = 0;
  const add = (bytes: Uint8Array<ArrayBuffer>) => {
    const before = total % block;
    const filling = before === 0 ? 0 : Math.min(block - before, bytes.byteLength);
    total += bytes.byteLength;
    if (filling > 0) {
      held.set(bytes.subarray(0, filling), before);
      if (before + filling === block) mix(state, wordsOf(held));
    }
    const end = bytes.byteLength - ((bytes.byteLength - filling) % block);
    for (let at = filling; at < end; at += piece)
      mix(state, wordsOf(bytes.subarray(at, Math.min(end, at + piece))));
    held.set(bytes.subarray(end));
  };
  return {
    add,
    digits() {
      const length = total;
      // What is left over ends with zeros; the length says how many.
      if (total % block > 0) add(new Uint8Array(block - (total % block)));
      const four = [length, length / 2 ** 32, length, length];
      for (const [i, lane] of state.entries()) four[i % 4] = step(four[i % 4]!, lane);
      return four.map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
    },
  };
}

/** The hash of bytes that are in memory. */
export function hashOf(bytes: Uint8Array<ArrayBuffer>): string {
  const hash = openHash();
  hash.add(bytes);
  return hash.digits();
}

export const zeros = "0".repeat(32);

/** Of a text that has its own hash in it: `stated` puts digits as they stand there, and these count as zeros. */
export const ownHash = (
  text: string,
  stated: (digits: string) => string,
  digits: string = zeros,
): string => hashOf(new TextEncoder().encode(text.replace(stated(digits), stated(zeros))));

/** Words of a whole number of blocks; a view of them only where they lie at a multiple of four. */
function wordsOf(bytes: Uint8Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Int32Array(buffer, byteOffset, byteLength / 4);
}

const prime = 0x9e3779b1;
const shift = 15;

function step(lane: number, word: number): number {
  const product = Math.imul(lane ^ word, prime);
  return product ^ (product >>> shift);
}

/** For whoever spells the steps in other instructions. An exported number is looked up at every use. */
export const steps = { lanes, prime, shift };

/** Four independent chains at a time: a processor computes them side by side. */
export function mixWords(state: Int32Array, words: Int32Array): void {
  // A whole number of 32 bits: engines then count and look up a quarter faster.
  const count = words.length | 0;
  for (let first = 0; first < lanes; first += 4) {
    let a = state[first]!;
    let b = state[first + 1]!;
    let c = state[first + 2]!;
    let d = state[first + 3]!;
    for (let i = first; i < count; i += lanes) {
      a = step(a, words[i]!);
      b = step(b, words[i + 1]!);
      c = step(c, words[i + 2]!);
      d = step(d, words[i + 3]!);
    }
    state.set([a, b, c, d], first);
  }
}
