/** Index expressions as sums: how they are compared and divided. */
import type { Value } from "./value.ts";

/** constant + sum of factor * atom. */
export interface Sum {
  readonly constant: number;
  readonly terms: readonly Term[];
}

export interface Term {
  readonly factor: number;
  readonly atom: Value;
}

/** gcd(n, 0) = n: zero is a multiple of everything. */
export const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/** What divides a number and all terms. */
export const divisorOf = (constant: number, terms: readonly Term[]): number =>
  terms.reduce((d, t) => gcd(d, t.factor * t.atom.divisor), constant);

/**
 * A sum that is to be divided, as `scale` * units + rest: a number divides `by` and all units, and the rest is
 * below it for certain, so it changes no quotient and is itself part of the remainder.
 */
export function unitsOf({ constant, terms }: Sum, by: number) {
  const unitOf = (t: Term) => divisorOf(by, [t]);
  const sorted = [...terms].sort((a, b) => unitOf(b) - unitOf(a));
  for (let count = Math.min(1, sorted.length); ; count++) {
    const unit = divisorOf(by, sorted.slice(0, count));
    const below = sorted.slice(count);
    const low = constant % unit;
    const bound = below.reduce((sum, t) => sum + t.factor * t.atom.bound, low);
    if (below.length > 0 && bound >= unit) continue;
    const above = terms.filter((t) => !below.includes(t));
    // The unit may be a factor of an atom, which cannot be taken out of it.
    const scale = above.every((t) => t.factor % unit === 0) ? unit : 1;
    const units = above.map((t) => ({ ...t, factor: t.factor / scale }));
    return {
      scale,
      units: { constant: (constant - low) / scale, terms: units },
      rest: { constant: low, terms: below },
    };
  }
}
