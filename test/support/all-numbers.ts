/** Functions over all numbers of 32 bits, against double precision: what each may be off, and where it is. */
import { describe, expect, test } from "vitest";
import { compile } from "../../compiler/compile.ts";
import { graphOf } from "../../compiler/graph/graph.ts";
import { input } from "../../compiler/graph/sources.ts";
import type { Tensor } from "../../compiler/op-kit.ts";
import { deviceProfile } from "../../compiler/profile.ts";
import { cos, div, exp, log, pow, sin, sqrt, tanh } from "../../ops/index.ts";
import type { Device } from "../../runtime/devices/device.ts";
import { createSession } from "../../runtime/session.ts";

/** Every 2039th pattern, the ends of each power of two, and what lies beside them; a multiple of 64. */
function patterns(): Uint32Array<ArrayBuffer> {
  const found: number[] = [];
  for (let at = 0; at < 2 ** 32; at += 2039) found.push(at);
  for (let exponent = 0; exponent < 512; exponent++)
    for (const near of [-2, -1, 0, 1, 2]) found.push((exponent * 2 ** 23 + near) >>> 0);
  // Where `exp` becomes infinite, and 0.
  const ends = new Uint32Array(Float32Array.of(88.72284, -87.33654, -86.99).buffer);
  for (const end of ends) for (let near = -50; near < 50; near++) found.push(end + near);
  while (found.length % 64 !== 0) found.push(0);
  return Uint32Array.from(found);
}

/** Of all signs and sizes, with both zeros, both infinities, NaNs, and what is below the least normal number. */
export const allNumbers = new Float32Array(patterns().buffer);

/** The same in another order, for functions of two numbers. */
const others = allNumbers.map((_, i) => allNumbers[(i * 104729 + 13) % allNumbers.length]!);

/** The distance of neighbouring singles at a number. */
const unitAt = (x: number) =>
  2 ** (Math.max(-126, Math.floor(Math.log2(Math.min(Math.abs(x), 3.4e38)))) - 23);

interface Claim {
  readonly exact: (x: number, other: number) => number;
  /** How many units in the last place a result may be off. */
  readonly units: (x: number) => number;
  /** Whether results below the least normal number may be any such. */
  readonly isNormal?: boolean;
}

/** The largest error as a part of what is claimed, and where it is. What is infinite or NaN must be. */
export function worstOf(got: ArrayLike<number>, { exact, units, isNormal = false }: Claim) {
  let [worst, at] = [0, 0];
  for (const [i, x] of allNumbers.entries()) {
    const [y, wanted] = [got[i]!, exact(x, others[i]!)];
    const rounded = Math.fround(wanted);
    if (!Number.isFinite(rounded) || !Number.isFinite(y)) {
      // Rounding may leave the largest number, or fall short of what is beyond it.
      const isEnd = Math.min(Math.abs(wanted), Math.abs(y)) > 3.4028e38 && y > 0 === wanted > 0;
      if (!Object.is(y, rounded) && !isEnd)
        expect([x, others[i], y]).toEqual([x, others[i], rounded]);
      continue;
    }
    const off = Math.abs(y - wanted);
    const error = off / unitAt(wanted) / units(x);
    const isSmall = isNormal && Math.max(Math.abs(wanted), off) <= 2 ** -126;
    if (!isSmall && error > worst) [worst, at] = [error, x];
  }
  return { worst, at };
}

interface Case extends Claim {
  readonly call: (x: Tensor, other: Tensor) => Tensor;
  /** What part of the claim is reached: a claim of too much is none. */
  readonly reached?: number;
}

const of = (exact: Claim["exact"], units: number, call: Case["call"], reached: number): Case => ({
  ...{ exact, call, reached, units: () => units },
});

/** What docs/debug-a-wrong-number.md states of each function on processors. */
const claims: Readonly<Record<string, Case>> = {
  exp: { ...of(Math.exp, 1.2, (x) => exp(x), 0.6), isNormal: true },
  log: of(Math.log, 1, (x) => log(x), 0.6),
  tanh: of(Math.tanh, 2, (x) => tanh(x), 0.6),
  sqrt: of(Math.sqrt, 0.5, (x) => sqrt(x), 0.9),
  div: of(
    (x, other) => x / other,
    0.5,
    (x, other) => div(x, other),
    0.9,
  ),
  sin: of(Math.sin, 3, (x) => sin(x), 0.6),
  cos: of(Math.cos, 3, (x) => cos(x), 0.6),
  ...Object.fromEntries(
    [2, 3, 7, 16, -1, -2, -7].map((n) => [
      `the power of ${n}, by products`,
      {
        call: (x: Tensor) => pow(x, n),
        exact: (x: number) => x ** n,
        units: () => 0.8 * Math.abs(n) + (n < 0 ? 3 : 0),
        isNormal: true,
      },
    ]),
  ),
  ...Object.fromEntries(
    [0.3, -0.5, 1.7, -3.3, 20.5, 17, 101, -0.001].map((n) => [
      `the power of ${n}, by the logarithm`,
      {
        call: (x: Tensor) => pow(x, n),
        exact: (x: number) => x ** n,
        units: (x: number) => 1.2 + (x === 0 ? 0 : 2.5 * Math.abs(n * Math.log(Math.abs(x)))),
        isNormal: true,
      },
    ]),
  ),
};

/** Registers tests of every function on a device; all are computed by one program. */
export function describeFunctions(on: string, deviceOf: () => Promise<Device>): void {
  describe(`functions of all numbers, ${on}`, () => {
    let computed: Promise<Readonly<Record<string, ArrayLike<number>>>> | undefined;
    test.each(Object.entries(claims))("%s", async (name, claim) => {
      computed ??= deviceOf().then(computeAll);
      const { worst, at } = worstOf((await computed)[name]!, claim);
      expect(worst, `at ${at}`).toBeLessThanOrEqual(1);
      expect(worst).toBeGreaterThan(claim.reached ?? 0);
    });
  });
}

async function computeAll(device: Device) {
  const [x, other] = ["x", "other"].map((name) => input(name, "f32", [allNumbers.length]));
  const names = Object.keys(claims);
  const graph = graphOf(
    names.map((name, i) => ({
      name: `y${i}`,
      tensor: claims[name]!.call(x as Tensor, other as Tensor),
    })),
  );
  const profile = deviceProfile(device.capabilities);
  const session = await createSession(compile(graph, { target: device.target, profile }), device);
  const found = await session.run({ x: allNumbers, other: others });
  await session.close();
  return Object.fromEntries(names.map((name, i) => [name, found[`y${i}`] as Float32Array]));
}
