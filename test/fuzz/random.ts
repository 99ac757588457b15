/**
 * Repeatable choices. Every case of the fuzzer is made from one whole number, its seed, and nothing
 * else: a case is repeated by its seed alone, which a seed and a path through a generator of
 * fast-check would not allow. Programs are data, and are shrunk as data (shrink.ts).
 */
export interface Random {
  /** From 0 up to, but not, 1. */
  next(): number;
  /** A whole number from 0 up to, but not, `limit`. */
  below(limit: number): number;
  /** A whole number, both ends included. */
  between(least: number, most: number): number;
  pick<T>(list: readonly T[]): T;
  chance(probability: number): boolean;
  /** A seed for another source. */
  seed(): number;
}

export function randomOf(seed: number): Random {
  let state = (Math.imul(seed ^ 0x9e3779b9, 2654435761) + 12345) >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return {
    next,
    below,
    between: (least, most) => least + below(most - least + 1),
    pick: (list) => list[below(list.length)]!,
    chance: (probability) => next() < probability,
    seed: () => below(2 ** 32),
  };
}
