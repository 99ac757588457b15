/** What kernels that unroll in TypeScript share: counting up, and short chains of operations. */
import type { Value } from "../compiler/op-kit.ts";

/** (t0 + t1) + (t2 + t3): combines in a balanced tree, so that few operations wait for another. */
export function pairwise(
  terms: readonly Value[],
  join: (a: Value, b: Value) => Value = (a, b) => a.add(b),
): Value {
  if (terms.length === 1) return terms[0]!;
  const half = terms.length >> 1;
  return join(pairwise(terms.slice(0, half), join), pairwise(terms.slice(half), join));
}

/** f(0), f(1), … f(n - 1). */
export const range = <T>(n: number, f: (i: number) => T): T[] =>
  Array.from({ length: n }, (_, i) => f(i));
