/** Comparisons: how far a tensor may be from its reference, and the line that says how far it is. */

/** One line of a report. */
export interface Check {
  readonly name: string;
  /** What was found: "relative error 1.2e-6". */
  readonly found: string;
  /** What is allowed: "at most 1e-4". */
  readonly allowed: string;
  readonly passed: boolean;
}

/** ||a - b|| <= tolerance ||b|| + floor, element-wise norms in double precision. */
export interface Tolerance {
  readonly relative: number;
  /** 1e-7 sqrt(elements) unless given: where the reference is zero, or all rounding. */
  readonly floor?: number;
}

/** Compares values with the reference. Anything that is not finite fails. */
export function compare(
  name: string,
  mine: ArrayLike<number>,
  reference: ArrayLike<number>,
  { relative, floor = 1e-7 * Math.sqrt(reference.length) }: Tolerance,
): Check {
  if (mine.length !== reference.length) {
    const found = `${mine.length} values, the reference has ${reference.length}`;
    return { name, found, allowed: "equal shapes", passed: false };
  }
  let [difference, size] = [0, 0];
  for (let i = 0; i < reference.length; i++) {
    difference += (mine[i]! - reference[i]!) ** 2;
    size += reference[i]! ** 2;
  }
  const [distance, norm] = [Math.sqrt(difference), Math.sqrt(size)];
  // A comparison with NaN is false: it does not pass.
  const passed = distance <= relative * norm + floor;
  const error = norm > 0 ? distance / norm : distance;
  const found = `${norm > 0 ? "relative" : "absolute"} error ${error.toExponential(1)}`;
  return { name, found, allowed: `at most ${relative.toExponential(0)}`, passed };
}

/** Compares whole masks by the worst intersection over union of any. */
export function compareMasks(
  name: string,
  mine: readonly Uint8Array[],
  reference: readonly Uint8Array[],
  least: number,
): Check {
  const worst = reference.reduce((low, mask, i) => Math.min(low, overlap(mine[i]!, mask)), 1);
  const allowed = `at least ${least}`;
  return { name, found: `IoU ${worst.toFixed(5)}`, allowed, passed: worst >= least };
}

/** Two masks without a pixel agree. */
function overlap(a: Uint8Array, b: Uint8Array): number {
  let [both, either] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    both += a[i]! & b[i]!;
    either += a[i]! | b[i]!;
  }
  return either === 0 ? 1 : both / either;
}

/** Compares bytes by their largest difference. */
export function compareBytes(
  name: string,
  mine: ArrayLike<number>,
  reference: ArrayLike<number>,
  most: number,
): Check {
  let largest = mine.length === reference.length ? 0 : Number.POSITIVE_INFINITY;
  for (let i = 0; i < reference.length; i++)
    largest = Math.max(largest, Math.abs(mine[i]! - reference[i]!));
  const found = `off by ${largest}`;
  return { name, found, allowed: `at most ${most}`, passed: largest <= most };
}

/** Lists one after another. */
export function joined(parts: readonly ArrayLike<number>[]): Float32Array<ArrayBuffer> {
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
