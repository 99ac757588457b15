/** What is wrong with the results of an op's program. Tolerances come from the dtype and the device. */
import type { Results } from "./evaluate.ts";
import type { Example } from "./programs.ts";

/** Relative to the largest element of a tensor, for results that are rounded to float32. */
export const rounded = 1e-6;
/** Of literals, which have ten digits or fewer, against double precision. */
const literal = 3e-7;

/** Types and values of a literal sample; undefined where they are as it says. */
export function knownFault(
  { outputs, known }: Pick<Example, "outputs" | "known">,
  results: Results,
): string | undefined {
  if (!known) return undefined;
  if (known.length !== outputs.length)
    return `${outputs.length} results instead of ${known.length}`;
  for (const [i, { type, values }] of known.entries()) {
    const found = outputs[i]!.type;
    if (found.dtype !== type.dtype || found.shape.join() !== type.shape.join())
      return `output ${i} is ${found.dtype}[${found.shape}] instead of ${type.dtype}[${type.shape}]`;
    const fault = firstFar(results[`y${i}`]!, values, (v) => literal * Math.abs(v) + 1e-12);
    if (fault !== undefined) return `output ${i}, ${fault}`;
  }
  return undefined;
}

/** What kernels gave against the oracles' values; undefined where all are close enough. */
export function unequal(
  { outputs }: Pick<Example, "outputs">,
  got: Results,
  wanted: Results,
  tolerance = rounded,
): string | undefined {
  for (const [i, { dtype }] of outputs.entries()) {
    const [mine, right] = [got[`y${i}`]!, wanted[`y${i}`]!];
    const allowed = dtype === "f32" ? tolerance * largest(right) : 0;
    const fault = firstFar(mine, right, () => allowed);
    if (fault !== undefined) return `output ${i}, ${fault}`;
  }
  return undefined;
}

/**
 * The largest difference of any two elements, relative to the largest element of their tensor.
 * Infinite where shapes differ, or something that is no number stands where one should.
 */
export function errorOf(
  { outputs }: Pick<Example, "outputs">,
  got: Results,
  wanted: Results,
): number {
  let worst = 0;
  for (const [i] of outputs.entries()) {
    const [mine, right] = [got[`y${i}`]!, wanted[`y${i}`]!];
    if (mine.length !== right.length) return Number.POSITIVE_INFINITY;
    const size = largest(right) || 1;
    for (const [j, v] of right.entries()) {
      if (Object.is(mine[j], v)) continue;
      const error = Math.abs(mine[j]! - v) / size;
      worst = Math.max(worst, Number.isFinite(error) ? error : Number.POSITIVE_INFINITY);
    }
  }
  return worst;
}

const largest = (values: readonly number[]) => values.reduce((m, v) => Math.max(m, Math.abs(v)), 0);

/** The first element that is not within what is allowed. A comparison with NaN is false. */
function firstFar(
  got: readonly number[],
  wanted: readonly number[],
  allowed: (value: number) => number,
): string | undefined {
  if (got.length !== wanted.length) return `${got.length} elements instead of ${wanted.length}`;
  const at = wanted.findIndex((v, j) => !(Math.abs(got[j]! - v) <= allowed(v)));
  return at < 0 ? undefined : `element ${at}: ${got[at]} instead of ${wanted[at]}`;
}
