/** The functions that WebAssembly lacks, over all numbers of 32 bits, against double precision. */
import { describe, expect, test } from "vitest";
import { compile } from "../../../../compiler/compile.ts";
import { graphOf } from "../../../../compiler/graph/graph.ts";
import { input } from "../../../../compiler/graph/sources.ts";
import { Builder } from "../../../../compiler/kernel/builder.ts";
import type { Kernel } from "../../../../compiler/kernel/ir.ts";
import type { Value } from "../../../../compiler/kernel/value.ts";
import type { Tensor } from "../../../../compiler/op-kit.ts";
import { deviceProfile } from "../../../../compiler/profile.ts";
import { functionBounds } from "../../../../compiler/targets/wasm/functions.ts";
import { floatToHalf, halfToFloat } from "../../../../formats/index.ts";
import { cos, pow, sin } from "../../../../ops/index.ts";
import { cpuDevice } from "../../../../runtime/devices/cpu.ts";
import type { Device } from "../../../../runtime/devices/device.ts";
import { openDevice } from "../../../../runtime/node/index.ts";
import { createSession } from "../../../../runtime/session.ts";
import { runKernel } from "../../../support/one-kernel.ts";

type Stored = "f32" | "u32" | "i32" | "f16";

/** y = f(x), element by element. */
function map(size: number, from: Stored, to: Stored, f: (x: Value) => Value): Kernel {
  const k = new Builder();
  const [x, y] = [k.param("x", from, size, "read"), k.param("y", to, size, "write")];
  const i = k.let("i", k.group(0).mul(64).add(k.thread(0, 64)));
  k.if(i.lt(size), () => k.store(y, i, f(k.load(x, i))));
  return k.finish("map", [64, 1, 1], [Math.ceil(size / 64), 1, 1]);
}

const device = cpuDevice();
const { device: fusing } = await openDevice({ kind: "cpu" });

/** Every 2039th pattern, the ends of each power of two, and what lies beside them. */
function patterns(): Uint32Array<ArrayBuffer> {
  const all: number[] = [];
  for (let at = 0; at < 2 ** 32; at += 2039) all.push(at);
  for (let exponent = 0; exponent < 512; exponent++)
    for (const near of [-2, -1, 0, 1, 2]) all.push((exponent * 2 ** 23 + near) >>> 0);
  // Where `exp` becomes infinite, and 0.
  const ends = new Uint32Array(Float32Array.of(88.72284, -87.33654, -86.99).buffer);
  for (const end of ends) for (let near = -50; near < 50; near++) all.push(end + near);
  return Uint32Array.from(all);
}
const all = new Float32Array(patterns().buffer);

/** The distance of neighbouring singles at a number. */
const unitAt = (x: number) =>
  2 ** (Math.max(-126, Math.floor(Math.log2(Math.min(Math.abs(x), 3.4e38)))) - 23);

interface Claim {
  /** How many units in the last place a result may be off: 1 unless given. */
  units?(x: number): number;
  /** Whether results below the least normal number may be any such. */
  readonly isNormal?: boolean;
}

/** The largest error by what is claimed, and where. What is infinite or NaN should be. */
function worstOf(got: ArrayLike<number>, exact: (x: number) => number, claim: Claim = {}) {
  let [worst, at] = [0, 0];
  for (const [i, x] of all.entries()) {
    const [y, wanted] = [got[i]!, exact(x)];
    const rounded = Math.fround(wanted);
    if (!Number.isFinite(rounded) || !Number.isFinite(y)) {
      // Rounding may leave the largest number, or fall short of what is beyond it.
      const isEnd = Math.min(Math.abs(wanted), Math.abs(y)) > 3.4028e38 && y > 0 === wanted > 0;
      if (!Object.is(y, rounded) && !isEnd) expect([x, y]).toEqual([x, rounded]);
      continue;
    }
    const off = Math.abs(y - wanted);
    const error = off / unitAt(wanted) / (claim.units?.(x) ?? 1);
    const isSmall = claim.isNormal && Math.max(Math.abs(wanted), off) <= 2 ** -126;
    if (!isSmall && error > worst) [worst, at] = [error, x];
  }
  return { worst, at };
}

