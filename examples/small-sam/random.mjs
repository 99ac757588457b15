/** Numbers that look random and depend on whole ones alone. */

/** A number in 0..1 that depends on three whole ones. */
export function hash(x, y, z) {
  let h = Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1) ^ Math.imul(z, 0x1b873593);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return ((h ^ (h >>> 15)) >>> 0) / 2 ** 32;
}

/** Numbers in 0..1 from a seed. */
export function generator(seed) {
  let count = 0;
  return () => hash(seed, count++, 0x5eed);
}

export const between = (random, from, to) => from + (to - from) * random();
export const pick = (random, list) => list[Math.floor(random() * list.length)];
export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
