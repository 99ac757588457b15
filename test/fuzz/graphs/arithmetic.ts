/**
 * How the oracle rounds. It is run several times: once as numbers are, and a few times with each
 * computed number moved by a random error of the size that single precision allows, too large ones
 * infinite or not, too small ones zero or not. What the runs agree on is what a device must give;
 * where they differ, that is how far it may be off.
 */
import { randomOf } from "../random.ts";

export interface Arithmetic {
  /** A computed float: `units` are units in the last place of single precision that it may be off. */
  (x: number, units?: number, absolute?: number): number;
  /** Nothing is rounded: for derivatives. */
  readonly exact: boolean;
  /** Which of two answers is taken where devices agree on neither. */
  readonly side: boolean;
  /** A float as it lies in memory, which is not computed: small numbers may be flushed. */
  readonly stored: (x: number) => number;
}

const least = 2 ** -126;
const unit = 2 ** -23;

export const exactly: Arithmetic = Object.assign((x: number) => x, {
  exact: true,
  side: false,
  stored: (x: number) => x,
});

/** As single precision rounds, without any error. */
export const singly: Arithmetic = Object.assign((x: number) => Math.fround(x), {
  exact: false,
  side: false,
  stored: Math.fround,
});

export interface Noise {
  readonly seed: number;
  /** Numbers below the smallest normal one become zero. */
  readonly flush: boolean;
  /** Overflow is an infinity: a device may keep what it computes on the way in a wider range. */
  readonly narrow: boolean;
  readonly side: boolean;
  /** Any float may have been stored with so many bits of mantissa, and no more than `largest`. */
  readonly store?: { readonly bits: number; readonly largest: number; readonly least: number };
}

export function noisily({ seed, flush, narrow, side, store }: Noise): Arithmetic {
  const random = randomOf(seed);
  const error = () => 2 * random.next() - 1;
  const kept = (x: number) => {
    let y = narrow ? Math.fround(x) : x;
    if (flush && Math.abs(y) < least) y = 0;
    // The sign of a zero is nothing that devices agree on.
    return y === 0 ? (random.chance(0.5) ? 0 : -0) : y;
  };
  const packed = (x: number) => {
    if (!store || random.chance(0.3)) return x;
    const moved = x * (1 + error() * 2 ** -store.bits) + error() * store.least;
    return Math.abs(moved) > store.largest ? Math.sign(moved) * Number.POSITIVE_INFINITY : moved;
  };
  const computed = (x: number, units = 1, absolute = 0) =>
    Number.isFinite(x) ? kept(packed(x * (1 + error() * units * unit) + error() * absolute)) : x;
  return Object.assign(computed, {
    exact: false,
    side,
    stored: (x: number) => (Number.isFinite(x) ? kept(packed(x)) : x),
  });
}