/** 0 for what is below the least normal number. */
const normal = (x: number) => (x < 2 ** -126 ? 0 : x);

const functions = {
  exp: [(x: Value) => x.exp(), Math.exp],
  log: [(x: Value) => x.log(), Math.log],
  tanh: [(x: Value) => x.tanh(), Math.tanh],
} as const;

describe.each(Object.entries(functions))("%s", (name, [call, exact]) => {
  const bound = functionBounds[name as keyof typeof functionBounds];
  test.each([
    ["", device, {}],
    [", with fma", fusing, { fma: true }],
  ] as const)(`is within ${bound} units in the last place everywhere%s`, async (_, on, fma) => {
    const kernel = { ...map(all.length, "f32", "f32", call), ...fma };
    const { y } = await runKernel(on, kernel, { x: all });
    const { worst, at } = worstOf(y!, name === "exp" ? (x) => normal(exact(x)) : exact);
    expect(worst, `at ${at}`).toBeLessThanOrEqual(bound);
    // A bound that says too much is none.
    expect(worst).toBeGreaterThan(0.6 * bound);
  });

  test("zeros keep their sign, where the function does", async () => {
    const x = Float32Array.of(0, -0, 0, -0);
    const { y } = await runKernel(device, map(4, "f32", "f32", call), { x });
    expect([...y!]).toEqual([...x].map(exact));
  });
});

/** An op of all numbers, on both devices. */
async function ofAll(call: (x: Tensor) => Tensor, on: Device) {
  const x = input("x", "f32", [all.length]) as Tensor;
  const graph = graphOf([{ name: "y", tensor: call(x) }]);
  const profile = deviceProfile(on.capabilities);
  const session = await createSession(compile(graph, { target: "wasm", profile }), on);
  const { y } = await session.run({ x: all });
  await session.close();
  return y!;
}

describe.each([
  ["without fma", device],
  ["with fma", fusing],
] as const)("what ops make of them, %s", (_, on) => {
  test.each([
    ["sin", sin, Math.sin],
    ["cos", cos, Math.cos],
  ] as const)("%s is within 3 units in the last place everywhere", async (_, call, exact) => {
    const { worst, at } = worstOf(await ofAll(call, on), exact);
    expect(worst, `at ${at}`).toBeLessThanOrEqual(3);
    expect(worst).toBeGreaterThan(2);
  });

  test.each([2, 3, 7, 16, -1, -2, -7])("x to the power of %i, by products", async (n) => {
    const units = () => 0.8 * Math.abs(n) + (n < 0 ? 3 : 0);
    const y = await ofAll((x) => pow(x, n), on);
    const { worst, at } = worstOf(y, (x) => x ** n, { units, isNormal: true });
    expect(worst, `at ${at}`).toBeLessThanOrEqual(1);
  });

  test.each([0.3, -0.5, 1.7, -3.3, 20.5, 17, 101, -0.001])(
    "x to the power of %d is as exact as its logarithm is small",
    async (n) => {
      const units = (x: number) => 1.2 + (x === 0 ? 0 : 2.5 * Math.abs(n * Math.log(Math.abs(x))));
      const y = await ofAll((x) => pow(x, n), on);
      const { worst, at } = worstOf(y, (x) => x ** n, { units, isNormal: true });
      expect(worst, `at ${at}`).toBeLessThanOrEqual(1);
    },
  );
});

test("every half is widened as it is, where it is stored and where it is a pattern", async () => {
  const halves = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const wanted = halfToFloat(halves);
  const read = await runKernel(
    device,
    map(65536, "f16", "f32", (x) => x),
    { x: halves },
  );
  expect(read.y).toEqual(wanted);
});

