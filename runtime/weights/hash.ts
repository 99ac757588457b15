/**
 * The hash of tensors and of headers: 128 bits, four lanes of 32. Each lane takes every fourth word,
 * lane = (lane ^ word) * prime with its high bits folded into the low ones, a step in which two different
 * words, or two different lanes, never have the same result. So any change within one word, a flipped bit above all, changes the hash
 * with certainty, and any other change but for one in 2^32 in each lane it touches. A CRC-32 promises
 * as much of single bits and, a table's entry for each byte, takes six times as long. It is no
 * protection from somebody who wants a collision.
 */

export interface Hash {
  /** Takes the next bytes, of any number. */
  add(bytes: Uint8Array<ArrayBuffer>): void;
  /** 32 hexadecimal digits, of all bytes so far. Nothing can be added after it. */
  digits(): string;
}

/**
 * Takes the next words, a whole number of blocks of four, into the lanes: word i into lane i % 4.
 */
export type Mix = (lanes: Int32Array, words: Int32Array<ArrayBuffer>) => void;

const block = 16;
/** Bytes that are taken at a time: a multiple of the block. */
const piece = 2 ** 20;

/** `mix` is `mixWords`, or does the same faster where it can. */
export function openHash(mix: Mix = mixWords): Hash {
  const lanes = Int32Array.of(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344);
  const held = new Uint8Array(block);
  let total = 0;
  const add = (bytes: Uint8Array<ArrayBuffer>) => {
    const before = total % block;
    const filling = before === 0 ? 0 : Math.min(block - before, bytes.byteLength);
    total += bytes.byteLength;
    if (filling > 0) {
      held.set(bytes.subarray(0, filling), before);
      if (before + filling === block) mix(lanes, wordsOf(held));
    }
    const end = bytes.byteLength - ((bytes.byteLength - filling) % block);
    for (let at = filling; at < end; at += piece)
      mix(lanes, wordsOf(bytes.subarray(at, Math.min(end, at + piece))));
    held.set(bytes.subarray(end));
  };
  return {
    add,
    digits() {
      const length = total;
      // What is left over ends with zeros; the length says how many.
      if (total % block > 0) add(new Uint8Array(block - (total % block)));
      mix(lanes, Int32Array.of(length, length / 2 ** 32, length, length));
      return Array.from(lanes, (lane) => (lane >>> 0).toString(16).padStart(8, "0")).join("");
    },
  };
}

/** The hash of bytes that are in memory. */
export function hashOf(bytes: Uint8Array<ArrayBuffer>): string {
  const hash = openHash();
  hash.add(bytes);
  return hash.digits();
}

/** Words of a whole number of blocks; a view of them only where they lie at a multiple of four. */
function wordsOf(bytes: Uint8Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Int32Array(buffer, byteOffset, byteLength / 4);
}

export const prime = 0x9e3779b1;

/** Four independent chains: a processor computes them side by side. */
export function mixWords(lanes: Int32Array, words: Int32Array): void {
  let a = lanes[0]! | 0;
  let b = lanes[1]! | 0;
  let c = lanes[2]! | 0;
  let d = lanes[3]! | 0;
  // A whole number of 32 bits: engines then count and look up a quarter faster.
  const count = words.length | 0;
  for (let i = 0; i < count; i += 4) {
    a = Math.imul(a ^ words[i]!, prime);
    b = Math.imul(b ^ words[i + 1]!, prime);
    c = Math.imul(c ^ words[i + 2]!, prime);
    d = Math.imul(d ^ words[i + 3]!, prime);
    a ^= a >>> 15;
    b ^= b >>> 15;
    c ^= c >>> 15;
    d ^= d >>> 15;
  }
  lanes.set([a, b, c, d]);
}
