/** How far a result may be from the oracle's: as far as the oracle's own noisy runs are from it. */
import type { Dense } from "./dense.ts";

/** The first element that is wrong, in words. */
export function difference(
  name: string,
  got: ArrayLike<number>,
  exact: Dense,
  runs: readonly Dense[],
): string | undefined {
  if (got.length !== exact.data.length)
    return `${name} has ${got.length} elements, not ${exact.data.length}`;
  const near = typicalError(exact, runs);
  for (let i = 0; i < got.length; i++) {
    const wanted = exact.data[i]!;
    const others = runs.map((r) => r.data[i]!);
    const words = fault(got[i]!, wanted, others, near, exact.dtype);
    if (words)
      return `${name}[${i}] of ${exact.dtype}[${exact.shape.join(", ")}] is ${got[i]}, ${words}`;
  }
  return undefined;
}

/** Of numbers that are finite in every run: the errors' root mean square, absolute and relative. */
function typicalError(
  exact: Dense,
  runs: readonly Dense[],
): { absolute: number; relative: number } {
  let [squares, shares, n] = [0, 0, 0];
  exact.data.forEach((wanted, i) => {
    for (const r of runs) {
      const off = r.data[i]! - wanted;
      if (!Number.isFinite(off) || !Number.isFinite(wanted)) continue;
      squares += off * off;
      shares += wanted === 0 ? 0 : (off / wanted) ** 2;
      n++;
    }
  });
  return { absolute: Math.sqrt(squares / (n || 1)), relative: Math.sqrt(shares / (n || 1)) };
}

function fault(
  got: number,
  wanted: number,
  others: readonly number[],
  near: { absolute: number; relative: number },
  dtype: string,
): string | undefined {
  const isNumber = Number.isFinite(wanted);
  const agree = others.every((x) => (isNumber ? Number.isFinite(x) : Object.is(x, wanted)));
  if (!agree) return undefined;
  if (!isNumber) return Object.is(got, wanted) ? undefined : `not ${wanted}`;
  if (dtype !== "f32")
    return got === wanted || others.some((x) => x !== wanted) ? undefined : `not ${wanted}`;
  const most = Math.max(...others.map((x) => Math.abs(x - wanted)));
  const allowed =
    6 * most +
    2 * near.absolute +
    Math.min(near.relative, 0.1) * 2 * Math.abs(wanted) +
    1e-6 * Math.abs(wanted) +
    1e-37;
  if (Math.abs(got - wanted) <= allowed) return undefined;
  // Beyond the largest number some devices give an infinity.
  if (Math.abs(wanted) + allowed >= 3.4028235e38 && Math.abs(got) > 3.4e38) return undefined;
  return `not ${wanted} within ${allowed.toExponential(1)}`;
}