test("numbers are rounded to the nearest half, ties to even", async () => {
  const near = [...all].flatMap((x) => (Math.abs(x) < 1e6 || Number.isNaN(x) ? [x] : []));
  const ties = halfToFloat(Uint16Array.from({ length: 31743 }, (_, i) => i)).map(
    (half, i, halves) => (half + (halves[i + 1] ?? half)) / 2,
  );
  const x = Float32Array.from([...near, ...ties, 65519, 65520, -65520, 1e30, Infinity, -Infinity]);
  const even = x.length % 2 ? x.subarray(1) : x;
  const { y } = await runKernel(
    device,
    map(even.length, "f32", "f16", (v) => v),
    { x: even.slice() },
  );
  const got = new Uint16Array(y!.buffer as ArrayBuffer);
  const wanted = floatToHalf(even.slice());
  const wrong = [...even].flatMap((v, i) =>
    got[i] === wanted[i] || Number.isNaN(v) ? [] : [`${v}: ${got[i]}, not ${wanted[i]}`],
  );
  expect(wrong.slice(0, 5)).toEqual([]);
});

const integers = [
  0, 1, 2, 3, 5, 7, 641, 65535, 65536, 2147483647, 2147483648, 4294967294, 4294967295,
];
const pairs = integers.flatMap((a) => integers.map((b) => [a, b] as const));

test.each([
  ["u32", "div", (a: number, b: number) => (b ? Math.floor(a / b) : a)],
  ["u32", "mod", (a: number, b: number) => (b ? a % b : 0)],
  ["i32", "div", (a: number, b: number) => (b | 0 ? (a | 0) / (b | 0) : a) | 0],
  ["i32", "mod", (a: number, b: number) => (b | 0 ? (a | 0) % (b | 0) : 0) | 0],
] as const)("%s %s of all ends, by numbers that differ and by one", async (type, fn, plain) => {
  const make = { u32: Uint32Array, i32: Int32Array }[type];
  const k = new Builder();
  const size = pairs.length + (4 - (pairs.length % 4));
  const [a, b] = [k.param("a", type, size, "read"), k.param("b", type, size, "read")];
  const [y, z] = [k.param("y", type, size, "write"), k.param("z", type, size, "write")];
  const i = k.let("i", k.group(0).mul(4).add(k.thread(0, 4)));
  k.store(y, i, k.load(a, i)[fn](k.load(b, i)));
  k.store(z, i, k.load(a, k.group(0))[fn](k.load(b, k.group(0))));
  const kernel = k.finish("quotients", [4, 1, 1], [size / 4, 1, 1]);
  const all = Array.from({ length: size }, (_, at) => pairs[at] ?? ([1, 1] as const));
  const given = { a: make.from(all.map(([x]) => x)), b: make.from(all.map(([, x]) => x)) };
  const results = await runKernel(device, kernel, given);
  const wanted = [...given.a].map((x, at) => plain(x, given.b[at]!));
  expect([...results.y!]).toEqual(wanted);
  expect([...results.z!]).toEqual(wanted.map((_, at) => wanted[at >> 2]!));
});

test("u32 quotients by numbers known beforehand", async () => {
  const x = Uint32Array.from([
    ...integers,
    ...integers.map((n) => n * 37),
    12345,
    7 * 613566756,
    4,
  ]);
  const even = x.subarray(0, x.length - (x.length % 4)).slice();
  for (const by of [2, 3, 7, 10, 641, 4096, 65537, 2147483647, 4294967295]) {
    const kernel = map(even.length, "u32", "u32", (v) => v.div(by).add(v.mod(by)));
    const { y } = await runKernel(device, kernel, { x: even });
    expect(y, `by ${by}`).toEqual(even.map((v) => Math.floor(v / by) + (v % by)));
  }
});
